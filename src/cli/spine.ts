/** What commands ask of the program: `pipeline.ts` answers it, `main.ts` brings the two together. */
import type { Spending } from '../domain/caps.ts';
import type { Difference, Flip, RunChange, VerdictChange } from '../domain/change.ts';
import type { TimeOfDay } from '../domain/clock.ts';
import type { Decided, DecisionRow, DecisionVerdict } from '../domain/decision.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { DraftAnswers } from '../domain/draft.ts';
import type { EmulatorFaults, EmulatorSwitches } from '../domain/emulator.ts';
import type { Estimate } from '../domain/estimate.ts';
import type { BrokenRow } from '../domain/item.ts';
import type {
  BillRow,
  FailedRow,
  HeldRow,
  Pruned,
  RunRecord,
  TaskCount,
  TroubleSelection,
} from '../domain/ledger.ts';
import type { CostDimension, UsageSums } from '../domain/cost.ts';
import type { ReconciledRow, Reconciliation, TheirSums } from '../domain/reconcile.ts';
import type { Encoding, Language } from '../domain/settings.ts';
import type { CostResult } from '../domain/cost-result.ts';
import type { CopiedLedger, CopyProgress } from '../domain/ledger-copy.ts';
import type { Log } from '../domain/log.ts';
import type { TextSink } from '../domain/output.ts';
import type { PostgresAccess } from '../domain/postgres.ts';
import type { ExitCode, Problem } from '../domain/problem.ts';
import type { PaceReading } from '../domain/pace.ts';
import type { Progress } from '../domain/progress.ts';
import type { Catalogue } from '../domain/service.ts';
import type { Cause, Summary } from '../domain/summary.ts';
import type { Nano, PriceBook } from '../domain/pricing.ts';

/** `--config`, `--state`, `--out`; each defaults to a folder of the project root. */
export interface Places {
  readonly config?: string | undefined;
  readonly state?: string | undefined;
  readonly out?: string | undefined;
}

export interface CheckedFile {
  readonly path: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Present where the file is in order: what it would do, in a few words. */
  readonly about?: string | undefined;
}

export interface RunFlags {
  readonly path: string;
  readonly limit?: number | undefined;
  /** Replaces `caps.run`; its currency is the price book's where none is given. */
  readonly cap?: { readonly amount: Nano; readonly currency?: string | undefined } | undefined;
  readonly startNew?: boolean | undefined;
  readonly resumeAnyAge?: boolean | undefined;
  readonly graceMs: number;
  readonly failOn?: 'review' | 'block' | undefined;
  /** Disregards the answers of other runs. */
  readonly isFresh?: boolean | undefined;
  /** A selector: the failed and held tasks of that run are taken up, and nothing else. */
  readonly onlyFailed?: string | undefined;
  /** Local time at which nothing more is begun. */
  readonly until?: TimeOfDay | undefined;
  /** Kept up to date with metrics in Prometheus' text format. */
  readonly metricsFile?: string | undefined;
  /** How old the newest backup of the ledger is before the run makes another; 20 h where absent. */
  readonly backUpEveryMs?: number | 'off' | undefined;
  /** Waits while another run holds the pipeline. */
  readonly waits?: boolean | undefined;
  /** The plan that the run is held to, and by which share it may be passed. */
  readonly plan?: { readonly file: string; readonly tolerance: number } | undefined;
}

export interface WorkerFlags {
  /** Milliseconds that calls in flight are given once the worker is told to stop. */
  readonly graceMs: number;
  /** Where its health and metrics are told; nowhere if absent. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
  /** Where it takes callbacks; where its accounts say if absent. */
  readonly callbackListen?: { readonly host: string; readonly port: number } | undefined;
}

export interface WorkerWatch {
  readonly log: Log;
}

export interface EstimateFlags {
  readonly path: string;
  readonly limit?: number | undefined;
  /** Share of the headers that are read; what they say stands for the others. */
  readonly sample?: number | undefined;
  /** Where the plan is written. */
  readonly planOut?: string | undefined;
}

