/**
 * The memory of all runs, as the stages see it. SQLite stands behind it on one machine; every method returns a promise,
 * so that a shared database can stand there too. A promise of a writing method resolves when the write is durable;
 * writes are committed in groups.
 */
import type { Canary, CanaryFigures, CanaryRecord } from './canary.ts';
import type { Spending } from './caps.ts';
import type { Clock } from './clock.ts';
import type { Decided, Decision, DecisionRow, NewDecision } from './decision.ts';
import type { CostQuestion, ItemUsage, JobQuestion, JobUsage, UsageRow } from './cost.ts';
import type { Finding } from './finding.ts';
import type { BrokenRow, Item, MediaFacts, SourcePage } from './item.ts';
import type { RunPlan } from './plan.ts';
import type { Condition } from './policy.ts';
import type { Refusal } from './outcome.ts';
import type { PaceBoard, PaceOffice } from './pace.ts';
import type { BillingFacts, Nano, Position, PriceBook } from './pricing.ts';
import type { ExitCode } from './problem.ts';
import type { Account, Pipeline } from './settings.ts';
import type { Claim, Shard, ShardHalt, TaskRange } from './shard.ts';
import type { Status, Task, TaskState } from './task.ts';
import type { Basis, Units, Usage } from './usage.ts';

export interface RunCounters {
  readonly items: number;
  readonly notApplicable: number;
  readonly unselected: number;
  readonly broken: number;
}

/** `running` also stands behind a run whose process died; `superseded`: a later run took its open jobs over. */
export type RunState = 'running' | 'finished' | 'stopped' | 'superseded';

export interface RunRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly hash: string;
  readonly shapeHash: string;
  /** Names of the services, in the pipeline's order. */
  readonly services: readonly string[];
  /** The pipeline file as plain data, without secrets. */
  readonly written: unknown;
  readonly listing: 'complete' | 'partial';
  readonly counters: RunCounters;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt?: string | undefined;
  readonly exitCode?: ExitCode | undefined;
  /** The exit code in words. */
  readonly why?: string | undefined;
  /** Id of the run whose failed and held tasks this one took up (`--only-failed`). */
  readonly onlyFailed?: string | undefined;
  /** The plan that it is held to. */
  readonly plan?: RunPlan | undefined;
  /** How far its canary has come, where it began with one. */
  readonly canary?: CanaryRecord | undefined;
  /** True where its items and tasks were taken out of the ledger. */
  readonly isPruned?: boolean | undefined;
}

/** What the ledger must know of a pipeline: plain data, which may go to another thread or machine. */
export interface LedgerPipeline
  extends Pick<Pipeline, 'name' | 'path' | 'hash' | 'shapeHash' | 'written' | 'reuse' | 'prices' | 'caps'> {
  readonly services: readonly {
    readonly name: string;
    readonly account: LedgerAccount;
    readonly when?: Condition | undefined;
  }[];
}

export interface LedgerAccount extends Pick<Account, 'name' | 'isLoopback' | 'caps'> {
  readonly vendor: {
    readonly name: string;
    readonly skus: readonly { readonly name: string; readonly unit: string }[];
  };
}

export interface RunOpening {
  readonly pipeline: LedgerPipeline;
  readonly nowMs: number;
  /** Never go on with an earlier run (`--new`). */
  readonly startNew?: boolean | undefined;
  /** Go on with an earlier run whatever its age (`--resume`). */
  readonly resumeAnyAge?: boolean | undefined;
  /** Disregard the answers of other runs (`--fresh`); a run that did not begin so is not gone on with. */
  readonly isFresh?: boolean | undefined;
  /** Look at this many items only (`--limit`): a run that has planned more is not gone on with. */
  readonly limit?: number | undefined;
  /** Id of the run whose failed and held tasks are taken up: failures from before this run are disregarded. */
  readonly onlyFailed?: string | undefined;
  /** What the ledger cannot know, by account and SKU. */
  readonly billing: ReadonlyMap<string, Readonly<Record<string, BillingFacts>>>;
  /** The plan that the run is held to from now on; a run that is gone on with keeps its own where absent. */
  readonly plan?: RunPlan | undefined;
  /** A run that begins draws as many items to go ahead of the others. */
  readonly canary?: Pick<Canary, 'items'> | undefined;
  /**
   * Id of a run that is under way elsewhere: this process carries shards of it out, under the caps that it was begun with,
   * and changes nothing else of it.
   */
  readonly joins?: string | undefined;
  /** Hash of the prices of now: a run under a plan does not go on at others. */
  readonly pricesHash?: string | undefined;
}

