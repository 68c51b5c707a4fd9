/** What a run is expected to do and cost: how much work, the walk through the tiers, time, caps, and what was assumed. */
import type {
  AccountForecast,
  Assumed,
  CapForecast,
  Estimate,
  EstimatedSku,
  Fetched,
  Misfit,
  Spread,
  Unsent,
} from '../../domain/estimate.ts';
import { estimateBases } from '../../domain/estimate.ts';
import { lineInFile } from '../../domain/item.ts';
import { groupBy } from '../../domain/group.ts';
import { formatMoney, formatNano, writeKnownCharge } from '../../domain/money.ts';
import type { Nano } from '../../domain/pricing.ts';
import { formatBinarySize, formatCount, formatDuration } from '../../domain/quantity.ts';
import type { WalkStep } from '../../domain/tier-walk.ts';
import type { EstimateResult } from '../spine.ts';
import { type Ink, makeInk } from './ink.ts';
import { formatBroken } from './obstacle.ts';
import { makePlain } from './plain.ts';
import { formatTable, wrapText } from './table.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { countWord } from './word.ts';

const mostReasons = 8;

export function printEstimate(console: Console, { estimate, plan }: EstimateResult): void {
  const ink = makeInk(console);
  const width = widthOf(console);
  const wrap = (lines: readonly string[]) =>
    lines.flatMap((line) => (line === '' ? [line] : wrapText(`  ${line}`, width, '    ')));
  writeResult(console, [
    ...wrapText(formatHeadline(estimate, ink), width, '  '),
    ...wrap([
      formatTasks(estimate),
      ...formatBroken(estimate.broken, estimate.brokenRows),
      ...formatUnsent(estimate.unsent),
      ...estimate.misfits.map((one) => formatMisfit(one, ink)),
      ...formatResumed(estimate),
    ]),
    ...formatSkus(estimate, ink, width),
    ...wrap([
      formatTotal(estimate, ink),
      ...formatPaid(estimate),
      ...formatSample(estimate, ink),
      ...estimate.fetched.flatMap((one) => formatFetched(one, estimate.total.currency)),
      ...formatTime(estimate),
      ...estimate.caps.map((cap) => formatCap(cap, estimate.total.currency, ink)),
      ...estimate.assumptions.map((one) => formatAssumed(one, ink)),
    ]),
    ...(plan ? wrapText(formatPlan(plan, estimate), width, '  ') : []),
  ]);
}

/** As `--json` prints it: money in decimal strings, null where nothing of it could be priced. */
export function describeEstimate({ estimate, plan }: EstimateResult) {
  const { tasks, total, duration, sample } = estimate;
  return {
    pipeline: estimate.pipeline,
    at: estimate.at,
    month: estimate.month,
    items: estimate.items,
    tasks: countTasks(estimate),
    skipped: tasks.skipped,
    counts: {
      services: estimate.services,
      notApplicable: estimate.notApplicable,
      ...tasks,
      unselected: estimate.unselected,
      broken: estimate.broken,
    },
    kinds: estimate.kinds,
    brokenRows: estimate.brokenRows.map((row) => ({ line: lineInFile(row), message: row.message })),
    unsent: estimate.unsent,
    misfits: estimate.misfits,
    skus: estimate.skus.map((sku) => ({
      account: sku.account,
      sku: sku.sku,
      unit: sku.unit,
      units: sku.units,
      basis: sku.basis,
      unitsByBasis: sku.unitsByBasis,
      monthSoFar: sku.monthSoFar,
      walk: sku.walk,
      increment: sku.increment,
      billed: sku.billed,
      charge: writeKnownCharge(sku) ?? null,
      currency: total.currency,
      complete: sku.isComplete,
      spread: describeSpread(sku, ({ units, charge }) => ({ units, charge: writeCharge(charge, sku) })),
    })),
    total: {
      charge: writeKnownCharge(total) ?? null,
      currency: total.currency,
      complete: total.isComplete,
      spread: describeSpread(total, (charge) => writeCharge(charge, total)),
    },
    assumptions: estimate.assumptions,
    durationSeconds: duration.seconds,
    duration: { accounts: duration.accounts, assumptions: duration.assumptions },
    fetched: estimate.fetched,
    caps: estimate.caps.map(({ name, sku, limit, spent, reserved, expected, isHit }) => {
      const show = (amount: bigint) => (sku === undefined ? formatNano(amount) : Number(amount));
      return {
        cap: name,
        sku,
        limit: show(limit),
        spent: show(spent + reserved),
        expected: show(expected),
        hit: isHit,
      };
    }),
    sample: sample && { ...sample, confidence: 0.95 },
    resumes: estimate.resumes,
    plan,
  };
}