/** How far an estimate has come. */
export interface EstimateProgress {
  readonly listed: number;
  /** Files whose header was read. */
  readonly probed: number;
}

export interface EstimateWatch {
  readonly log: Log;
  /** The watcher asks whenever it likes; valid until the estimate ends. */
  readonly follow: (read: () => EstimateProgress) => void;
}

export interface EstimateResult {
  readonly estimate: Estimate;
  /** The plan that was written: its absolute path and its hash. */
  readonly plan?: { readonly path: string; readonly sha256: string } | undefined;
}

/** Told while a run goes on. */
export interface RunWatch {
  readonly log: Log;
  /** Once, when the run is open. */
  readonly begun: (run: RunRecord, isResumed: boolean) => void;
  /** The watcher asks whenever it likes; valid until the run ends. */
  readonly follow: (read: () => Progress) => void;
}

/** How many answers of a run were read again, have another finding now, or could not be read again. */
export interface Derived {
  readonly answers: number;
  readonly changed: number;
  readonly kept: number;
}

export interface ReportFlags {
  /** Read the findings out of the archived replies again. */
  readonly derivesAgain?: boolean | undefined;
}

export interface ReportResult {
  readonly run: RunRecord;
  readonly summary: Summary;
  readonly bill: readonly BillRow[];
  /** What stood in for what could not be read, with how many tasks each. */
  readonly assumptions: Readonly<Record<string, number>>;
  readonly causes: readonly Cause[];
  /** Tasks that were skipped, by service and reason. */
  readonly skips: readonly TaskCount[];
  readonly broken: readonly BrokenRow[];
  /** Present where findings were read out of the archived replies again. */
  readonly derived?: Derived | undefined;
  /** Absolute path of the folder, and the names of the files in it. */
  readonly folder: string;
  readonly files: readonly string[];
}

export interface RunResult extends ReportResult {
  readonly exitCode: ExitCode;
  readonly halts: readonly {
    readonly account: string;
    readonly service?: string | undefined;
    readonly reason: string;
  }[];
  /** Why the source could not be read to its end. */
  readonly sourceTrouble?: string | undefined;
}

/** Where the rows of a comparison go beside the terminal's table. */
export interface RowOutput {
  /** A file, or `-` for `stdout`. */
  readonly csv?: string | undefined;
  readonly isJson: boolean;
  readonly stdout: TextSink;
  /** How many of the worst rows are answered. */
  readonly show: number;
}

export interface ReconcileFlags {
  /** A file, or `-` for standard input. */
  readonly path: string;
  readonly account: string;
  /** `YYYY-MM`. */
  readonly month: string;
  /** Our field to the name of their column. */
  readonly columns: Readonly<Partial<Record<'date' | 'sku' | 'units' | 'amount' | 'id', string>>>;
  /** Their name of a SKU to ours. */
  readonly names: ReadonlyMap<string, string>;
  /** Their names of what is none of ours. */
  readonly ignored: readonly string[];
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** How far amounts of a row may lie apart. */
  readonly tolerance: Nano;
}

export interface ReconcileResult {
  readonly account: string;
  readonly month: string;
  readonly currency: string;
  /** What is laid side by side: days, the whole month, or jobs. */
  readonly by: 'day' | 'month' | 'id';
  readonly counts: Readonly<Record<Reconciliation, number>>;
  /** The first so many that are not matched. */
  readonly differences: readonly ReconciledRow[];
  readonly totals: {
    readonly theirs: TheirSums;
    readonly ours: UsageSums;
  };
  /** Rows of the export that were ignored, and those of other months. */
  readonly ignoredRows: number;
  readonly otherMonths: number;
  /** Their names that are no SKU of ours. */
  readonly unknownNames: readonly string[];
}

export interface CostFlags {
  /** `YYYY-MM`. */
  readonly month?: string | undefined;
  readonly pipeline?: string | undefined;
  /** Folders of a prefix, the bucket being the first; prefixes are summed where it stands. */
  readonly prefixDepth?: number | undefined;
  /** One table over these together, instead of the overview. */
  readonly by?: readonly CostDimension[] | undefined;
}

