/** What a run came to: the content of `summary.json`, and the causes of its failures. */
import type { Accounts } from './accounting.ts';
import type { Verdict } from './policy.ts';
import type { Units } from './usage.ts';

export type VerdictCounts = Readonly<Record<Verdict, number>>;

export interface Summary {
  readonly run: string;
  readonly pipeline: string;
  readonly configHash: string;
  readonly listing: 'complete' | 'partial';
  /** Items x services = notApplicable + answered + reused + skipped + failed + held + overCap + open. */
  readonly counts: Accounts & { readonly unselected: number; readonly broken: number };
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly units: Units;
  /** Decimal string. */
  readonly charge: string;
  readonly currency: string;
  /** Every unit has a price, and no task is open that may still be charged. */
  readonly complete: boolean;
  readonly verdicts: VerdictCounts;
  readonly exitCode: number | null;
  readonly why: string | null;
}

/** Failed or held tasks of one cause. */
export interface Cause {
  readonly service: string;
  readonly status: 'failed' | 'held';
  /** Our own word for it. */
  readonly class: string;
  /** The vendor's code, else ours. */
  readonly code: string;
  readonly httpStatus?: number | undefined;
  readonly count: number;
  /** The first few, with the vendor's words for each. */
  readonly examples: readonly { readonly item: string; readonly message: string }[];
}