/** One item with its tasks, as planned. */
export interface PlannedItem {
  readonly item: Item;
  readonly tasks: readonly {
    readonly service: string;
    readonly account: string;
    readonly reuseKey: string;
    readonly usage: Usage;
    /** Present where the task is not to be sent, with the reason; an answer that is there already is used all the same. */
    readonly skip?: string | undefined;
  }[];
  /** Services of the pipeline that do not take this item. */
  readonly notApplicable: number;
  /** Identity of the content, under which `media` is cached. */
  readonly contentId?: string | undefined;
  /** The same whatever the pipeline's reuse goes by: what runs are compared by, and what decisions belong to. */
  readonly content?: string | undefined;
  /** What was read from the file's header in this run. */
  readonly media?: MediaFacts | undefined;
}

export interface PlanPage {
  readonly items: readonly PlannedItem[];
  readonly unselected: number;
  readonly broken: readonly BrokenRow[];
  /** Where a later session may go on listing; absent where the source is read again from its beginning. */
  readonly checkpoint?: string | undefined;
  readonly isLast: boolean;
  /** As the source's page has it. */
  readonly anew?: SourcePage['anew'];
  /** A reading of the source begins with it. */
  readonly isFirst?: boolean | undefined;
}

/** What the ledger knows of content before it is planned. */
export interface Known {
  /** Reuse keys that need no call: answered, remembered as failed, or held. */
  readonly settledKeys: ReadonlySet<string>;
  readonly media: ReadonlyMap<string, MediaFacts>;
}

/** One submission of one task. Open while in `intent` or `accepted`; a reuse key has at most one open attempt. */
export interface Attempt {
  readonly id: number;
  readonly task: number;
  readonly run: string;
  /** Name of the service in its pipeline. */
  readonly service: string;
  readonly account: string;
  readonly reuseKey: string;
  /** Counts the submissions of this key over the ledger's life, from 1. */
  readonly number: number;
  /** The vid: hash of account, reuse key and number. */
  readonly ref: string;
  /** Attempts that went out in one call share it. */
  readonly call: number;
  readonly position: number;
  readonly linkHash: string;
  readonly isBatch: boolean;
  /** True where its account was a stand-in on a loopback address. */
  readonly isLoopback?: boolean | undefined;
  readonly job?: string | undefined;
  readonly usage: Usage;
  /** How often its task had been sent again before, although it may have been billed. */
  readonly resends: number;
  /** When the intent was made. Milliseconds since 1970. */
  readonly intendedAtMs: number;
  readonly state: 'intent' | 'accepted';
}

export interface IntentRequest {
  readonly service: string;
  readonly account: string;
  readonly isBatch: boolean;
  readonly atMs: number;
  /**
   * Present where a task may wait for what calls give back of a cap: true where some of this session are under way, false where
   * only those of this request may be.
   */
  readonly mayWait?: boolean | undefined;
  readonly tasks: readonly { readonly task: Task; readonly linkHash: string }[];
}

/** What became of each task of an intent: only `intended` may be sent. */
export type Intent =
  | { readonly is: 'intended'; readonly attempt: Attempt }
  /** Settled meanwhile without a call; `over-cap` where its reservation did not fit under a cap. */
  | { readonly is: 'settled'; readonly state: TaskState }
  /** Another open attempt has its key. */
  | { readonly is: 'waiting' }
  /** It would fit under every cap but for what calls under way have reserved: nothing happened, and it may ask again. */
  | { readonly is: 'crowded' };

