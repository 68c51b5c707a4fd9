/** What units cost: price books, this month's position, and the charge of more units. Exact, in integers. */

/** Money in billionths of its currency. Sums never leave integers. */
export type Nano = bigint;

export interface Tier {
  /** Last unit of the month that this tier prices; absent for the last tier. */
  readonly upTo?: number | undefined;
  /** Price of `per` units. */
  readonly price: Nano;
}

export interface SkuPrice {
  readonly sku: string;
  readonly unit: string;
  /** How many units a price is for. */
  readonly per: number;
  /** Graduated over the calendar month; absent where the price is unknown. */
  readonly tiers?: readonly Tier[] | undefined;
  readonly free?: { readonly units: number; readonly per: 'once' | 'month' } | undefined;
  /** What the tiers charge of a month is counted in whole multiples of so many units; 1 where absent. */
  readonly increment?: number | undefined;
  readonly currency: string;
  /** IANA zone in which the vendor's month begins and ends. */
  readonly timezone: string;
  readonly source?: string | undefined;
  readonly readOn?: string | undefined;
}

export interface PriceBook {
  readonly currency: string;
  readonly timezone: string;
  readonly skus: ReadonlyMap<string, SkuPrice>;
}

/**
 * The price of a SKU. One that the book does not name has no tiers, and its months are the book's like everyone's.
 */
export function priceOf({ skus, currency, timezone }: PriceBook, sku: string): SkuPrice {
  return skus.get(sku) ?? { sku, unit: '', per: 1, currency, timezone };
}

export interface Pack {
  readonly units: number;
  /** Last day on which it serves, `YYYY-MM-DD` in the price book's zone. */
  readonly expires: string;
  readonly cost: Nano;
}

/** What the ledger cannot know of an account's SKU: `billing:` of the account. */
export interface BillingFacts {
  readonly freeUsed: number;
  /** Units already used outside this ledger, by month `YYYY-MM`. */
  readonly usedThisMonth: Readonly<Record<string, number>>;
  readonly packs: readonly Pack[];
}

/** How far an account has come with one SKU; plain data that the ledger keeps. */
export interface Position {
  /** Units of the free-once quota that this ledger has used. */
  readonly freeOnce: number;
  /** By pack, in the order of `BillingFacts.packs` sorted by expiry: `expires#units` to units used. */
  readonly packs: Readonly<Record<string, number>>;
  /** By month: units that advanced the tiers, and monthly free units used. */
  readonly months: Readonly<Record<string, { readonly tier: number; readonly free: number }>>;
}

export const startPosition: Position = { freeOnce: 0, packs: {}, months: {} };

export interface Charge {
  readonly amount: Nano;
  readonly freeUnits: number;
  readonly packUnits: number;
  /** False where the SKU has no price: the units stand in the report, the total is incomplete. */
  readonly isComplete: boolean;
  readonly position: Position;
}

const days = new Map<string, Intl.DateTimeFormat>();

/** The day last told of each zone, and the quarter of an hour that it was told for. */
const lastDays = new Map<string, { readonly quarter: number; readonly day: string }>();
const quarterMs = 900_000;
/** From this year on every zone is whole quarters of an hour away from UTC, so that no day ends within one. */
const quartersSinceMs = Date.UTC(1980, 0);

/** The calendar day `YYYY-MM-DD` of an instant in an IANA zone; an unknown zone throws a `RangeError`. */
export function dayOf(atMs: number, timezone: string): string {
  const quarter = Math.floor(atMs / quarterMs);
  const last = lastDays.get(timezone);
  if (last?.quarter === quarter) return last.day;
  const day = tellDay(atMs, timezone);
  if (atMs >= quartersSinceMs) lastDays.set(timezone, { quarter, day });
  return day;
}

function tellDay(atMs: number, timezone: string): string {
  let format = days.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      calendar: 'iso8601',
      numberingSystem: 'latn',
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    days.set(timezone, format);
  }
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(atMs)) parts[type] = value;
  return `${parts['year']}-${parts['month']}-${parts['day']}`;
}

/** The month `YYYY-MM` to which units sent at that instant belong. */
export function monthOf(atMs: number, timezone: string): string {
  return dayOf(atMs, timezone).slice(0, 7);
}

