/** Billing units: what a price hangs on, how many, and how well they are known. */

/** Units by SKU, whole numbers. */
export type Units = Readonly<Record<string, number>>;

/**
 * `observed`: known before or proved by the answer. `estimated`: computed from a duration or an assumption.
 * `uncertain`: calls whose fate is unknown; outside the charge, inside caps.
 */
export type Basis = 'observed' | 'estimated' | 'uncertain';

/** What one task is expected to use. */
export interface Usage {
  readonly units: Units;
  readonly basis: Exclude<Basis, 'uncertain'>;
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

/**
 * Settles an estimate with what the answer proves (DESIGN of billing: observed replaces estimated only upwards,
 * since frames without a finding may be missing from an answer, unless the account says that they are returned).
 */
export function settleUsage(
  estimated: Usage,
  observed: Units | undefined,
  returnsEmptyFrames: boolean,
): Usage {
  if (!observed || estimated.basis === 'observed') return estimated;
  if (returnsEmptyFrames) return { units: { ...estimated.units, ...observed }, basis: 'observed' };
  let isRaised = false;
  const units: Record<string, number> = { ...estimated.units };
  for (const [sku, count] of Object.entries(observed)) {
    if (count > (units[sku] ?? 0)) {
      units[sku] = count;
      isRaised = true;
    }
  }
  return isRaised ? { units, basis: 'observed' } : estimated;
}