export interface CostOutput {
  /** Files, or `-` for `stdout`. */
  readonly csv?: string | undefined;
  readonly html?: string | undefined;
  /** Of the page; English where absent. */
  readonly language?: Language | undefined;
  readonly stdout: TextSink;
}

export interface JudgeResult {
  readonly run: RunRecord;
  /** Names of the run's own policy and of the other one. */
  readonly policies: { readonly from: string; readonly to: string };
  readonly items: number;
  readonly flips: number;
  readonly verdicts: readonly VerdictChange[];
  readonly worst: readonly Flip[];
  readonly warnings: readonly Problem[];
}

export interface DiffResult {
  readonly before: RunRecord;
  readonly after: RunRecord;
  readonly change: RunChange;
  readonly worst: readonly Difference[];
}

export interface ReviewImport extends Decided {
  readonly by: string;
  /** Rows without a decision. */
  readonly blank: number;
  readonly verdicts: Readonly<Record<DecisionVerdict | 'clear', number>>;
  /** Rows that say nothing that could be stored. */
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}

export interface InitResult {
  /** The pipeline's file; this and the others relative to the folder that the program was started in, where they can be. */
  readonly pipeline: string;
  readonly written: readonly string[];
  /** Files that were there, and were not touched. */
  readonly kept: readonly string[];
  /** Environment variables that are needed and not set. */
  readonly unset: readonly string[];
  /** What `check` would say beyond them. */
  readonly problems: readonly Problem[];
}

export interface StatusResult {
  readonly run: RunRecord;
  /** False where the run's process died, or ended. */
  readonly isAlive: boolean;
  readonly tasks: readonly TaskCount[];
  readonly bill: readonly BillRow[];
  /** How far its caps have come; as they stood when it ended, for one that has. */
  readonly spending: Spending;
  /** Present where workers carry it out. */
  readonly shards?: ShardsResult | undefined;
  /** How far the limits of its accounts are used at the moment, by all who share them; of a run that goes on. */
  readonly pace?: readonly LimitPace[] | undefined;
}

export interface ShardsResult {
  readonly total: number;
  readonly done: number;
  /** In the hands of workers, whether or not these live. */
  readonly underway: number;
  /** On offer. */
  readonly waiting: number;
  /** Names of those that hold shards. */
  readonly workers: readonly string[];
}

/** A limit of an account, or of one service on it. */
export interface LimitPace extends PaceReading {
  readonly account: string;
  readonly service?: string | undefined;
}

/** Any worker that lives, whichever runs it is at work on. */
export interface WorkerResult {
  readonly process: string;
  /** Shards that it takes of each run at a time, and those of all runs that it has in hand. */
  readonly places: number;
  readonly shards: number;
}

export interface StatusReport {
  readonly runs: readonly StatusResult[];
  /** Present where workers carry runs out, and Redis tells. */
  readonly workers?: readonly WorkerResult[] | undefined;
}

export interface BackupResult {
  /** Absolute paths of the ledger and of its copy. */
  readonly ledger: string;
  readonly backup: string;
  /** Of the copy. */
  readonly bytes: number;
}

export interface RestoreResult {
  /** Absolute path of the copy that was taken. */
  readonly backup: string;
  /** ISO 8601, UTC. */
  readonly madeAt?: string | undefined;
  /** Where the ledger that was replaced lies now. */
  readonly aside?: string | undefined;
}

export interface RehearsalFlags {
  readonly faults: 'none' | 'some';
  readonly graceMs: number;
}

export interface RunningServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

