/** Billing units: what a price hangs on, how many, and how well they are known. */

/** Units by SKU, whole numbers. */
export type Units = Readonly<Record<string, number>>;

/**
 * `observed`: known before or proved by the answer. `estimated`: computed from a duration or an assumption.
 * `uncertain`: calls whose fate is unknown; outside the charge, inside caps.
 */
export type Basis = 'observed' | 'estimated' | 'uncertain';

/** What one task is expected to use, or has used. */
export interface Usage {
  readonly units: Units;
  readonly basis: Exclude<Basis, 'uncertain'>;
  /** SKUs whose units the answer proved, where those of the others stay an estimate. */
  readonly proved?: readonly string[] | undefined;
  /** Assumptions that stand in for what could not be read, in words; named on the estimate and the bill. */
  readonly assumptions?: readonly string[] | undefined;
}

/** What stands in for facts that cannot be read: `assume:` of an account. */
export interface Assumptions {
  readonly durationSeconds?: number | undefined;
  readonly keyFrameGapSeconds?: number | undefined;
}

export interface Sku {
  readonly name: string;
  readonly unit: string;
  readonly about: string;
}

/** How well the units of one SKU are known. */
export function basisOf({ basis, proved }: Usage, sku: string): Usage['basis'] {
  return proved?.includes(sku) === true ? 'observed' : basis;
}

/**
 * Settles an estimate with what the answer proves, SKU by SKU (DESIGN of billing: observed replaces estimated only
 * upwards, since frames without a finding may be missing from an answer, unless the account says that they are returned).
 */
export function settleUsage(
  estimated: Usage,
  observed: Units | undefined,
  returnsEmptyFrames: boolean,
): Usage {
  if (!observed || estimated.basis === 'observed') return estimated;
  const units: Record<string, number> = { ...estimated.units };
  const proved = Object.keys(observed).filter(
    (sku) => returnsEmptyFrames || (observed[sku] ?? 0) > (units[sku] ?? 0),
  );
  if (proved.length === 0) return estimated;
  for (const sku of proved) units[sku] = observed[sku] ?? 0;
  const { assumptions } = estimated;
  const isWhole = Object.keys(units).every((sku) => proved.includes(sku));
  return isWhole
    ? { units, basis: 'observed' }
    : { units, basis: 'estimated', proved, ...(assumptions && { assumptions }) };
}