/** Units of a month as the tiers charge them: a billing increment that was begun counts whole. */
export function countBilled({ increment = 1 }: SkuPrice, units: number): number {
  return Math.ceil(units / increment) * increment;
}

/**
 * What the first `units` of a month cost, free and pack units left out: the sum over the tiers of what is billed of them,
 * rounded down once. Units past a bounded last tier, and all units where there are no tiers, add nothing.
 */
export function graduatedSum(price: SkuPrice, units: number): Nano {
  const billed = countBilled(price, units);
  let sum = 0n;
  let from = 0;
  for (const tier of price.tiers ?? []) {
    const to = Math.min(billed, tier.upTo ?? Number.POSITIVE_INFINITY);
    if (to > from) {
      sum += BigInt(to - from) * tier.price;
      from = to;
    }
  }
  return sum / BigInt(price.per);
}

/**
 * What `units` more cost an account that has come to `position`: free quota first, then packs by earliest expiry, then
 * tiers from the month's position. Each part is the rise of a rounded running sum, so that however a volume is split,
 * its charges add up to the same. A pack's unit costs its share of the pack's cost. Units without a price cost 0 and
 * make the charge incomplete; they advance the position all the same. Without a price book the month is UTC's.
 */
export function chargeUnits(
  price: SkuPrice | undefined,
  facts: BillingFacts | undefined,
  position: Position,
  units: number,
  atMs: number,
): Charge {
  const day = dayOf(atMs, price?.timezone ?? 'UTC');
  const month = day.slice(0, 7);
  const before = position.months[month] ?? { tier: 0, free: 0 };

  const freeUnits = Math.min(units, countFreeLeft(price, facts, position, month));
  const packs = chargePacks(facts, position, units - freeUnits, day);
  const tierUnits = units - freeUnits - packs.units;

  const from = (facts?.usedThisMonth[month] ?? 0) + before.tier;
  const to = from + tierUnits;
  const tierAmount = price ? graduatedSum(price, to) - graduatedSum(price, from) : 0n;

  const isMonthly = price?.free?.per === 'month';
  return {
    amount: packs.amount + tierAmount,
    freeUnits,
    packUnits: packs.units,
    isComplete: tierUnits === 0 || (price !== undefined && countBilled(price, to) <= countPriced(price)),
    position: {
      freeOnce: position.freeOnce + (isMonthly ? 0 : freeUnits),
      packs: packs.used,
      months: {
        ...position.months,
        [month]: { tier: before.tier + tierUnits, free: before.free + (isMonthly ? freeUnits : 0) },
      },
    },
  };
}

/** An amount that is a lower bound where it is not complete. */
export interface Quote {
  readonly charge: Nano;
  readonly isComplete: boolean;
}

/** `undefined` where nothing of it could be priced: a charge of nothing without a price is unknown, not zero. */
export function knownCharge({ charge, isComplete }: Quote): Nano | undefined {
  return !isComplete && charge === 0n ? undefined : charge;
}

/**
 * What a call of `units` reserves before it leaves, never less than it can be charged whichever calls are recorded
 * first: every unit, free and pack units too, at the dearest unit price at or after the position spent. Any call may be
 * the one that begins a billing increment, so that each reserves the rest of one. `undefined` where a unit may have no
 * price.
 */
export function reserveAmount(
  price: SkuPrice | undefined,
  facts: BillingFacts | undefined,
  position: Position,
  units: number,
  atMs: number,
): Nano | undefined {
  if (!price) return undefined;
  const day = dayOf(atMs, price.timezone);
  const month = day.slice(0, 7);
  const spent = (facts?.usedThisMonth[month] ?? 0) + (position.months[month]?.tier ?? 0);
  if (units === 0) return 0n;
  if (countBilled(price, spent + units) > countPriced(price)) return undefined;
  const most = units + (price.increment ?? 1) - 1;
  return BigInt(most) * dearestUnitPrice(price, facts, position, spent, day);
}

