/** Where the units of a charge fall: free quota, packs by earliest expiry, tiers from the month's position. Pure. */
import {
  type BillingFacts,
  type Charge,
  chargeUnits,
  countBilled,
  graduatedSum,
  monthOf,
  type Nano,
  type Position,
  type SkuPrice,
} from './pricing.ts';

/** Units that are charged alike. */
export type WalkStep =
  | { readonly from: 'free'; readonly units: number; readonly charge: Nano }
  | {
      readonly from: 'pack';
      readonly units: number;
      readonly charge: Nano;
      /** Last day on which the pack serves, and its size. */
      readonly expires: string;
      readonly packUnits: number;
    }
  | {
      readonly from: 'tier';
      readonly units: number;
      readonly charge: Nano;
      /** Of `per` units. */
      readonly price: Nano;
      readonly per: number;
      /** Last unit of the month at this price; absent for the last tier. */
      readonly upTo?: number | undefined;
    };

export type TierStep = Extract<WalkStep, { readonly from: 'tier' }>;

export interface TierWalk {
  readonly steps: readonly WalkStep[];
  /** The sum of the steps' charges. */
  readonly charge: Charge;
  /** Units of the month that had advanced the tiers before. */
  readonly monthSoFar: number;
  /** Units for which there is no price. */
  readonly unpriced: number;
  /** Where the tiers charge whole increments, and those are not what they take: how many they charge. */
  readonly billed?: number | undefined;
}

/** `chargeUnits`, with the way that it takes. */
export function walkTiers(
  price: SkuPrice,
  facts: BillingFacts | undefined,
  position: Position,
  units: number,
  atMs: number,
): TierWalk {
  const chargeOf = (count: number) => chargeUnits(price, facts, position, count, atMs);
  const charge = chargeOf(units);
  const month = monthOf(atMs, price.timezone);
  const monthSoFar = (facts?.usedThisMonth[month] ?? 0) + (position.months[month]?.tier ?? 0);
  const free = charge.freeUnits;
  const steps: WalkStep[] = free > 0 ? [{ from: 'free', units: free, charge: 0n }] : [];
  let walked = free;
  let walkedCharge = 0n;
  for (const pack of listUsedPacks(facts, position, charge)) {
    walked += pack.units;
    const { amount } = chargeOf(walked);
    steps.push({ from: 'pack', ...pack, charge: amount - walkedCharge });
    walkedCharge = amount;
  }
  const end = monthSoFar + units - walked;
  const tiers = walkMonth(price, monthSoFar, end);
  const priced = tiers.reduce((sum, step) => sum + step.units, 0);
  const unpriced = end - monthSoFar - priced;
  const billed = countBilled(price, end) - countBilled(price, monthSoFar);
  const isRounded = unpriced === 0 && billed !== priced;
  return { steps: [...steps, ...tiers], charge, monthSoFar, unpriced, ...(isRounded && { billed }) };
}

/** The tiers that a month's units fall into, from the one after `from` to the one numbered `to`. */
export function walkMonth(price: SkuPrice, from: number, to: number): readonly TierStep[] {
  const steps: TierStep[] = [];
  let at = from;
  for (const { upTo, price: tierPrice } of price.tiers ?? []) {
    const end = Math.min(to, upTo ?? Number.POSITIVE_INFINITY);
    if (end <= at) continue;
    const charge = graduatedSum(price, end) - graduatedSum(price, at);
    steps.push({ from: 'tier', units: end - at, charge, price: tierPrice, per: price.per, upTo });
    at = end;
  }
  return steps;
}

/** Packs that the charge takes units of, in the order in which they are used; those of one day and size together. */
function listUsedPacks(facts: BillingFacts | undefined, position: Position, { position: after }: Charge) {
  const kinds = new Map((facts?.packs ?? []).map((pack) => [`${pack.expires}#${pack.units}`, pack]));
  return [...kinds]
    .map(([key, { expires, units: packUnits }]) => ({
      expires,
      packUnits,
      units: (after.packs[key] ?? 0) - (position.packs[key] ?? 0),
    }))
    .filter(({ units }) => units > 0)
    .sort((one, other) =>
      one.expires === other.expires ? one.packUnits - other.packUnits : one.expires < other.expires ? -1 : 1,
    );
}
