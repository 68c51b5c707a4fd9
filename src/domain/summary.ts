/** What a run came to: the content of `summary.json`, and the causes of its failures. */
import type { BookingRule } from './booking.ts';
import type { Accounts } from './accounting.ts';
import type { CanaryState } from './canary.ts';
import type { ExitCode } from './problem.ts';
import type { CapStand } from './caps.ts';
import { formatNano } from './money.ts';
import type { RunChange } from './change.ts';
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
  readonly exitCode: ExitCode | null;
  readonly why: string | null;
  /** By account: what its failed calls are booked as. */
  readonly booking?: Readonly<Record<string, BookingRule>> | undefined;
  /** What tasks that failed were booked with, within units and charge; absent where none was billed. */
  readonly billedFailures?:
    | { readonly tasks: number; readonly units: Units; readonly charge: string }
    | undefined;
  /** What tasks would have used that a `when` spared, as estimated; absent where none was. */
  readonly saved?: SummarySaving | undefined;
  /** Absent where nothing is capped. */
  readonly caps?: readonly SummaryCap[] | undefined;
  /** Units by SKU that answers proved beyond what their calls had reserved; absent where there are none. */
  readonly overrun?: Units | undefined;
  /** What the run's canary said. Absent where it began without one. */
  readonly canary?:
    | {
        readonly state: CanaryState;
        readonly items: number;
        /** Tasks that came to an end by a call, and how many of them failed. */
        readonly ended?: number | undefined;
        readonly failed?: number | undefined;
        /** Decimal string; free quota and packs left aside. */
        readonly chargePerItem?: string | undefined;
        readonly reasons?: readonly string[] | undefined;
      }
    | undefined;
  /** The plan that the run was held to. */
  readonly plan?: { readonly sha256: string; readonly tolerance: number } | undefined;
  /** Since the run before it of the same pipeline; absent where there is none to compare with. */
  readonly change?: RunChange | undefined;
}

export interface SummarySaving {
  readonly tasks: number;
  readonly units: Units;
  /** At the position that the accounts have come to; a lower bound unless complete. */
  readonly charge: string;
  readonly complete: boolean;
}

/** A cap, and how far it had come. Money as decimal strings, units as whole numbers. */
export interface SummaryCap {
  /** Its key, such as `caps.run`. */
  readonly cap: string;
  /** Present where units are capped. */
  readonly sku?: string | undefined;
  /** Calls that may have been billed count as spent. */
  readonly spent: string | number;
  readonly reserved: string | number;
  readonly limit: string | number;
}

export function summariseCap({ name, sku, spent, reserved, limit }: CapStand): SummaryCap {
  const show = (amount: bigint) => (sku === undefined ? formatNano(amount) : Number(amount));
  return {
    cap: name,
    ...(sku !== undefined && { sku }),
    spent: show(spent),
    reserved: show(reserved),
    limit: show(limit),
  };
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
