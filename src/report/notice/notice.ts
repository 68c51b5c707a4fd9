/** What people are told when a run ends, or comes near a cap: a few lines, and the same as data. */
import type { RunChange } from '../../domain/change.ts';
import { redactLinks } from '../../domain/link.ts';
import { formatMoney, formatNano, parseNano } from '../../domain/money.ts';
import { exitCodes } from '../../domain/problem.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { NoticeEvent } from '../../domain/settings.ts';
import type { Summary } from '../../domain/summary.ts';
import type { Tell } from '../html/language/say.ts';
import { stateOf } from '../html/language/state.ts';
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
export function makeEndNotice(summary: Summary, folder: string, tell: Tell): Notice {
  const { pipeline, run, exitCode, change } = summary;
  const isGood = exitCode === exitCodes.complete || exitCode === exitCodes.flagged;
  const flagged = summary.verdicts.block + summary.verdicts.review;
  const isFlagged = (change?.newlyFlagged ?? flagged) > 0;
  const events: readonly NoticeEvent[] = [
    ...(isGood ? [] : (['failure'] as const)),
    ...(isFlagged ? (['flagged'] as const) : []),
    'finished',
  ];
  return makeNotice(
    pipeline,
    events,
    describeEnd(summary, tell),
    {
      lines: [
        tell('notice.run', {
          run,
          took: describeTime(summary, tell),
          code: exitCode ?? tell('notice.unknown'),
        }),
        ...quoteWhy(summary, tell),
        tell('notice.verdicts', summary.verdicts),
        describeAccounts(summary, tell),
        describeCharge(summary, tell),
        ...(summary.caps ?? []).map(({ cap, sku, spent, limit }) => {
          const show = (amount: string | number) => showAmount(amount, sku, summary.currency);
          return tell('notice.cap', { cap, spent: show(spent), limit: show(limit) });
        }),
        ...(change ? [describeChange(change, tell)] : []),
        tell('notice.report', { path: folder }),
      ],
      document: { run, summary, report: folder },
    },
    tell,
  );
}

/** A run that threw: there may be no summary. The words of the error are English. */
export function makeTroubleNotice(pipeline: string, message: string, exitCode: number, tell: Tell): Notice {
  const told = redactLinks(message);
  return makeNotice(
    pipeline,
    ['failure', 'finished'],
    tell('notice.trouble'),
    { lines: [told, tell('notice.exit', { code: exitCode })], document: { exitCode, why: told } },
    tell,
  );
}

/** A cap of which so much is spent that a person may want to raise it. */
export function makeCapNotice(
  { pipeline, run, currency }: { readonly pipeline: string; readonly run: string; readonly currency: string },
  cap: WatchedCap,
  tell: Tell,
): Notice {
  const { name, sku, spent, reserved, limit } = cap;
  const bare = (amount: bigint) => (sku === undefined ? formatNano(amount) : Number(amount));
  const show = (amount: bigint) => showAmount(bare(amount), sku, currency);
  const share = limit === 0n ? 100 : Number((spent * 100n) / limit);
  return makeNotice(
    pipeline,
    ['cap80'],
    tell('notice.capUsed', { cap: name, share }),
    {
      lines: [
        run,
        tell('notice.capStand', { spent: show(spent), reserved: show(reserved), limit: show(limit) }),
        tell('notice.capGoesOn'),
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
    },
    tell,
  );
}

function makeNotice(
  pipeline: string,
  events: readonly NoticeEvent[],
  what: string,
  { lines, document }: Pick<Notice, 'lines' | 'document'>,
  tell: Tell,
): Notice {
  const title = tell('notice.title', { pipeline, what });
  return {
    events,
    title,
    lines,
    document: { events, pipeline, title, text: [title, ...lines].join('\n'), ...document },
  };
}

/** The run's own words are English; in another language the exit code and the counts say the same. */
function describeEnd({ why, exitCode, counts, verdicts, canary }: Summary, tell: Tell): string {
  const own = redactLinks(why ?? tell('notice.hasNotEnded'));
  if (tell.language === 'en' || exitCode === null) return own;
  const state = stateOf(exitCode, canary?.state === 'stopped');
  const { failed, held, overCap } = counts;
  const flagged = verdicts.block + verdicts.review;
  const words =
    exitCode === exitCodes.failures
      ? tell('state.failures', { failed, held })
      : exitCode === exitCodes.flagged
        ? tell('state.flagged', { count: flagged })
        : tell(state.words);
  const over = exitCode === exitCodes.capped && overCap > 0 ? tell('state.overCap', { count: overCap }) : '';
  return exitCode === exitCodes.complete
    ? tell(state.word)
    : `${tell(state.word)}${tell('word.comma')}${words}${over}`;
}

/** Where the exit code says less than the run does: which vendor was lost, and how. */
function quoteWhy({ why, exitCode }: Summary, tell: Tell): readonly string[] {
  const isTelling = exitCode === exitCodes.halted || exitCode === exitCodes.ourMistake;
  return tell.language === 'en' || why === null || !isTelling ? [] : [redactLinks(why)];
}

function describeTime({ startedAt, endedAt }: Summary, tell: Tell): string {
  return endedAt === null
    ? tell('notice.notEnded')
    : tell.duration(Date.parse(endedAt) - Date.parse(startedAt));
}

function describeAccounts({ counts }: Summary, tell: Tell): string {
  const { items, answered, reused, skipped, failed, held, overCap, open } = counts;
  const named = { answered, reused, skipped, failed, held, 'over-cap': overCap, open } as const;
  const parts = (Object.keys(named) as (keyof typeof named)[])
    .filter((name) => named[name] > 0 || name === 'failed' || name === 'held')
    .map((name) => tell('notice.part', { amount: named[name], word: tell(`status.${name}`) }));
  return tell('notice.items', { count: items, parts: parts.join(tell('word.comma')) });
}

function describeCharge({ charge, currency, complete }: Summary, tell: Tell): string {
  const amount = showAmount(charge, undefined, currency);
  return tell(complete ? 'notice.charged' : 'notice.chargedAtLeast', { amount });
}

function describeChange(change: RunChange, tell: Tell): string {
  const { previous, newlyFlagged, cleared, gone } = change;
  const parts = [
    [newlyFlagged, tell('change.newlyFlagged')],
    [cleared, tell('notice.cleared')],
    [change.new, tell('notice.new')],
    [change.changed, tell('notice.changed')],
    ...(gone === null ? [] : [[gone, tell('notice.gone')] as const]),
  ] as const;
  return tell('notice.since', {
    run: previous,
    parts: parts.map(([amount, word]) => tell('notice.part', { amount, word })).join(tell('word.comma')),
  });
}

function showAmount(amount: string | number, sku: string | undefined, currency: string): string {
  if (typeof amount === 'number') return `${formatCount(amount)}${sku === undefined ? '' : ` ${sku}`}`;
  return formatMoney(parseNano(amount) ?? 0n, currency).trim();
}
