/** A priced plan: what an estimate found, written down so that a run can be held to it. Plain data without secrets. */
import type { LibraryDigest } from './estimate.ts';
import type { Units } from './usage.ts';

/** What a plan file holds beside its own hash. Money is in decimal strings, null where nothing of it has a price. */
export interface Plan {
  readonly pipeline: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** `--limit` of the estimate. */
  readonly limit?: number | undefined;
  /** Hashes of the parts of the configuration that decide what is asked of whom. */
  readonly config: Readonly<Record<string, string>>;
  readonly items: LibraryDigest;
  readonly calls: number;
  readonly skus: readonly PlannedSku[];
  readonly total: { readonly charge: string | null; readonly currency: string; readonly complete: boolean };
  readonly assumptions: readonly { readonly text: string; readonly tasks: number }[];
  readonly durationSeconds: number;
}

export interface PlannedSku {
  readonly account: string;
  readonly sku: string;
  readonly units: number;
  readonly basis: string;
  readonly monthSoFar: number;
  readonly charge: string | null;
  readonly complete: boolean;
  /** As the price book had it, in one line. */
  readonly price: string;
}

/** The plan that a run is held to, as the ledger keeps it. */
export interface RunPlan {
  readonly sha256: string;
  /** Units by SKU, those of which none was planned too. */
  readonly units: Units;
  /** Share by which they may be passed. */
  readonly tolerance: number;
  /** Hash of the prices that it was reckoned with. */
  readonly prices: string;
  /** Units that the run had used before it was held to the plan. */
  readonly base?: Units | undefined;
}

/** How many units of each SKU a run may use under its plan, all its sessions together. */
export function limitUnits({ units, tolerance, base = {} }: RunPlan): Units {
  // A millionth of a unit forgives what floating point adds to 100 x 1.02.
  const limits = Object.entries(units).map(
    ([sku, count]) => [sku, (base[sku] ?? 0) + Math.floor(count * (1 + tolerance) + 1e-6)] as const,
  );
  return Object.fromEntries(limits);
}
