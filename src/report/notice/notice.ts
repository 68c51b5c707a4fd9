/** What people are told when a run ends, or comes near a cap: a few lines, and the same as data. */
import type { RunChange } from '../../domain/change.ts';
import { redactLinks } from '../../domain/link.ts';
import { formatMoney, formatNano, parseNano } from '../../domain/money.ts';
import { exitCodes } from '../../domain/problem.ts';
import { formatCount, formatDuration } from '../../domain/quantity.ts';
import type { NoticeEvent } from '../../domain/settings.ts';
import type { Summary } from '../../domain/summary.ts';
import type { WatchedCap } from './cap-watch.ts';

export interface Notice {
  /** All that hold: whoever asked for one of them is told. */
  readonly events: readonly NoticeEvent[];
  /** Begins with the program's name, which a bot may ask for as its keyword. */
  readonly title: string;
  readonly lines: readonly string[];
  /** For programs. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** The end of a run. `folder` is where its reports lie. */
export function makeEndNotice(summary: Summary, folder: string): Notice {
  const { pipeline, run, why, exitCode, change } = summary;
  const isGood = exitCode === exitCodes.complete || exitCode === exitCodes.flagged;
  const flagged = summary.verdicts.block + summary.verdicts.review;
  const isFlagged = (change?.newlyFlagged ?? flagged) > 0;
  const events: readonly NoticeEvent[] = [
    ...(isGood ? [] : (['failure'] as const)),
    ...(isFlagged ? (['flagged'] as const) : []),
    'finished',
  ];
  return makeNotice(pipeline, events, redactLinks(why ?? 'has not ended'), {
    lines: [
      `${run}, ${describeTime(summary)} (exit ${exitCode ?? 'unknown'})`,
      describeVerdicts(summary),
      describeAccounts(summary),
      describeCharge(summary),
      ...(summary.caps ?? []).map(({ cap, sku, spent, limit }) => {
        const show = (amount: string | number) => showAmount(amount, sku, summary.currency);
        return `${cap}: ${show(spent)} of ${show(limit)}`;
      }),
      ...(change ? [describeChange(change)] : []),
      `report: ${folder}`,
    ],
    document: { run, summary, report: folder },
  });
}

/** A run that threw: there may be no summary. */
export function makeTroubleNotice(pipeline: string, message: string, exitCode: number): Notice {
  const told = redactLinks(message);
  return makeNotice(pipeline, ['failure', 'finished'], 'did not run to its end', {
    lines: [told, `exit ${exitCode}`],
    document: { exitCode, why: told },
  });
}

/** A cap of which so much is spent that a person may want to raise it. */
export function makeCapNotice(pipeline: string, run: string, cap: WatchedCap, currency: string): Notice {
  const { name, sku, spent, reserved, limit } = cap;
  const bare = (amount: bigint) => (sku === undefined ? formatNano(amount) : Number(amount));
  const show = (amount: bigint) => showAmount(bare(amount), sku, currency);
  const share = limit === 0n ? 100 : Number((spent * 100n) / limit);
  return makeNotice(pipeline, ['cap80'], `${name} is used to ${share} %`, {
    lines: [
      run,
      `spent ${show(spent)}, reserved ${show(reserved)}, of ${show(limit)}`,
      'The run goes on, and stops before it passes the cap.',
    ],
    document: {
      run,
      cap: {
        name,
        ...(sku !== undefined && { sku }),
        spent: bare(spent),
        reserved: bare(reserved),
        limit: bare(limit),
        ...(sku === undefined && { currency }),
      },
    },
  });
}

function makeNotice(
  pipeline: string,
  events: readonly NoticeEvent[],
  what: string,
  { lines, document }: Pick<Notice, 'lines' | 'document'>,
): Notice {
  const title = `mediasweep ${pipeline}: ${what}`;
  return {
    events,
    title,
    lines,
    document: { events, pipeline, title, text: [title, ...lines].join('\n'), ...document },
  };
}

function describeTime({ startedAt, endedAt }: Summary): string {
  return endedAt === null ? 'not ended' : formatDuration(Date.parse(endedAt) - Date.parse(startedAt));
}

function describeVerdicts({ verdicts }: Summary): string {
  return (['block', 'review', 'incomplete', 'pass'] as const)
    .map((verdict) => `${verdict} ${formatCount(verdicts[verdict])}`)
    .join(', ');
}

function describeAccounts({ counts }: Summary): string {
  const { answered, reused, skipped, failed, held, overCap, open } = counts;
  const named = { answered, reused, skipped, failed, held, 'over the cap': overCap, open };
  const words = Object.entries(named)
    .filter(([word, count]) => count > 0 || word === 'failed' || word === 'held')
    .map(([word, count]) => `${formatCount(count)} ${word}`);
  return `${formatCount(counts.items)} items: ${words.join(', ')}`;
}

function describeCharge({ charge, currency, complete }: Summary): string {
  return `charged ${complete ? '' : 'at least '}${showAmount(charge, undefined, currency)} (${complete ? 'complete' : 'incomplete'})`;
}

function describeChange({ previous, newlyFlagged, cleared, ...change }: RunChange): string {
  const gone = change.gone === null ? [] : [`${formatCount(change.gone)} gone`];
  return `since ${previous}: ${[
    `${formatCount(newlyFlagged)} newly flagged`,
    `${formatCount(cleared)} cleared`,
    `${formatCount(change.new)} new`,
    `${formatCount(change.changed)} changed`,
    ...gone,
  ].join(', ')}`;
}

function showAmount(amount: string | number, sku: string | undefined, currency: string): string {
  if (typeof amount === 'number') return `${formatCount(amount)}${sku === undefined ? '' : ` ${sku}`}`;
  return formatMoney(parseNano(amount) ?? 0n, currency).trim();
}
