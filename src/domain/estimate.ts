/** What a run is expected to do and cost, before it does anything. */
import type { CapStand } from './caps.ts';
import type { BrokenRow } from './item.ts';
import type { Nano } from './pricing.ts';
import type { WalkStep } from './tier-walk.ts';

/**
 * How well units are known. `observed`: known before the call; `estimated`: computed from a length that was read;
 * `assumed`: computed from an assumption; `sampled`: scaled up from a sample.
 */
export const estimateBases = ['observed', 'estimated', 'sampled', 'assumed'] as const;
export type EstimateBasis = (typeof estimateBases)[number];

/** Where a value lies with 95 % confidence, as far as the sample tells. */
export interface Spread<Value> {
  readonly low: Value;
  readonly high: Value;
}

/** Units of one SKU on one account, and their way through free quota, packs and tiers. */
export interface EstimatedSku {
  readonly account: string;
  readonly sku: string;
  readonly unit: string;
  readonly units: number;
  readonly unitsByBasis: Readonly<Record<EstimateBasis, number>>;
  /** The worst of what the units rest on. */
  readonly basis: EstimateBasis;
  readonly monthSoFar: number;
  readonly walk: readonly WalkStep[];
  readonly unpriced: number;
  /** Where the tiers charge whole multiples of so many units, and what they charge for these units then. */
  readonly increment?: number | undefined;
  readonly billed?: number | undefined;
  readonly charge: Nano;
  readonly isComplete: boolean;
  readonly spread?: Spread<{ readonly units: number; readonly charge: Nano }> | undefined;
}

/** Tasks by what a run would do with them; all but `calls` cost nothing. */
export interface TaskForecast {
  readonly calls: number;
  /** Answered before. */
  readonly reused: number;
  /** Of the same content as another task of this library, whose answer they take. */
  readonly joined: number;
  /** At the vendor at this moment, for an earlier session or another run. */
  readonly waiting: number;
  /** Remembered as failed. */
  readonly failed: number;
  readonly held: number;
  readonly skipped: number;
}

/** Tasks that are not sent, by service and why. */
export interface Unsent {
  readonly service: string;
  readonly state: 'skipped' | 'failed' | 'held';
  readonly reason: string;
  readonly tasks: number;
  /** One of the items. */
  readonly example: string;
}

/** Media outside what a service takes, by service and why. */
export type Misfit = Omit<Unsent, 'state'>;

export interface Assumed {
  readonly text: string;
  readonly tasks: number;
  /** Items of the first few tasks, with why nothing could be read. */
  readonly examples: readonly { readonly item: string; readonly why?: string | undefined }[];
}

/** What vendors, or we for `access: inline`, fetch from a storage. */
export interface Fetched {
  /** Empty for links of rows that name no storage. */
  readonly storage: string;
  readonly bytes: number;
  /** Fetches of media whose size nobody knows. */
  readonly unsized: number;
  /** Of the bytes, those of files that a sample passed over: as many each as those that it looked at. */
  readonly scaledBytes?: number | undefined;
  /** Absent where the storage sets no `egress`. */
  readonly charge?: Nano | undefined;
}

/** What keeps one account from being faster. */
export interface AccountForecast {
  readonly account: string;
  readonly calls: number;
  /** Requests that submit, and requests that read jobs. */
  readonly requests: number;
  readonly polls: number;
  readonly seconds: number;
  readonly bound: {
    readonly limit: 'perSecond' | 'concurrency' | 'maxOpenJobs';
    readonly value: number;
    /** Present where the limit is of one service alone. */
    readonly service?: string | undefined;
  };
}

export interface DurationForecast {
  readonly seconds: number;
  /** The slowest first. */
  readonly accounts: readonly AccountForecast[];
  /** What had to be assumed, or was taken from earlier runs, in words. */
  readonly assumptions: readonly string[];
}

export interface CapForecast extends CapStand {
  /** What the run is expected to use of it, in the measure of its limit. */
  readonly expected: bigint;
  readonly isHit: boolean;
}

export interface Sample {
  readonly share: number;
  /** Files whose header was read, of those whose price hangs on one that was not known. */
  readonly read: number;
  /** Those of the sample whose header could not be read; an assumption stands in for each, and scales up like the rest. */
  readonly unreadable: number;
  readonly of: number;
}

export interface Estimate {
  readonly pipeline: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Of the price book's zone: every call counts in it. */
  readonly month: string;
  readonly items: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly unselected: number;
  readonly broken: number;
  /** The first few of them. */
  readonly brokenRows: readonly BrokenRow[];
  readonly services: number;
  readonly notApplicable: number;
  readonly tasks: TaskForecast;
  readonly unsent: readonly Unsent[];
  /** Tasks that are asked although their media is outside the service's limits (`select.fit: warn`). */
  readonly misfits: readonly Misfit[];
  readonly skus: readonly EstimatedSku[];
  readonly total: {
    readonly charge: Nano;
    readonly currency: string;
    readonly isComplete: boolean;
    readonly spread?: Spread<Nano> | undefined;
  };
  readonly assumptions: readonly Assumed[];
  readonly fetched: readonly Fetched[];
  readonly duration: DurationForecast;
  readonly caps: readonly CapForecast[];
  readonly sample?: Sample | undefined;
  /** The unfinished run that would be gone on with. */
  readonly resumes?: string | undefined;
  /** Of the items' contents, whatever their order. */
  readonly digest: LibraryDigest;
}

/** What tells one library from another without holding it. */
export interface LibraryDigest {
  readonly items: number;
  /** Sum of the hashes of all contents, in hex. */
  readonly sum: string;
  /** The smallest of these hashes, ascending: what two libraries have of them in common tells how alike they are. */
  readonly least: readonly string[];
}
