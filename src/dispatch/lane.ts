/** The first tries of one service, in order and within bounds. What does not fit waits in the ledger, not in memory. */
import type { RunLedger } from '../domain/ledger.ts';
import type { ServiceUse } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { Bell } from './bell.ts';
import type { Clock } from '../domain/clock.ts';
import type { Gate } from './gate.ts';

const capacity = 1000;
/** Retries in memory beyond which no first try is begun. */
const mostRetries = 1000;

export class Lane {
  readonly use: ServiceUse;
  /** Limits of the service itself, beside its account's. */
  readonly gate: Gate | undefined;
  /** Tasks of this lane that sit in the agenda or in hand for another try. */
  retrying = 0;
  /** Begins nothing, and only ends what earlier sessions or other pipelines began. */
  readonly isForOrphans: boolean;
  readonly #clock: Clock;
  readonly #run: Pick<RunLedger, 'readReady'>;
  /** The ledger holds all that a task needs, so that a full lane may leave tasks there. */
  readonly #isRereadable: boolean;
  readonly #room = new Bell();
  #ready: Task[] = [];
  #head = 0;
  /** Set while tasks after this id wait in the ledger only. */
  #overflowAfter: number | undefined;
  #newest = 0;
  #isRefilling = false;
  #haltReason: string | undefined;
  #isClosed = false;
  #usualJobMs = 0;
  #crowdedSince: number | undefined;

  constructor(options: {
    use: ServiceUse;
    gate: Gate | undefined;
    clock: Clock;
    run: Pick<RunLedger, 'readReady'>;
    isRereadable: boolean;
    /** Tasks of an earlier session wait in the ledger from the beginning. */
    beginsInLedger: boolean;
    isForOrphans?: boolean;
  }) {
    this.isForOrphans = options.isForOrphans ?? false;
    this.use = options.use;
    this.gate = options.gate;
    this.#clock = options.clock;
    this.#run = options.run;
    this.#isRereadable = options.isRereadable;
    this.#overflowAfter = options.beginsInLedger ? 0 : undefined;
  }

  /** How long this service's jobs usually take, as far as this run has seen; 0 before the first has ended. */
  get usualJobMs(): number {
    return this.#usualJobMs;
  }

  noteJobEnd(tookMs: number): void {
    this.#usualJobMs = this.#usualJobMs === 0 ? tookMs : this.#usualJobMs * 0.8 + tookMs * 0.2;
  }

  get haltReason(): string | undefined {
    return this.#haltReason;
  }

  get size(): number {
    return this.#ready.length - this.#head;
  }

  /** Nothing left to begin, neither here nor known to wait in the ledger. */
  get isEmpty(): boolean {
    return this.#isClosed || (this.size === 0 && this.#overflowAfter === undefined);
  }

  /** True where `refill` would find more. */
  get needsRefill(): boolean {
    return this.size === 0 && this.#overflowAfter !== undefined && !this.#isRefilling && !this.#isClosed;
  }

  get mayBegin(): boolean {
    return this.size > 0 && this.retrying < mostRetries && !this.#isClosed;
  }

  /** Begins nothing more, for good; what it held stays planned in the ledger. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The vendor refuses this service; the account's others go on. */
  halt(reason: string): void {
    this.#haltReason ??= reason;
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#ready = [];
    this.#head = 0;
    this.#room.ring();
  }

  /** Hands a planned task in, waiting for room where the ledger cannot hold it for us. */
  async offer(task: Task): Promise<void> {
    this.#newest = Math.max(this.#newest, task.id);
    if (this.#isClosed) return;
    if (this.#isRereadable) {
      if (this.#overflowAfter === undefined && this.size < capacity) this.#ready.push(task);
      else this.#overflowAfter ??= task.id - 1;
      return;
    }
    while (this.size >= capacity && !this.#isClosed) await this.#room.wait(this.#clock);
    if (!this.#isClosed) this.#ready.push(task);
  }

  /** Puts tasks in whatever the bounds: those that a sweep of the ledger found. */
  put(tasks: readonly Task[]): void {
    this.#ready.push(...tasks);
  }

  /** A task that an answer let go, whenever its turn to be planned was; without room it is found in the ledger later. */
  receive(task: Task): void {
    const isAhead = this.#overflowAfter !== undefined && task.id > this.#overflowAfter;
    if (this.#isClosed || isAhead || task.item.isUrlCut === true || this.size >= capacity) return;
    this.#ready.push(task);
  }

  /** When its tasks found no room under a cap, by `CapRoom.ends`; undefined where the last that asked found some. */
  get crowdedSince(): number | undefined {
    return this.#crowdedSince;
  }

  noteRoom(): void {
    this.#crowdedSince = undefined;
  }

  /** Takes back what found no room under a cap: it is the next to be begun. */
  putBack(tasks: readonly Task[], since: number): void {
    if (this.#isClosed) return;
    this.#crowdedSince = since;
    this.#ready = [...tasks, ...this.#ready.slice(this.#head)];
    this.#head = 0;
  }

  take(count: number): readonly Task[] {
    const taken = this.#ready.slice(this.#head, this.#head + count);
    this.#head += taken.length;
    if (this.#head > 512 || this.#head === this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
    this.#room.ring();
    return taken;
  }

  /** Reads the next tasks that wait in the ledger. */
  async refill(): Promise<void> {
    if (this.#overflowAfter === undefined || this.#isRefilling) return;
    this.#isRefilling = true;
    const newestBefore = this.#newest;
    try {
      const tasks = await this.#run.readReady(this.use.name, this.#overflowAfter, capacity / 2);
      const last = tasks.at(-1);
      this.#ready.push(...tasks);
      if (last) this.#overflowAfter = last.id;
      // A task offered while we read may have been committed after the read: only a quiet read proves the end.
      else if (this.#newest === newestBefore) this.#overflowAfter = undefined;
    } finally {
      this.#isRefilling = false;
    }
  }
}
