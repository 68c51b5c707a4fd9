/** All work of one account: its gate, what is due, and the lanes of its services. */
import type { Clock } from '../domain/clock.ts';
import type { Attempt } from '../domain/ledger.ts';
import type { Account } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { Agenda } from './agenda.ts';
import type { Bell } from './bell.ts';
import type { CapRoom } from './cap-room.ts';
import type { Gate } from './gate.ts';
import type { Lane } from './lane.ts';

/** A task with what this session remembers of its earlier tries. */
export interface Try {
  readonly task: Task;
  /** Calls that surely did not arrive; they cost nothing but patience. */
  readonly misses: number;
  readonly wasSignedAgain: boolean;
  /** When the link of the last submission dies, in milliseconds since 1970. */
  readonly linkExpiresAt?: number | undefined;
}

/** An attempt that is under way, with the try behind it; no try where an earlier session sent it. */
export interface Underway {
  readonly attempt: Attempt;
  readonly tried: Try | undefined;
  /** When it was intended, by the clock that cannot be set. */
  readonly bornMs: number;
}

/** A job that is being read until all its elements have ended. */
export interface Watch {
  readonly lane: Lane;
  readonly job: string;
  readonly isBatch: boolean;
  /** Open elements, by attempt id. */
  readonly open: Map<number, Underway>;
  reads: number;
  /** Reads that the vendor answered. */
  answers: number;
  /** Reads in a row to which the vendor did not know the job. */
  gone: number;
  /** A read is in progress. */
  isReading: boolean;
  /** The read that comes next; others of it that still stand in the agenda are void. */
  next?: { readonly atMs: number; readonly work: Work } | undefined;
}

/** A submission of unknown fate at a vendor that can be asked; it counts among the open jobs. */
export interface Lost extends Underway {
  readonly lane: Lane;
}

export type Work =
  | { readonly is: 'submit'; readonly lane: Lane; readonly tries: readonly Try[]; readonly isRetry: boolean }
  | { readonly is: 'poll'; readonly watch: Watch }
  | { readonly is: 'search' };

/** Callbacks remembered of submissions that nobody watches here, or not yet; the oldest are forgotten first. */
const mostCalledBack = 10_000;

/** Owners remembered; a vendor's jobs of a day may be more, and are then read again. */
const mostOwners = 200_000;

/** How soon a retry looks again for room among the open jobs. */
const jobRoomEveryMs = 500;

export class Desk {
  readonly account: Account;
  readonly gate: Gate;
  /** Lanes of services that only orphans still need may be added later. */
  readonly lanes: Lane[];
  readonly agenda = new Agenda<Work>();
  /** Jobs by the references of their open elements. */
  readonly watches = new Map<string, Watch>();
  /** Submissions that a search will look for. */
  lost: Lost[] = [];
  /**
   * References that jobs of the vendor were seen to carry, whosever they are: a job never changes its owner, so that none is
   * read twice, and one that was a stranger to an earlier search may be what a later one looks for.
   */
  readonly owners = new Map<string, string>();
  /** Works in progress. */
  busy = 0;
  /** Submissions that have asked for their intents, and have not come to an end. */
  sending = 0;
  readonly #calledBack = new Set<string>();
  #turn = 0;

  constructor(account: Account, gate: Gate, lanes: Lane[]) {
    this.account = account;
    this.gate = gate;
    this.lanes = lanes;
  }

  /** A callback named a reference of which no job is known: its submission arrived, whatever became of the reply. */
  noteCalledBack(ref: string): void {
    this.#calledBack.add(ref);
    if (this.#calledBack.size <= mostCalledBack) return;
    for (const oldest of this.#calledBack) {
      this.#calledBack.delete(oldest);
      return;
    }
  }

  noteOwner(job: string, ref: string): void {
    if (this.owners.size < mostOwners) this.owners.set(job, ref);
  }

  wasCalledBack(ref: string): boolean {
    return this.#calledBack.has(ref);
  }

  /** Whether a call of so many elements may become jobs: its account and its service have room. */
  hasJobRoom(lane: Lane, elements: number): boolean {
    if (lane.use.service.poll === undefined) return true;
    // The account's first, and the service's only with it: two processes would wait for each other without end, each with
    // the place that the other one needs.
    if (!this.gate.hasJobRoom(elements)) return false;
    if (lane.gate?.hasJobRoom(elements) !== false) return true;
    this.gate.keepJobRoom(elements);
    return false;
  }

  /** `change` more elements are open at the vendor, or fewer. */
  countJobs(lane: Lane, change: number): void {
    this.gate.countJobs(change);
    lane.gate?.countJobs(change);
  }

  /** The account's, and those of services that have limits of their own. */
  get gates(): readonly Gate[] {
    return [this.gate, ...this.lanes.flatMap(({ gate }) => gate ?? [])];
  }

  close(): void {
    for (const gate of this.gates) gate.close();
  }

  get isIdle(): boolean {
    return this.gate.haltReason !== undefined
      ? this.busy === 0
      : this.busy === 0 &&
          !this.agenda.has(isMeant) &&
          this.lost.length === 0 &&
          this.lanes.every((lane) => lane.isEmpty);
  }

  /** However many callbacks there are, one read of a job is ahead: the earliest that was asked for. */
  addPoll(atMs: number, watch: Watch): void {
    if (watch.next !== undefined && watch.next.atMs <= atMs) return;
    const work: Work = { is: 'poll', watch };
    watch.next = { atMs, work };
    this.agenda.add(atMs, work);
  }

  /** Whether something that may hold a reservation will come to an end. */
  get isUnderWay(): boolean {
    const isWatching = this.watches.size > 0 || this.lost.length > 0;
    return this.sending > 0 || (isWatching && this.gate.haltReason === undefined);
  }

  /**
   * The next thing to do: what is due comes before first tries, since it frees jobs and money that are already spent.
   * A batch waits for its elements while `mayFill` says that more may come; what found no room under a cap waits for it.
   */
  takeWork(nowMs: number, mayFill: boolean, room: CapRoom): Work | undefined {
    for (let due = this.agenda.takeDue(nowMs); due; due = this.agenda.takeDue(nowMs)) {
      if (!isMeant(due)) continue;
      if (due.is === 'poll') due.watch.next = undefined;
      const isBlocked = due.is === 'submit' && !this.hasJobRoom(due.lane, due.tries.length);
      if (!isBlocked) return due;
      this.agenda.add(nowMs + jobRoomEveryMs, due);
    }
    for (let count = 0; count < this.lanes.length; count += 1) {
      this.#turn = (this.#turn + 1) % this.lanes.length;
      const lane = this.lanes[this.#turn] as Lane;
      const { batch } = lane.use;
      if (!lane.mayBegin || !room.mayAsk(lane.crowdedSince) || (mayFill && lane.size < batch)) continue;
      const size = Math.min(batch, lane.size);
      if (!this.hasJobRoom(lane, size)) continue;
      const tries = lane.take(size).map((task) => ({ task, misses: 0, wasSignedAgain: false }));
      return { is: 'submit', lane, tries, isRetry: false };
    }
    return undefined;
  }

  /** Waits until something may have become possible. */
  async waitForWork(clock: Clock, bell: Bell): Promise<void> {
    const next = this.agenda.nextAtMs;
    await bell.wait(clock, next === undefined ? undefined : Math.max(0, next - clock.monotonic()));
  }
}

/** Not a read of a job that has ended, or that is to be read sooner. */
function isMeant(work: Work): boolean {
  return work.is !== 'poll' || (work.watch.next?.work === work && work.watch.open.size > 0);
}