/** The raw reply that proves a transition; shared by the elements of a batch. */
export interface ArchivedReply {
  readonly status: number;
  readonly body: string;
}

/** What happened to an open attempt. Each closes it but `accepted`. */
export type Transition =
  | {
      readonly is: 'accepted';
      readonly attempt: Attempt;
      readonly job: string;
      readonly reply?: ArchivedReply;
    }
  | {
      readonly is: 'answered';
      readonly attempt: Attempt;
      readonly finding: Finding;
      /** Settled: what is booked. */
      readonly usage: Usage;
      readonly reply?: ArchivedReply;
    }
  /** The vendor refused and the task is tried again; `costsAttempt` is false for a slow-down. */
  | {
      readonly is: 'again';
      readonly attempt: Attempt;
      readonly refusal: Refusal;
      readonly costsAttempt: boolean;
      readonly booked?: Usage | undefined;
      readonly reply?: ArchivedReply;
    }
  /** The task ends; `isRemembered` where the same content would fail again. */
  | {
      readonly is: 'failed';
      readonly attempt: Attempt;
      readonly refusal: Refusal;
      readonly isRemembered: boolean;
      /** The vendor may still come to an end with it: later runs ask again. */
      readonly isAskable?: boolean | undefined;
      readonly booked?: Usage | undefined;
      readonly reply?: ArchivedReply;
    }
  /** The call surely never reached the vendor: nothing happened, and the number is used again. */
  | { readonly is: 'unsent'; readonly attempt: Attempt; readonly cause: string }
  /** May have been billed, is sent again, and is counted as uncertain. */
  | { readonly is: 'resend'; readonly attempt: Attempt; readonly cause: string }
  /** May have been billed, is counted as uncertain, and waits for a person. */
  | {
      readonly is: 'held';
      readonly attempt: Attempt;
      readonly cause: string;
      /** The vendor keeps what could be asked for: later runs ask again. */
      readonly isAskable?: boolean | undefined;
    };

