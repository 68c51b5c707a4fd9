/**
 * A canary: a few items, drawn evenly over the library, go ahead of all others, and what became of them decides whether
 * the rest follows. Pure.
 */
import { formatMoney } from './money.ts';
import { compare } from './policy.ts';
import {
  type BillingFacts,
  graduatedSum,
  monthOf,
  type Nano,
  type Position,
  type SkuPrice,
} from './pricing.ts';
import { formatCount } from './quantity.ts';

export const canaryComparators = ['<=', '>=', '<', '>'] as const;
export type CanaryComparator = (typeof canaryComparators)[number];

/** `canary:` of a pipeline. At least one of the conditions is there. */
export interface Canary {
  readonly items: number;
  readonly stopIf: {
    /** Share of the canary's tasks that failed, of those that came to an end. */
    readonly failed?: { readonly comparator: CanaryComparator; readonly share: number } | undefined;
    /** What an item costs, free quota and packs left aside. */
    readonly chargePerItem?: { readonly comparator: CanaryComparator; readonly amount: Nano } | undefined;
  };
}

/**
 * `waiting`: its tasks are planned or under way; `passed`: the rest follows; `stopped`: it does not; `overridden`: it
 * follows because a person said so.
 */
export type CanaryState = 'waiting' | 'passed' | 'stopped' | 'overridden';

/** How far a run's canary has come, as the ledger keeps it. */
export interface CanaryRecord {
  readonly state: CanaryState;
  /** How many items are to be drawn. */
  readonly items: number;
  /** When its first task was sent, ms since 1970: what ended before was settled without a call. */
  readonly beganMs?: number | undefined;
  readonly verdict?: CanaryVerdict | undefined;
}

/** Units of a SKU that the canary's tasks were charged. */
export interface CanaryUsage {
  readonly account: string;
  readonly sku: string;
  readonly units: number;
  /** How far the account has come since. */
  readonly position: Position;
}

/** What became of the canary's tasks. */
export interface CanaryFigures {
  /** Items that were drawn. */
  readonly items: number;
  /** Tasks that came to an end by their own call. */
  readonly services: readonly { readonly service: string; readonly ended: number; readonly failed: number }[];
  readonly usage: readonly CanaryUsage[];
  /** Tasks of the run that wait for the canary to pass. */
  readonly untouched: number;
}

/** What a canary was judged to say. Money is a decimal string of nano, so that it can be stored. */
export interface CanaryVerdict {
  readonly items: number;
  readonly ended: number;
  readonly failed: number;
  /** Nano as text; absent where a unit has no price. */
  readonly chargePerItem?: string | undefined;
  /** Why the rest does not follow; none where it does. */
  readonly reasons: readonly string[];
}

export interface CanaryMarket {
  readonly currency: string;
  readonly priceOf: (sku: string) => SkuPrice;
  readonly factsOf: (account: string, sku: string) => BillingFacts | undefined;
  readonly nowMs: number;
}

/** Judges by the conditions of now. A canary of which nothing came to an end says nothing against the rest. */
export function judgeCanary({ stopIf }: Canary, figures: CanaryFigures, market: CanaryMarket): CanaryVerdict {
  const { services, items } = figures;
  const ended = services.reduce((sum, service) => sum + service.ended, 0);
  const failed = services.reduce((sum, service) => sum + service.failed, 0);
  const charge = items === 0 ? undefined : priceUsage(figures.usage, market);
  const chargePerItem = charge === undefined ? undefined : charge / BigInt(Math.max(1, items));
  const reasons: string[] = [];
  if (
    stopIf.failed &&
    ended > 0 &&
    compare({ comparator: stopIf.failed.comparator, value: stopIf.failed.share }, failed / ended)
  ) {
    const share = `${Number(((failed / ended) * 100).toPrecision(3))} %`;
    const by = services
      .filter((service) => service.ended > 0)
      .map((service) => `${service.service} ${formatCount(service.failed)} of ${formatCount(service.ended)}`);
    const words = `${formatCount(failed)} of ${formatCount(ended)} tasks failed, ${share} (${by.join(', ')})`;
    reasons.push(`${words}, and it stops if failed is ${formatFailed(stopIf.failed)}`);
  }
  const limit = stopIf.chargePerItem;
  if (
    limit &&
    chargePerItem !== undefined &&
    ended > 0 &&
    compareNano(limit.comparator, chargePerItem, limit.amount)
  ) {
    const cost = formatMoney(chargePerItem, market.currency).trim();
    const most = formatMoney(limit.amount, market.currency).trim();
    reasons.push(`an item costs ${cost}, and it stops if chargePerItem is ${limit.comparator} ${most}`);
  }
  return { items, ended, failed, chargePerItem: chargePerItem?.toString(), reasons };
}

/** `undefined` where a unit has no price. */
function priceUsage(
  usage: readonly CanaryUsage[],
  { priceOf, factsOf, nowMs }: CanaryMarket,
): Nano | undefined {
  let sum = 0n;
  for (const { account, sku, units, position } of usage) {
    const price = priceOf(sku);
    if (!price.tiers) return undefined;
    const month = monthOf(nowMs, price.timezone);
    const from = (factsOf(account, sku)?.usedThisMonth[month] ?? 0) + (position.months[month]?.tier ?? 0);
    // As many units as the next items will use: free quota and packs run out, and say nothing of what follows.
    sum += graduatedSum(price, from + units) - graduatedSum(price, from);
  }
  return sum;
}

function formatFailed({ comparator, share }: NonNullable<Canary['stopIf']['failed']>): string {
  return `${comparator} ${Number((share * 100).toPrecision(6))} %`;
}

function compareNano(comparator: CanaryComparator, left: Nano, right: Nano): boolean {
  return compare({ comparator, value: 0 }, left < right ? -1 : left > right ? 1 : 0);
}