export interface Spine {
  /** Checks pipelines and the config they use. Without paths: every file in `pipelines/`. */
  check(paths: readonly string[], places: Places): Promise<readonly CheckedFile[]>;
  run(flags: RunFlags, places: Places, watch: RunWatch): Promise<RunResult>;
  /** What a run would do and cost now; nothing is stored but headers that were read, and nobody is called. */
  estimate(flags: EstimateFlags, places: Places, watch: EstimateWatch): Promise<EstimateResult>;
  /** Writes a run's reports again from the ledger. */
  report(selector: string, places: Places, flags?: ReportFlags): Promise<ReportResult>;
  /** Applies another policy to the stored answers of a run. */
  judge(selector: string, policyFile: string, places: Places, output: RowOutput): Promise<JudgeResult>;
  /** Compares two runs, or a run with the one before it; a score has moved where it did so by more than `movedBy`. */
  diff(
    selectors: { readonly before?: string | undefined; readonly after: string },
    movedBy: number,
    places: Places,
    output: RowOutput,
  ): Promise<DiffResult>;
  /** Lays a vendor's usage export beside the ledger; rows go to the CSV as they are found. */
  reconcile(
    flags: ReconcileFlags,
    places: Places,
    output: Omit<CostOutput, 'html'>,
  ): Promise<ReconcileResult>;
  /** What was spent, and what the month is expected to come to. */
  cost(flags: CostFlags, places: Places, output: CostOutput): Promise<CostResult>;
  /** Newest first; of one run or pipeline where a selector is given. */
  status(selector: string | undefined, places: Places): Promise<StatusReport>;
  listHeld(selection: TroubleSelection, places: Places): Promise<readonly HeldRow[]>;
  /** Answers the reuse keys that were settled. */
  settleHeld(
    selection: TroubleSelection,
    how: 'resend' | 'forget',
    places: Places,
  ): Promise<readonly string[]>;
  listFailed(selection: TroubleSelection, places: Places): Promise<readonly FailedRow[]>;
  /** Answers the reuse keys that were not acknowledged before. */
  acknowledgeFailed(selection: TroubleSelection, places: Places): Promise<readonly string[]>;
  /** Stores the decisions of a review file; `by` defaults to who runs the program. `-` is standard input. */
  importReview(path: string, by: string | undefined, places: Places): Promise<ReviewImport>;
  listDecisions(selection: TroubleSelection, places: Places): Promise<readonly DecisionRow[]>;
  /** Takes runs that began longer ago than that out of the ledger. */
  pruneLedger(keepMs: number, places: Places): Promise<Pruned>;
  /** Copies the ledger, into a file that is named or among its backups. */
  backUpLedger(to: string | undefined, places: Places): Promise<BackupResult>;
  /** Puts a backup in the ledger's place. */
  restoreLedger(backup: string | undefined, isForced: boolean, places: Places): Promise<RestoreResult>;
  /** Copies the ledger into an empty one on PostgreSQL; the password comes from the environment. */
  copyLedger(
    to: PostgresAccess,
    places: Places,
    watch: (progress: CopyProgress) => void,
  ): Promise<CopiedLedger>;
  /** Looks at what pipelines need of the world, without a paid call; every file in `pipelines/` without a path. */
  doctor(path: string | undefined, places: Places): Promise<readonly Diagnosis[]>;
  /** Begins a project in that folder. */
  init(folder: string, answers: DraftAnswers): Promise<InitResult>;
  catalogue(): Promise<Catalogue>;
  /** The price book of the config folder, if there is one. */
  prices(places: Places): Promise<PriceBook | undefined>;
  /** JSON Schemas by file name. */
  schemas(): Promise<Readonly<Record<string, unknown>>>;
  emulate(
    vendor: string,
    options: { port: number; host: string; faults: EmulatorFaults; switches: EmulatorSwitches },
  ): Promise<
    RunningServer & {
      readonly credentials: Readonly<Record<string, string>>;
      readonly switches: EmulatorSwitches;
    }
  >;
  /** Carries out shards of runs that are coordinated elsewhere, until it is told to stop. */
  work(flags: WorkerFlags, places: Places, watch: WorkerWatch): Promise<void>;
  /** The whole main job against stand-ins on this machine, with a state of its own. */
  rehearse(flags: RehearsalFlags, places: Places, watch: RunWatch): Promise<RunResult>;
}
