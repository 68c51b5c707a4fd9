/** Where the world has moved away from a plan by more than is allowed, in words. Pure. */
import type { Plan, PlannedSku } from '../domain/plan.ts';
import { formatNano, parseNano } from '../domain/money.ts';
import { formatCount } from '../domain/quantity.ts';
import { errorOf, measureChange } from './estimate/digest.ts';

export interface PlanDifference {
  readonly message: string;
  /** What `--tolerance` would have to allow; absent where nothing can. */
  readonly share?: number | undefined;
}

/** Everything that differs by more than `tolerance`, a share of what was planned; what none can allow first. */
export function comparePlan(planned: Plan, now: Plan, tolerance: number): readonly PlanDifference[] {
  const fixed = compareFixed(planned, now);
  const measured = [
    ...compareItems(planned, now),
    ...compareUnits(planned, now),
    ...compareCharge(planned, now),
  ];
  return [...fixed, ...measured.filter(({ share = Number.POSITIVE_INFINITY }) => share > tolerance + 1e-9)];
}

function compareFixed(planned: Plan, now: Plan): readonly PlanDifference[] {
  if (planned.pipeline !== now.pipeline) {
    return [{ message: `it is a plan of pipeline "${planned.pipeline}", not of "${now.pipeline}"` }];
  }
  const parts = [...new Set([...Object.keys(planned.config), ...Object.keys(now.config)])];
  const changed = parts.filter((part) => part !== 'prices' && planned.config[part] !== now.config[part]);
  return [
    ...(planned.limit === now.limit
      ? []
      : [{ message: `--limit: ${planned.limit ?? 'none'} planned, ${now.limit ?? 'none'} now` }]),
    ...changed.map((part) => ({ message: `the configuration changed in ${part}` })),
  ];
}

/** Contents that changed are a difference of their own, where more or fewer items are not all of it. */
function compareItems({ items: planned }: Plan, { items: now }: Plan): readonly PlanDifference[] {
  const count = differ(planned.items, now.items);
  const share = measureChange(planned, now);
  if (count > 0) {
    const message = `items: ${formatCount(planned.items)} planned, ${formatCount(now.items)} now`;
    const explained = Math.abs(now.items - planned.items) / Math.max(now.items, planned.items);
    if (share <= explained + errorOf(planned, now)) return [{ message, share: Math.max(count, share) }];
    const contents = `contents: about ${formatShare(share)} of those planned and now together are in one of them only`;
    return [
      { message, share: count },
      { message: contents, share },
    ];
  }
  if (planned.sum === now.sum) return [];
  const amount = share < 0.001 ? 'a few' : `about ${formatShare(share)}`;
  return [
    { message: `items: as many as planned, but ${amount} of them are others`, share: Math.max(share, 1e-6) },
  ];
}

function compareUnits(planned: Plan, now: Plan): readonly PlanDifference[] {
  return pairSkus(planned, now).flatMap(({ name, before, after }) => {
    const [one, other] = [before?.units ?? 0, after?.units ?? 0];
    if (one === other) return [];
    const message = `units of ${name}: ${formatCount(one)} planned, ${formatCount(other)} now`;
    return [{ message, share: differ(one, other) }];
  });
}

/** With the reasons that can be told apart: other prices, or a month that has come further. */
function compareCharge(planned: Plan, now: Plan): readonly PlanDifference[] {
  if (planned.total.currency !== now.total.currency) {
    return [{ message: `the currency: ${planned.total.currency} planned, ${now.total.currency} now` }];
  }
  if (planned.total.complete !== now.total.complete) {
    const say = ({ total }: Plan) => (total.complete ? 'complete' : 'incomplete');
    return [{ message: `the total: ${say(planned)} when planned, ${say(now)} now` }];
  }
  const [one, other] = [readCharge(planned), readCharge(now)];
  if (one === other) return [];
  const pairs = pairSkus(planned, now);
  const priced = pairs.filter(({ before, after }) => before && after && before.price !== after.price);
  const moved = pairs.filter(
    ({ before, after }) => before && after && before.monthSoFar !== after.monthSoFar,
  );
  const reasons = [
    ...priced.map(
      ({ name, before, after }) => `the price of ${name}: ${before?.price} planned, ${after?.price} now`,
    ),
    ...moved.map(
      ({ name, before, after }) =>
        `the month has come to ${formatCount(after?.monthSoFar ?? 0)} of ${name}, from ${formatCount(before?.monthSoFar ?? 0)}`,
    ),
  ];
  const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  const { currency } = now.total;
  const message = `charge: ${formatNano(one)} ${currency} planned, ${formatNano(other)} ${currency} now${why}`;
  return [{ message, share: differ(Number(one), Number(other)) }];
}

interface Pair {
  readonly name: string;
  readonly before?: PlannedSku | undefined;
  readonly after?: PlannedSku | undefined;
}

function pairSkus(planned: Plan, now: Plan): readonly Pair[] {
  const name = ({ account, sku }: PlannedSku) => `${sku} (${account})`;
  const before = new Map(planned.skus.map((sku) => [name(sku), sku]));
  const after = new Map(now.skus.map((sku) => [name(sku), sku]));
  return [...new Set([...before.keys(), ...after.keys()])].map((one) => ({
    name: one,
    before: before.get(one),
    after: after.get(one),
  }));
}

function readCharge({ total }: Plan): bigint {
  return parseNano(total.charge ?? '0') ?? 0n;
}

/** A share of what was planned; where that was nothing, anything is more than any share. */
function differ(planned: number, now: number): number {
  if (planned === now) return 0;
  return planned === 0 ? Number.POSITIVE_INFINITY : Math.abs(now - planned) / planned;
}

/** `3.2 %`, rounded up, so that allowing for it is enough. */
export function formatShare(share: number): string {
  return `${Math.ceil(share * 1000) / 10} %`;
}