function describeSpread<Bound, Said>(
  { spread }: { readonly spread?: Spread<Bound> | undefined },
  say: (bound: Bound) => Said,
): Spread<Said> | undefined {
  return spread && { low: say(spread.low), high: say(spread.high) };
}

function writeCharge(charge: Nano, { isComplete }: { readonly isComplete: boolean }): string | null {
  return writeKnownCharge({ charge, isComplete }) ?? null;
}

function countTasks({ tasks }: Estimate): number {
  return Object.values(tasks).reduce((sum, count) => sum + count, 0);
}

function formatHeadline({ pipeline, items, kinds, unselected, broken }: Estimate, ink: Ink): string {
  const named = Object.entries(kinds).map(([kind, count]) =>
    kind === 'none' ? `${formatCount(count)} of no known kind` : countWord(count, kind),
  );
  const apart = [
    ...(unselected > 0 ? [`${formatCount(unselected)} not selected`] : []),
    ...(broken > 0 ? [countWord(broken, 'broken row')] : []),
  ];
  const left = apart.length === 0 ? '' : `; ${apart.join(', ')}`;
  const what = named.length === 0 ? '' : ` (${named.join(', ')})`;
  return `${ink.bold(makePlain(pipeline))}: ${countWord(items, 'item')} selected${what}${left}`;
}

function formatTasks(estimate: Estimate): string {
  const { tasks, items, services, notApplicable } = estimate;
  const terms: readonly (readonly [number, string])[] = [
    [notApplicable, 'not applicable'],
    [tasks.calls, 'to be asked'],
    [tasks.reused, 'answered before'],
    [tasks.joined, 'of the same content as another'],
    [tasks.waiting, 'at the vendor already'],
    [tasks.skipped, 'skipped'],
    [tasks.failed, 'remembered as failed'],
    [tasks.held, 'held'],
  ];
  const sum = terms.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  return `${countWord(items, 'item')} x ${countWord(services, 'service')} = ${sum.join(' + ') || '0'}`;
}

function formatUnsent(unsent: readonly Unsent[]): readonly string[] {
  const shown = unsent.slice(0, mostReasons).map(({ service, state, reason, tasks, example }) => {
    const why = makePlain(reason || state);
    return `${state} ${formatCount(tasks)} of ${makePlain(service)}: ${why} (such as ${makePlain(example)})`;
  });
  const more = unsent.length - shown.length;
  return more > 0 ? [...shown, `${countWord(more, 'more reason')} in --json`] : shown;
}

function formatMisfit({ service, reason, tasks, example }: Misfit, ink: Ink): string {
  const which = `${countWord(tasks, 'task')} of ${makePlain(service)} asked all the same (such as ${makePlain(example)})`;
  return `${ink.yellow('outside the limits')}: ${makePlain(reason.replace(/^fit: /, ''))}, ${which}; select.fit: skip leaves them out`;
}

function formatResumed({ resumes }: Estimate): readonly string[] {
  if (resumes === undefined) return [];
  return [`goes on with run ${makePlain(resumes)}; what that has answered is answered before`];
}

/** One row each, and below it where its units fall. */
function formatSkus({ skus, total }: Estimate, ink: Ink, width: number | undefined): readonly string[] {
  if (skus.length === 0) return [''];
  const hasAccounts = new Set(skus.map(({ account }) => account)).size > 1;
  const titles = [...(hasAccounts ? ['account'] : []), 'SKU', 'units', 'basis', 'month so far', 'charge'];
  const rows = skus.map((sku) => [
    ...(hasAccounts ? [makePlain(sku.account)] : []),
    makePlain(sku.sku),
    formatUnits(sku),
    formatBasis(sku),
    formatCount(sku.monthSoFar),
    formatCharge(sku, total.currency, ink),
  ]);
  const right = new Set(['units', 'month so far', 'charge']);
  const [head = '', ...lines] = formatTable(
    titles.map((title) => ({ title, isRight: right.has(title) })),
    rows,
  );
  const body = lines.flatMap((line, index) => {
    const sku = skus[index];
    if (!sku || sku.walk.length === 0) return [`  ${line}`];
    const steps = wrapText(`      ${formatWalk(sku, total.currency)}`, width, '        ');
    return [`  ${line}`, ...steps.map((step) => ink.dim(step))];
  });
  return ['', `  ${head}`, ...body, `  ${'-'.repeat(Math.max(20, head.length))}`];
}

