/** What was spent: usage by day, summed by whatever is asked for, and the month's end as far as it can be told. Pure. */
import type { Item } from './item.ts';
import {
  type BillingFacts,
  chargeUnits,
  countBilled,
  dayOf,
  describePacks,
  type Nano,
  type PackStand,
  type Position,
  type PriceBook,
  priceOf,
  startPosition,
} from './pricing.ts';

/** Units and money, as a bill has them. */
export interface UsageSums {
  readonly observed: number;
  readonly estimated: number;
  /** Of calls that may have been billed: outside the charge. */
  readonly uncertain: number;
  readonly free: number;
  readonly pack: number;
  readonly charge: Nano;
  readonly isComplete: boolean;
}

/** Usage of one day, pipeline, account and SKU. */
export interface UsageRow extends UsageSums {
  /** `YYYY-MM-DD` on which the calls were sent, in the price book's zone. */
  readonly day: string;
  readonly pipeline: string;
  readonly account: string;
  readonly isLoopback: boolean;
  readonly sku: string;
}

/** One booked entry with the item that it was booked for; for sums by prefix. */
export interface ItemUsage extends Omit<UsageRow, 'day'> {
  readonly id: number;
  /** `YYYY-MM` */
  readonly month: string;
  /** Absent where its run was pruned. */
  readonly item?: Item | undefined;
}

/** Usage of one attempt that the vendor knew as a job. */
export interface JobUsage extends UsageSums {
  readonly attempt: number;
  readonly job: string;
  readonly sku: string;
}

/** Whose jobs, sent in which month, are meant. */
export interface JobQuestion {
  readonly account: string;
  readonly isLoopback: boolean;
  readonly month: string;
}

export interface CostQuestion {
  /** `YYYY-MM`; all months where absent. */
  readonly month?: string | undefined;
  readonly pipeline?: string | undefined;
}

export const costDimensions = ['month', 'day', 'account', 'sku', 'pipeline', 'prefix'] as const;
export type CostDimension = (typeof costDimensions)[number];

/** Sums over everything that is alike in the dimensions asked for. */
export interface CostLine extends UsageSums {
  readonly of: Readonly<Partial<Record<CostDimension, string>>>;
  /** Expected at the end of the month; absent where the line is not of the month that goes on. */
  readonly projected?: Projected | undefined;
}

export interface Projected {
  readonly units: number;
  readonly charge: Nano;
  readonly isComplete: boolean;
}

/** A row by its dimensions, before it is summed. */
export interface CostFact extends UsageSums {
  readonly of: Readonly<Partial<Record<CostDimension, string>>>;
}

export function factOf(row: UsageRow): CostFact {
  const { day, account, sku, pipeline } = row;
  return { ...row, of: { month: day.slice(0, 7), day, account, sku, pipeline } };
}

const nothing: UsageSums = {
  observed: 0,
  estimated: 0,
  uncertain: 0,
  free: 0,
  pack: 0,
  charge: 0n,
  isComplete: true,
};

export function addUsage(one: UsageSums, other: UsageSums): UsageSums {
  return {
    observed: one.observed + other.observed,
    estimated: one.estimated + other.estimated,
    uncertain: one.uncertain + other.uncertain,
    free: one.free + other.free,
    pack: one.pack + other.pack,
    charge: one.charge + other.charge,
    isComplete: one.isComplete && other.isComplete,
  };
}

export function sumUsage(rows: Iterable<UsageSums>): UsageSums {
  let sum = nothing;
  for (const row of rows) sum = addUsage(sum, row);
  return sum;
}

interface Summing {
  readonly of: CostLine['of'];
  sums: UsageSums;
  /** By month, account and SKU, as a forecast asks for them. */
  readonly parts: Map<string, CostFact>;
}

/** Sums as facts come, one line for each combination; the memory it takes is that of the lines. */
export class CostTable {
  readonly #dimensions: readonly CostDimension[];
  readonly #forecast: Forecast | undefined;
  readonly #lines = new Map<string, Summing>();

  constructor(dimensions: readonly CostDimension[], forecast?: Forecast) {
    this.#dimensions = dimensions;
    this.#forecast = forecast;
  }

