/** What a caller hands in to have the reports of a run written, and what it gets back. */
import type { BookingRule } from '../domain/booking.ts';
import type { AccountStand } from '../domain/cost.ts';
import type { BillRow, Ledger, RunRecord, TaskCount } from '../domain/ledger.ts';
import type { ReportFolder } from '../domain/output.ts';
import type { Policy } from '../domain/policy.ts';
import type { PriceBook, Quote } from '../domain/pricing.ts';
import type { ServiceColumns } from '../domain/service.ts';
import type { Limits, ReportSettings } from '../domain/settings.ts';
import type { Cause, Summary } from '../domain/summary.ts';
import type { Units } from '../domain/usage.ts';
import type { ReportTally } from './summary.ts';

/** One service of the pipeline, as far as reports know it. */
export interface ReportService {
  /** Name in the pipeline: `as`, else `use`. */
  readonly name: string;
  /** Name in the catalogue. */
  readonly use: string;
  readonly vendor: string;
  readonly account: string;
  readonly columns: ServiceColumns;
  readonly delivery?: string | undefined;
  /** Its own within its account's. */
  readonly limits?: Partial<Limits> | undefined;
}

/** What an account used of each SKU in a calendar month of the price book's zone, by all runs on the ledger. */
export interface MonthStands {
  /** `YYYY-MM` */
  readonly month: string;
  readonly stands: readonly AccountStand[];
}

export interface ReportRequest {
  readonly run: RunRecord;
  /** In the pipeline's order. */
  readonly services: readonly ReportService[];
  readonly policy: Policy;
  readonly reports: ReportSettings;
  /** Present where access is public: the page then offers to load media from that origin, on a click. */
  readonly publicBaseUrl?: string | undefined;
  readonly prices: PriceBook;
  /** By account: what its failed calls are booked as, for the bill to say. */
  readonly bookings?: Readonly<Record<string, BookingRule>> | undefined;
  /** What so many more units of these SKUs would cost the account, where it has come to; of what is saved. */
  readonly quote?: ((account: string, units: Units) => Promise<Quote>) | undefined;
  /** Where the accounts stand with their tiers and packs, month by month of the run; absent where nobody asks. */
  readonly readMonths?: (() => Promise<readonly MonthStands[]>) | undefined;
  readonly ledger: Pick<
    Ledger,
    'readItems' | 'readNamed' | 'countTasks' | 'readBill' | 'readBroken' | 'readSpending'
  >;
  readonly folder: ReportFolder;
  /**
   * Ends the run with what was found, before summary and page are written: exit code and words depend on the verdicts.
   * Absent where the record is final, or the run still goes on.
   */
  readonly conclude?: ((tally: ReportTally) => Promise<RunRecord>) | undefined;
  /** The run before this one, and the policy that its items are judged by: what changed since then is told. */
  readonly previous?: { readonly run: RunRecord; readonly policy: Policy } | undefined;
  /** Of this program, for "What was run". */
  readonly version?: string | undefined;
}

export interface ReportSummary extends ReportTally {
  /** The final record: what `conclude` answered, else the record given. */
  readonly run: RunRecord;
  /** What `summary.json` holds. */
  readonly summary: Summary;
  readonly bill: readonly BillRow[];
  /** What stood in for what could not be read, with how many tasks each. */
  readonly assumptions: Readonly<Record<string, number>>;
  /** Failures and held tasks by cause, most frequent first. */
  readonly causes: readonly Cause[];
  /** Tasks that were skipped, by service and reason. */
  readonly skips: readonly TaskCount[];
  /** Names of the files written, within the folder. */
  readonly files: readonly string[];
}