function formatUnits({ units, spread }: EstimatedSku): string {
  return spread ? `about ${formatCount(units)}` : formatCount(units);
}

function formatBasis({ unitsByBasis }: EstimatedSku): string {
  const parts = estimateBases.filter((basis) => unitsByBasis[basis] > 0);
  if (parts.length === 1) return parts[0] as string;
  return parts.map((basis) => `${formatCount(unitsByBasis[basis])} ${basis}`).join(', ') || '-';
}

function formatCharge(
  { charge, isComplete, unpriced, units }: EstimatedSku,
  currency: string,
  ink: Ink,
): string {
  if (isComplete) return formatMoney(charge, currency);
  if (unpriced === units) return ink.yellow('price unknown');
  return `${formatMoney(charge, currency)} ${ink.yellow(`and ${formatCount(unpriced)} unpriced`)}`;
}

function formatWalk({ walk, unpriced, increment = 1, billed }: EstimatedSku, currency: string): string {
  const steps = walk.map((step) => formatStep(step, currency));
  const inTiers = walk.reduce((sum, { from, units }) => sum + (from === 'tier' ? units : 0), 0);
  return [
    ...steps,
    ...(billed === undefined
      ? []
      : [`${formatCount(inTiers)} charged as ${formatCount(billed)} (increment ${formatCount(increment)})`]),
    ...(unpriced > 0 ? [`${formatCount(unpriced)} without a price`] : []),
  ].join(', ');
}

function formatStep(step: WalkStep, currency: string): string {
  const units = formatCount(step.units);
  switch (step.from) {
    case 'free':
      return `${units} free`;
    case 'pack': {
      const share = formatMoney(step.charge, currency).trim();
      return `${units} of the pack of ${formatCount(step.packUnits)} until ${step.expires} (${share} of its cost)`;
    }
    case 'tier':
      return `${units} at ${formatNano(step.price)}${step.per === 1 ? '' : `/${formatCount(step.per)}`}`;
  }
}

function formatTotal({ total, skus }: Estimate, ink: Ink): string {
  const amount = ink.bold(formatMoney(total.charge, total.currency).trim());
  const about = total.spread ? 'about ' : '';
  if (total.isComplete) return `${about}${amount}`;
  const lacking = [...new Set(skus.filter(({ isComplete }) => !isComplete).map(({ sku }) => sku))];
  const advice = `set a price for ${lacking.join(', ')} in config/prices/`;
  return `at least ${about}${amount} (${ink.yellow('incomplete')}: ${advice})`;
}

/** What packs bear was paid when they were bought. */
function formatPaid({ skus, total }: Estimate): readonly string[] {
  const paid = skus
    .flatMap(({ walk }) => walk)
    .reduce((sum, { from, charge }) => sum + (from === 'pack' ? charge : 0n), 0n);
  if (paid === 0n) return [];
  return [`${formatMoney(paid, total.currency).trim()} of it was paid when the packs were bought`];
}

function formatSample({ sample, total }: Estimate, ink: Ink): readonly string[] {
  if (!sample) return [];
  const share = `${Number((sample.share * 100).toPrecision(3))} %`;
  const tried = sample.read + sample.unreadable;
  const read =
    sample.unreadable === 0
      ? `${formatCount(tried)} of ${countWord(sample.of, 'header')} read (${share})`
      : `${formatCount(tried)} of ${countWord(sample.of, 'header')} tried (${share}), ${formatCount(sample.read)} could be read`;
  if (sample.unreadable > 0 && sample.read === 0) {
    const outcome = 'the total rests on assumptions alone, and no bounds can be told; see why below';
    return [`${ink.yellow('sampled')}: ${read}; ${outcome}`];
  }
  if (!total.spread) {
    const outcome =
      tried < sample.of
        ? 'too few to scale up, so that the rest stands as assumed; take a larger sample'
        : 'nothing had to be scaled up';
    return [`${ink.yellow('sampled')}: ${read}; ${outcome}`];
  }
  const { low, high } = total.spread;
  const bounds = [low, high].map((amount) => formatMoney(amount, total.currency).trim()).join(' and ');
  const few = sample.read < 100 ? '; so few say little, take a larger sample' : '';
  const beside =
    sample.unreadable === 0 ? '' : ', as far as headers could be read; assumptions stand in for the others';
  return [
    `${ink.yellow('sampled')}: ${read}; in 95 cases of 100 the total lies between ${bounds}${beside}${few}`,
  ];
}

