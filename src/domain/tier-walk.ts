/** Where the units of a charge fall: free quota, packs by earliest expiry, tiers from the month's position. Pure. */
import {
  type BillingFacts,
  type Charge,
  chargeUnits,
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

export interface TierWalk {
  readonly steps: readonly WalkStep[];
  /** The sum of the steps' charges. */
  readonly charge: Charge;
  /** Units of the month that had advanced the tiers before. */
  readonly monthSoFar: number;
  /** Units for which there is no price. */
  readonly unpriced: number;
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
  let at = monthSoFar;
  for (const { upTo, price: tierPrice } of price.tiers ?? []) {
    const to = Math.min(end, upTo ?? Number.POSITIVE_INFINITY);
    if (to <= at) continue;
    const rise = graduatedSum(price, to) - graduatedSum(price, at);
    steps.push({ from: 'tier', units: to - at, charge: rise, price: tierPrice, per: price.per, upTo });
    at = to;
  }
  return { steps, charge, monthSoFar, unpriced: end - at };
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