  add(fact: CostFact): void {
    const key = JSON.stringify(this.#dimensions.map((name) => fact.of[name] ?? ''));
    let line = this.#lines.get(key);
    if (!line) {
      const of = Object.fromEntries(this.#dimensions.map((name) => [name, fact.of[name] ?? '']));
      line = { of, sums: nothing, parts: new Map() };
      this.#lines.set(key, line);
    }
    line.sums = addUsage(line.sums, fact);
    if (!this.#forecast) return;
    const { month, account, sku } = fact.of;
    const name = JSON.stringify([month, account, sku]);
    const part = line.parts.get(name);
    line.parts.set(name, { ...(part ? addUsage(part, fact) : fact), of: { month, account, sku } });
  }

  /** In the order of their dimensions. */
  list(): readonly CostLine[] {
    return [...this.#lines.values()]
      .map(({ of, sums, parts }) => {
        const projected = this.#project(of, [...parts.values()]);
        return { of, ...sums, ...(projected && { projected }) };
      })
      .sort((one, other) => this.#compare(one, other));
  }

  /** Days are what they are; a line of several months is projected with the one that goes on. */
  #project(of: CostLine['of'], parts: readonly CostFact[]): Projected | undefined {
    const forecast = this.#forecast;
    if (!forecast || this.#dimensions.includes('day')) return undefined;
    if (of.month !== undefined && of.month !== forecast.month) return undefined;
    const projected = parts.flatMap((part) => forecast.project(part) ?? []);
    return {
      units: projected.reduce((sum, { units }) => sum + units, 0),
      charge: projected.reduce((sum, { charge }) => sum + charge, 0n),
      isComplete: projected.every(({ isComplete }) => isComplete),
    };
  }

  #compare(one: CostLine, other: CostLine): number {
    for (const name of this.#dimensions) {
      const [a = '', b = ''] = [one.of[name], other.of[name]];
      if (a !== b) return a < b ? -1 : 1;
    }
    return 0;
  }
}

/** Lines of facts that are at hand. */
export function groupCost(
  facts: Iterable<CostFact>,
  dimensions: readonly CostDimension[],
  forecast?: Forecast,
): readonly CostLine[] {
  const table = new CostTable(dimensions, forecast);
  for (const fact of facts) table.add(fact);
  return table.list();
}

/** What is known of an account beside its usage. */
export interface CostWorld {
  readonly prices: PriceBook;
  readonly billing: ReadonlyMap<string, Readonly<Record<string, BillingFacts>>>;
  /** Of the accounts that are looked at, the stand-ins or the real ones. */
  readonly positions: readonly {
    readonly account: string;
    readonly sku: string;
    readonly position: Position;
  }[];
  readonly nowMs: number;
}

interface More {
  /** Units so far, and what the rest of the month is expected to add. */
  readonly units: number;
  readonly moreUnits: number;
  readonly moreCharge: Nano;
  readonly isComplete: boolean;
}

/**
 * The month's end at the pace so far: units of the days from the first one of the month with usage to the last one that
 * counts, a day as much for each day that is left. Today counts once something was used on it: before tonight's run it is
 * one of those that are left. They are priced from where the account has come to, through free quota, packs and tiers, and
 * a line bears of that what it has of the units.
 */
export class Forecast {
  readonly month: string;
  readonly today: string;
  /** First day of the month with usage; today where there is none. */
  readonly since: string;
  /** The last day that counts. */
  readonly until: string;
  readonly daysSeen: number;
  readonly daysLeft: number;
  readonly #more = new Map<string, More>();

  /** `rows`: all usage of the month that now is, whatever a table is asked about. */
  constructor(rows: readonly UsageRow[], world: CostWorld) {
    this.today = dayOf(world.nowMs, world.prices.timezone);
    this.month = this.today.slice(0, 7);
    const ofMonth = rows.filter(({ day }) => day.startsWith(this.month));
    this.since = ofMonth.reduce((first, { day }) => (day < first ? day : first), this.today);
    const isBegun = this.since === this.today || ofMonth.some(({ day }) => day === this.today);
    const last = Number(this.today.slice(8)) - (isBegun ? 0 : 1);
    this.until = `${this.month}-${String(last).padStart(2, '0')}`;
    this.daysSeen = Math.max(1, last - Number(this.since.slice(8)) + 1);
    this.daysLeft = countDays(this.month) - last;
    for (const { of, observed, estimated } of groupCost(ofMonth.map(factOf), ['account', 'sku'])) {
      const [account = '', sku = ''] = [of.account, of.sku];
      const units = observed + estimated;
      const moreUnits = Math.max(0, Math.round((units * this.daysLeft) / this.daysSeen));
      const { amount, isComplete } = chargeMore(world, account, sku, moreUnits);
      this.#more.set(JSON.stringify([account, sku]), { units, moreUnits, moreCharge: amount, isComplete });
    }
  }

  /** What a fact is expected to come to; undefined for one of another month. */
  project(fact: CostFact): Projected | undefined {
    if (fact.of.month !== this.month) return undefined;
    const { account, sku } = fact.of;
    const units = fact.observed + fact.estimated;
    const more = this.#more.get(JSON.stringify([account, sku]));
    if (!more || more.units <= 0) return { units, charge: fact.charge, isComplete: fact.isComplete };
    return {
      units: units + Math.round((more.moreUnits * units) / more.units),
      charge: fact.charge + (more.moreCharge * BigInt(units)) / BigInt(more.units),
      isComplete: fact.isComplete && more.isComplete,
    };
  }
}

function chargeMore(
  { prices, billing, positions, nowMs }: CostWorld,
  account: string,
  sku: string,
  units: number,
) {
  const position = positions.find((one) => one.account === account && one.sku === sku)?.position;
  const facts = billing.get(account)?.[sku];
  return chargeUnits(priceOf(prices, sku), facts, position ?? startPosition, units, nowMs);
}

/** Days of a month `YYYY-MM`. */
function countDays(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 0)).getUTCDate();
}

/** Where an account stands with a SKU in a month. */
export interface AccountStand {
  readonly account: string;
  readonly sku: string;
  readonly unit: string;
  /** Units that advanced the tiers: this ledger's, and those used elsewhere (`billing:`). */
  readonly tierUnits: number;
  readonly elsewhere: number;
  readonly freeLeft: number;
  /** Price of the next unit by the tiers, for `per` units; absent where it is unknown. */
  readonly price?:
    | { readonly amount: Nano; readonly per: number; readonly upTo?: number | undefined }
    | undefined;
  readonly packs: readonly PackStand[];
}

/** One for each account and SKU that was used or has packs. */
export function describeStands(world: CostWorld, month: string): readonly AccountStand[] {
  const { prices, billing, positions } = world;
  const names = new Map(
    positions.map(({ account, sku }) => [JSON.stringify([account, sku]), [account, sku] as const]),
  );
  for (const [account, facts] of billing) {
    for (const [sku, { packs }] of Object.entries(facts)) {
      if (packs.length > 0) names.set(JSON.stringify([account, sku]), [account, sku]);
    }
  }
  const stands = [...names.values()].map(([account, sku]): AccountStand => {
    const price = priceOf(prices, sku);
    const facts = billing.get(account)?.[sku];
    const position =
      positions.find((one) => one.account === account && one.sku === sku)?.position ?? startPosition;
    const elsewhere = facts?.usedThisMonth[month] ?? 0;
    const tierUnits = elsewhere + (position.months[month]?.tier ?? 0);
    const billed = countBilled(price, tierUnits);
    const tier = price.tiers?.find(({ upTo }) => upTo === undefined || upTo > billed);
    const freeUsed = price.free?.per === 'month' ? (position.months[month]?.free ?? 0) : position.freeOnce;
    const today = dayOf(world.nowMs, prices.timezone);
    return {
      account,
      sku,
      unit: price.unit,
      tierUnits,
      elsewhere,
      freeLeft: Math.max(0, (price.free?.units ?? 0) - (facts?.freeUsed ?? 0) - freeUsed),
      ...(tier && { price: { amount: tier.price, per: price.per, upTo: tier.upTo } }),
      packs: describePacks(facts, position, today),
    };
  });
  const nameOf = ({ account, sku }: AccountStand) => `${account}\n${sku}`;
  return stands.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}