function formatFetched(
  { storage, bytes, unsized, scaledBytes = 0, charge }: Fetched,
  currency: string,
): readonly string[] {
  if (bytes === 0 && unsized === 0) return [];
  const from = storage === '' ? 'links of rows' : makePlain(storage);
  const unknown = `${countWord(unsized, 'file')} of unknown size`;
  if (bytes === 0) return [`vendors fetch ${unknown} from ${from}`];
  const price =
    charge === undefined ? '' : ` (${formatMoney(charge, currency).trim()} of egress, on another bill)`;
  const about = scaledBytes > 0 ? 'about ' : '';
  return [
    `vendors fetch ${about}${formatBinarySize(bytes)} from ${from}${price}${unsized === 0 ? '' : `, and ${unknown}`}`,
  ];
}

function formatTime({ duration, tasks }: Estimate): readonly string[] {
  const [slowest, ...others] = duration.accounts;
  if (tasks.calls === 0 || !slowest) return [];
  const faster = others.map(({ account, seconds }) => `${makePlain(account)} ${formatSeconds(seconds)}`);
  const beside = faster.length === 0 ? '' : `; beside it ${faster.join(', ')}`;
  return [
    `takes about ${formatSeconds(duration.seconds)}: ${describeSlowest(slowest)}${beside}`,
    makePlain(duration.assumptions.join('; ')),
  ];
}

function describeSlowest({ account, requests, polls, bound }: AccountForecast): string {
  const limits = { perSecond: 'requests/s', concurrency: 'calls at once', maxOpenJobs: 'open jobs' };
  const owner = makePlain(bound.service === undefined ? account : `${bound.service} on ${account}`);
  const reads = polls === 0 ? '' : ` and ${countWord(polls, 'read')} of jobs`;
  const limit = `${formatCount(bound.value)} ${limits[bound.limit]}`;
  return `${countWord(requests, 'call')}${reads} at the ${limit} of ${owner}`;
}

function formatSeconds(seconds: number): string {
  return formatDuration(seconds * 1000);
}

function formatCap(cap: CapForecast, currency: string, ink: Ink): string {
  const { name, sku, limit, spent, reserved, expected, isHit } = cap;
  const show = (amount: Nano) =>
    sku === undefined ? formatMoney(amount, currency).trim() : `${formatCount(Number(amount))} units`;
  const used = spent + reserved;
  const left = used > limit ? 0n : limit - used;
  if (!isHit) return `${name}: ${show(expected)} of ${show(left)} left`;
  const share = Number((left * 1000n) / expected) / 10;
  return `${ink.yellow(`${name} will be hit`)}: ${show(expected)} of ${show(left)} left, so that the run stops after about ${share} % (exit 4)`;
}

function formatPlan({ path, sha256 }: NonNullable<EstimateResult['plan']>, { pipeline }: Estimate): string {
  const file = makePlain(path);
  return `plan saved to ${file} (sha256 ${sha256.slice(0, 12)}...). Run it with: mediasweep run pipelines/${makePlain(pipeline)}.yaml --plan ${file}`;
}

function formatAssumed({ text, tasks, examples }: Assumed, ink: Ink): string {
  const named = [...groupBy(examples, ({ why = '' }) => why)].map(([why, alike]) => {
    const items = alike.map(({ item }) => makePlain(item)).join(', ');
    return why === '' ? items : `${items}: ${makePlain(why)}`;
  });
  const such = named.length === 0 ? '' : ` (such as ${named.join('; ')})`;
  return `${ink.yellow('assumed')} for ${countWord(tasks, 'task')}: ${text}${such}`;
}