/** Rounded up for each unit, since a single charge may be rounded up. */
function dearestUnitPrice(
  price: SkuPrice,
  facts: BillingFacts | undefined,
  position: Position,
  spent: number,
  day: string,
): Nano {
  let dearest = 0n;
  for (const tier of price.tiers ?? []) {
    if (tier.upTo !== undefined && tier.upTo <= spent) continue;
    dearest = max(dearest, divideUp(tier.price, BigInt(price.per)));
  }
  for (const { pack, used } of listPacks(facts, position, day)) {
    if (used < pack.units) dearest = max(dearest, divideUp(pack.cost, BigInt(pack.units)));
  }
  return dearest;
}

/** Last unit of a month that has a price. */
function countPriced({ tiers }: SkuPrice): number {
  const last = tiers?.at(-1);
  return last ? (last.upTo ?? Number.POSITIVE_INFINITY) : 0;
}

/** `freeUsed` of a monthly quota is what others use of every month's. */
function countFreeLeft(
  price: SkuPrice | undefined,
  facts: BillingFacts | undefined,
  position: Position,
  month: string,
): number {
  const free = price?.free;
  if (!free) return 0;
  const used = free.per === 'once' ? position.freeOnce : (position.months[month]?.free ?? 0);
  return Math.max(0, free.units - (facts?.freeUsed ?? 0) - used);
}

function chargePacks(
  facts: BillingFacts | undefined,
  position: Position,
  units: number,
  day: string,
): { readonly units: number; readonly amount: Nano; readonly used: Position['packs'] } {
  let left = units;
  let amount = 0n;
  const used: Record<string, number> = { ...position.packs };
  for (const { pack, key, used: before } of listPacks(facts, position, day)) {
    const taken = Math.min(left, pack.units - before);
    if (taken <= 0) continue;
    amount += shareOfPack(pack, before + taken) - shareOfPack(pack, before);
    used[key] = (used[key] ?? 0) + taken;
    left -= taken;
  }
  return { units: units - left, amount, used };
}

/** What the first `units` of a pack cost. */
function shareOfPack(pack: Pack, units: number): Nano {
  return (pack.cost * BigInt(units)) / BigInt(pack.units);
}

/**
 * Packs that still serve on that day, in the order in which they are used, with the units used of each. Packs of one
 * day and size share a key of the position; it fills them one after the other.
 */
function listPacks(
  facts: BillingFacts | undefined,
  position: Position,
  day: string,
): readonly { readonly pack: Pack; readonly key: string; readonly used: number }[] {
  const counted = new Map<string, number>();
  return (facts?.packs ?? [])
    .filter((pack) => pack.expires >= day)
    .toSorted(comparePacks)
    .map((pack) => {
      const key = `${pack.expires}#${pack.units}`;
      const used = Math.min(pack.units, (position.packs[key] ?? 0) - (counted.get(key) ?? 0));
      counted.set(key, (counted.get(key) ?? 0) + used);
      return { pack, key, used };
    });
}

/** How far a pack was used. */
export interface PackStand extends Pack {
  readonly used: number;
  readonly left: number;
  /** What was paid for units that are left: sunk, whether or not they will be used. */
  readonly sunk: Nano;
  /** Its last day is over, so that what is left is lost. */
  readonly isExpired: boolean;
}

/** All packs of an account's SKU in the order in which they are used, on that day `YYYY-MM-DD` of the price book's zone. */
export function describePacks(
  facts: BillingFacts | undefined,
  position: Position,
  day: string,
): readonly PackStand[] {
  return listPacks(facts, position, '').map(({ pack, used }) => ({
    ...pack,
    used,
    left: pack.units - used,
    sunk: pack.cost - shareOfPack(pack, used),
    isExpired: pack.expires < day,
  }));
}

function comparePacks(a: Pack, b: Pack): number {
  if (a.expires !== b.expires) return a.expires < b.expires ? -1 : 1;
  if (a.units !== b.units) return a.units - b.units;
  return a.cost < b.cost ? -1 : a.cost > b.cost ? 1 : 0;
}

function max(a: Nano, b: Nano): Nano {
  return a > b ? a : b;
}

function divideUp(amount: Nano, by: bigint): Nano {
  return (amount + by - 1n) / by;
}