/** What a run writes. One process holds it, under the pipeline's lock. */
export interface RunLedger {
  readonly record: RunRecord;
  /** True where an earlier session of this run is gone on with. */
  readonly isResumed: boolean;
  /** Where listing goes on; absent for the beginning. */
  readonly checkpoint?: string | undefined;
  /** Money and caps as this process's last commit left them. */
  readonly spending: Spending;
  /** What the ledger cannot know of an account that only orphans were sent for. Holds for what is written afterwards. */
  addBilling(account: string, facts: Readonly<Record<string, BillingFacts>>): Promise<void>;
  readKnown(reuseKeys: readonly string[], contentIds: readonly string[]): Promise<Known>;
  /** Stores a page; answers its tasks that may be sent, those of an earlier session included. Idempotent. */
  plan(page: PlanPage): Promise<readonly Task[]>;
  /** Tasks in `planned` of one service with an id above `afterId`, by id; of the canary's items or a shard where asked. */
  readReady(
    service: string,
    afterId: number,
    limit: number,
    within?: 'canary' | TaskRange,
  ): Promise<readonly Task[]>;
  /** Ids of the items that were drawn for the canary; final once the source is read to its end. */
  readCanaryNames(): Promise<ReadonlySet<string>>;
  /** What became of the canary's tasks since then. */
  readCanaryFigures(beganMs: number): Promise<CanaryFigures>;
  noteCanary(record: CanaryRecord): Promise<void>;
  /**
   * Nothing is sent before this resolves: attempts in `intent` and what they reserve of the caps, durable together. One
   * answer per task; a task that does not fit under every cap ends `over-cap`, and those after it may still fit. It is only
   * `crowded` where reservations alone are in its way, and `mayWait` says so.
   */
  intend(request: IntentRequest): Promise<readonly Intent[]>;
  /** Answers tasks that were let go by it: the answer that their `when` waited for is there. */
  transition(transitions: readonly Transition[]): Promise<readonly Task[]>;
  /**
   * Open attempts that earlier sessions of this pipeline left, by id, above `afterId`: all of them, those of a shard
   * (which nobody alive may hold), or those of other runs.
   */
  readOrphans(afterId: number, limit: number, within?: 'other-runs' | TaskRange): Promise<readonly Attempt[]>;
  /**
   * Opens attempts of these services again whose fate earlier sessions of this pipeline could not learn, or whose job
   * had not ended in time, so that they are orphans once more; units that were booked as uncertain are taken back.
   * Answers how many.
   */
  reopenAskable(services: readonly { readonly service: string; readonly account: string }[]): Promise<number>;
  /** Open attempts of other pipelines that tasks of this run wait for, by id, each with the name of its pipeline. */
  readWaitedFor(limit: number): Promise<readonly { readonly owner: string; readonly attempt: Attempt }[]>;
  /** Jobs among these that the ledger already knows. */
  readKnownJobs(account: string, jobs: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Tasks in `waiting` whose key has no open attempt any more go back to `planned`.
   * Answers how many did, and how many still wait.
   */
  releaseWaiting(): Promise<{ readonly released: number; readonly waiting: number }>;
  /** Charge of these units at this month's position, without booking them; `undefined` where a price is unknown. */
  quote(account: string, units: Units, atMs: number): Promise<Nano | undefined>;
  /** Where this run shares limits with the others on the ledger. `isAlive` says whether a pipeline's process still runs. */
  sharePace(tools: {
    readonly clock: Pick<Clock, 'monotonic'>;
    readonly isAlive: (pipeline: string) => Promise<boolean>;
  }): PaceOffice;
  end(end: {
    readonly state: RunState;
    readonly exitCode: ExitCode;
    readonly why: string;
    readonly atMs: number;
  }): Promise<RunRecord>;
}

export interface TaskError {
  readonly class: string;
  readonly code: string;
  readonly httpStatus?: number | undefined;
  readonly message: string;
}

/** A task as reports see it. */
export interface TaskRow {
  readonly service: string;
  readonly account: string;
  readonly state: TaskState;
  readonly status: Status;
  /** Why it was skipped, failed or held; empty otherwise. */
  readonly reason: string;
  readonly finding?: Finding | undefined;
  /** Units booked for this task in this run, by SKU, uncertain ones left out. */
  readonly units: Units;
  readonly basis?: Basis | undefined;
  readonly charge: Nano;
  /** Present where its service's `when` did not hold: what it would have used. */
  readonly spared?: Units | undefined;
  readonly attempts: number;
  readonly job?: string | undefined;
  readonly error?: TaskError | undefined;
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
}

export interface ItemRow {
  readonly item: Item;
  /** In the order of the pipeline's services; applicable ones only. */
  readonly tasks: readonly TaskRow[];
  /** Identity of its content. */
  readonly content?: string | undefined;
  /** What a person decided about this content. */
  readonly decision?: Decision | undefined;
}

export interface BillRow {
  readonly account: string;
  readonly vendor: string;
  readonly sku: string;
  readonly unit: string;
  readonly observed: number;
  readonly estimated: number;
  readonly uncertain: number;
  readonly free: number;
  readonly pack: number;
  readonly charge: Nano;
  readonly currency: string;
  readonly isComplete: boolean;
  /** Assumptions that stood in for what could not be read, with how many tasks each. */
  readonly assumptions: Readonly<Record<string, number>>;
}

/** How far an account has come with a SKU; apart for its namesake on a loopback address. */
export interface AccountPosition {
  readonly account: string;
  readonly isLoopback: boolean;
  readonly sku: string;
  readonly position: Position;
}

export interface TaskCount {
  readonly service: string;
  readonly state: TaskState;
  readonly reason: string;
  readonly count: number;
}

/** Which of the troubled tasks a person means: reuse keys, items, or patterns over items with `*` and `?`; all if absent. */
export type TroubleSelection = readonly string[] | undefined;

/** A call of unknown fate that waits for a person. */
export interface HeldRow {
  readonly reuseKey: string;
  /** The item whose call it was; other items of the same content are held with it. */
  readonly item: string;
  /** Tasks of this content that are held or failed, in all runs. */
  readonly tasks: number;
  readonly service: string;
  readonly account: string;
  readonly pipeline: string;
  readonly run: string;
  readonly cause: string;
  /** ISO 8601, UTC. */
  readonly sentAt: string;
  /** What the call may have cost, and what sending it again is expected to. */
  readonly units: Units;
  /** The vendor could not be asked yet: the next run looks for the call by itself. */
  readonly isAskedAgain: boolean;
}

/** A failure that is remembered. */
export interface FailedRow {
  readonly reuseKey: string;
  readonly item: string;
  readonly tasks: number;
  readonly service: string;
  readonly account: string;
  readonly pipeline: string;
  readonly run: string;
  readonly error: TaskError;
  /** ISO 8601, UTC. */
  readonly failedAt: string;
  readonly acknowledgedAt?: string | undefined;
}

/** How much was taken out of the ledger. */
export interface Pruned {
  readonly runs: number;
  readonly items: number;
  readonly tasks: number;
  readonly replies: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** An answer of a run with the reply that it was read from. */
export interface ArchivedAnswer {
  /** The answer's own id. */
  readonly id: number;
  /** The task that has it, for paging. */
  readonly task: number;
  readonly service: string;
  readonly finding: Finding;
  /** Absent where the archive holds no reply, or only the beginning of it. */
  readonly reply?: ArchivedReply | undefined;
  readonly job?: string | undefined;
  readonly isBatch: boolean;
  /** Place of the answer's own element among `elements`. */
  readonly element: number;
  /** All elements of the call, in the order of their places. */
  readonly elements: readonly { readonly ref: string; readonly position: number; readonly item: Item }[];
}

export interface Ledger {
  openRun(opening: RunOpening): Promise<RunLedger>;
  /** A run id, a pipeline's name (its latest run), `latest`, or either with `~N` for the N-th before it. */
  findRun(selector: string): Promise<RunRecord | undefined>;
  /** Newest first. */
  listRuns(limit: number, pipeline?: string): Promise<readonly RunRecord[]>;
  /** Items in source order with a position above `after`. */
  readItems(run: string, after: Uint8Array | undefined, limit: number): Promise<readonly ItemRow[]>;
  /** Those of these ids that the run has, in no order. */
  readNamed(run: string, ids: readonly string[]): Promise<readonly ItemRow[]>;
  /** Items with these ids, each as the latest run that has it knows it, in no order. */
  readLatest(ids: readonly string[]): Promise<readonly Item[]>;
  /** The latest run of the same pipeline before this one that looked at everything: listed to its end, and still whole. */
  findPrevious(run: string): Promise<RunRecord | undefined>;
  /** Items with failed or held tasks, as `readItems`; their `onlyServices` are those of these tasks. */
  readTroubled(run: string, after: Uint8Array | undefined, limit: number): Promise<readonly Item[]>;
  /** By service, state and reason (the reason of failures is their class). */
  countTasks(run: string): Promise<readonly TaskCount[]>;
  readBill(run: string, prices: PriceBook): Promise<readonly BillRow[]>;
  /** How far every account has come with every SKU that it was charged for. */
  readPositions(): Promise<readonly AccountPosition[]>;
  /** What was spent, day by day: also by runs whose items and tasks are gone, and while one is under way. */
  readUsage(question: CostQuestion): Promise<readonly UsageRow[]>;
  /** Booked entries with their items, with an id above `afterId`, by id. */
  readItemUsage(question: CostQuestion, afterId: number, limit: number): Promise<readonly ItemUsage[]>;
  /** What was booked for these jobs. */
  readJobUsage(question: JobQuestion, jobs: readonly string[]): Promise<readonly JobUsage[]>;
  /** What was booked for all jobs, attempt by attempt; `last` is where the next page begins, absent where there is none. */
  listJobUsage(
    question: JobQuestion,
    afterAttempt: number,
    limit: number,
  ): Promise<{ readonly rows: readonly JobUsage[]; readonly last?: number | undefined }>;
  /** By line, those behind `afterLine` where it is given. */
  readBroken(run: string, limit: number, afterLine?: number): Promise<readonly BrokenRow[]>;
  /** Oldest first. */
  listHeld(selection: TroubleSelection): Promise<readonly HeldRow[]>;
  /**
   * Settles held calls and answers their reuse keys. `resend`: the next run sends them again, and the old units stay
   * uncertain on the bill of the run that sent them. `forget`: they count as failed and not billed, and are remembered as such.
   */
  settleHeld(selection: TroubleSelection, how: 'resend' | 'forget'): Promise<readonly string[]>;
  /** Failures that are remembered, oldest first. */
  listFailed(selection: TroubleSelection): Promise<readonly FailedRow[]>;
  /** Takes remembered failures out of the exit code of later runs; answers the reuse keys that were not yet. */
  acknowledgeFailed(selection: TroubleSelection): Promise<readonly string[]>;
  /** Failed tasks of a run whose failure was acknowledged. */
  countAcknowledged(run: string): Promise<number>;
  /**
   * Takes runs that began before then out of the ledger, apart from each pipeline's latest, and gives the room back.
   * Answers, remembered failures, held calls and bills stay. Nothing else may be under way.
   */
  prune(beforeMs: number): Promise<Pruned>;
  /** As it is now; as it was when the run ended, for one that has. */
  readSpending(run: string): Promise<Spending>;
  /** Answers of the run's tasks with their archived replies, tasks with an id above `afterTask`, by id. */
  readArchived(run: string, afterTask: number, limit: number): Promise<readonly ArchivedAnswer[]>;
  /** Puts findings in the place of those that answers had, by the answers' ids; usage and charges stay. */
  replaceFindings(findings: ReadonlyMap<number, Finding>): Promise<void>;
  /** Stores decisions of one reviewer, all or none of them. */
  decide(decisions: readonly NewDecision[], by: string): Promise<Decided>;
  /** What is decided now, newest first; the words of a selection are items, patterns over items, or contents. */
  listDecisions(selection: TroubleSelection): Promise<readonly DecisionRow[]>;
  /** Cuts tasks that no shard has yet into shards of at least so many, with `isLast` the rest too; answers how many. */
  cutShards(run: string, least: number, isLast: boolean): Promise<number>;
  /**
   * Shards that were done and have tasks to be carried out are not any more; those that a halted account ended only where
   * `withHalted`. Answers how many.
   */
  reopenShards(run: string, withHalted: boolean): Promise<number>;
  /** Gives a shard to `holder`, where nobody has it, or `from`, who must be dead. One that is done is not given. */
  claimShard(claim: {
    readonly run: string;
    readonly number: number;
    readonly holder: string;
    readonly from?: string | undefined;
  }): Promise<Claim>;
  /** Its holder is through with a shard, or goes away. Does nothing where someone else has it by now. */
  leaveShard(leaving: {
    readonly run: string;
    readonly number: number;
    readonly holder: string;
    readonly isDone: boolean;
    readonly halts: readonly ShardHalt[];
  }): Promise<void>;
  /** Where processes on this ledger share that limit (`nameLimit`); undefined where none has come yet. */
  readPaceBoard(limit: string): Promise<PaceBoard | undefined>;
  /** By number. */
  listShards(run: string): Promise<readonly Shard[]>;
  /** Processes that hold shards of a pipeline's runs. */
  listHolders(pipeline: string): Promise<readonly { readonly run: string; readonly holder: string }[]>;
  close(): Promise<void>;
}
