/**
 * What an account lets through: calls at once, calls a second, jobs open, all of them shared with the other processes on
 * the ledger (`ration.ts`). The gate lowers itself when the vendor asks (multiplicative decrease), raises itself with every
 * success (additive increase), waits where nothing gets through, and closes for good when the account is halted.
 */
import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Clock } from '../domain/clock.ts';
import type { PaceOffice } from '../domain/pace.ts';
import type { Limits } from '../domain/settings.ts';
import { Bell } from './bell.ts';
import { Pace, type Turn } from './pace.ts';
import { Ration } from './ration.ts';

/** Without one success for this long, a gate in trouble halts its account. DESIGN, "Retry by phase". */
const patienceMs = 15 * 60_000;
const longestPauseMs = 60_000;
/** What an intent may take on its way to the disk: so much is begun ahead, so that free places need not wait for it. */
const commitSeconds = 0.02;
/** A single loss is ordinary; a row of them is a vendor that is away, asked ever more rarely. */
const troublesUntilAway = 5;

export interface GateOptions {
  readonly clock: Clock;
  readonly office: PaceOffice;
  /** Which limit it is: the same word for all who share it. */
  readonly limit: string;
  /** Tells the gates of one process apart. */
  readonly part?: string | undefined;
  readonly limits: Limits;
  /** Elements of the largest call. */
  readonly grain?: number | undefined;
  readonly stop: AbortSignal;
  /** There may be room where there was none. */
  readonly changed?: (() => void) | undefined;
  /** Hears when nothing gets through any more, and when something does again. */
  readonly tell?: ((words: string) => void) | undefined;
}

export class Gate {
  readonly #clock: Clock;
  readonly #ration: Ration;
  /** Gives places in the order of asking. */
  readonly #flights: LimitFunction;
  readonly #pace: Pace;
  /** Submissions whose intent may be durable before a flight is free; keeps the crash's unknowns few. */
  readonly aheadLimit: number;
  #troubles = 0;
  #troubledSince: number | undefined;
  /** While nothing gets through, one call at a time asks whether something does again; the others wait until then. */
  #awayUntil = Number.NEGATIVE_INFINITY;
  readonly #changed = new Bell();
  readonly #tell: (words: string) => void;
  /** Those who wait for a place among the calls in flight. */
  readonly #waiting = new Set<() => void>();
  #haltReason: string | undefined;
  readonly #halt = new AbortController();
  /** Aborted when the run stops or the account halts. */
  readonly #closed: AbortSignal;

  constructor({ clock, office, limit, part = '', limits, grain = 1, stop, changed, tell }: GateOptions) {
    this.#clock = clock;
    this.#tell = tell ?? (() => undefined);
    this.#closed = AbortSignal.any([stop, this.#halt.signal]);
    // Every call that waits for its turn listens; that is no leak.
    setMaxListeners(0, this.#closed);
    this.#closed.addEventListener('abort', () => this.#turnAway(), { once: true });
    const noteChange = () => {
      this.#changed.ring();
      changed?.();
    };
    this.#ration = new Ration(
      { clock, office, limit, part, limits, grain, changed: noteChange },
      this.#closed,
    );
    this.#flights = pLimit(limits.concurrency);
    this.#pace = new Pace(clock, limits.perSecond, (turns) => this.#ration.lease(turns));
    this.#ration.prefetchTurns = () => this.#pace.prefetch();
    this.#ration.dropTurns = () => this.#pace.drop();
    const inCommit = Math.ceil(limits.perSecond * commitSeconds);
    this.aheadLimit = Math.max(1, Math.min(limits.concurrency, inCommit));
  }

  /** Why the account stands still for the rest of the run; undefined while it does not. */
  get haltReason(): string | undefined {
    return this.#haltReason;
  }

  get openJobs(): number {
    return this.#ration.openJobs;
  }

  /** Share of the configured limits that is let through at the moment. */
  get share(): number {
    return this.#ration.share;
  }

  /** Waits for a place among the calls in flight and for its turn; answers how to leave, or undefined when closed. */
  enter(): Promise<(() => void) | undefined> {
    return enterAll([this]);
  }

  /** Tells the others what is in use: a session before may have held more, and nobody may ever ask this gate for more. */
  report(isLast: boolean): Promise<void> {
    return this.#ration.report(isLast);
  }

  hasJobRoom(elements: number): boolean {
    return this.#ration.hasJobRoom(elements);
  }

  /** Room that is there is not given back while something else keeps a call waiting. */
  keepJobRoom(elements: number): void {
    this.#ration.keepJobRoom(elements);
  }

  countJobs(change: number): void {
    this.#ration.countJobs(change);
  }

  /** A call that the vendor answered in good order. */
  succeed(): void {
    if (this.#troubles >= troublesUntilAway) {
      this.#changed.ring();
      this.#tell('calls get through again.');
    }
    this.#troubles = 0;
    this.#troubledSince = undefined;
    this.#awayUntil = Number.NEGATIVE_INFINITY;
    this.#ration.raise();
  }

  /** The vendor asked for fewer calls. */
  slowDown(cause: string, retryAfterMs?: number): void {
    this.#ration.throttle(Math.min(retryAfterMs ?? 0, patienceMs));
    this.#loseHeart(cause, this.#clock.monotonic());
  }

  /** A call did not get through at all: refused, reset, timed out. */
  suffer(cause: string): void {
    const now = this.#clock.monotonic();
    this.#troubles += 1;
    if (this.#troubles >= troublesUntilAway) this.#awayUntil = now + this.#awayMs();
    if (this.#troubles === troublesUntilAway) {
      this.#tell(
        `no call gets through: ${cause}. Asking again ever more rarely; without one success for 15 minutes it halts.`,
      );
    }
    this.#loseHeart(cause, now);
  }

  halt(reason: string): void {
    this.#haltReason ??= reason;
    this.#halt.abort();
  }

  /** Nobody comes any more: what others could use is given back by whoever finds this process gone. */
  close(): void {
    this.#halt.abort();
  }

  /** A place among the calls in flight, and how to leave it; undefined when closed. */
  async takeFlight(): Promise<(() => void) | undefined> {
    const leave = await this.#queueForFlight();
    if (!leave) return undefined;
    while (!this.#closed.aborted) {
      if (this.#ration.takeFlight()) {
        return () => {
          this.#ration.leaveFlight();
          leave();
          this.#changed.ring();
        };
      }
      await this.#changed.wait(this.#clock);
    }
    leave();
    return undefined;
  }

  /** Waits until nothing keeps calls away, and for a turn. Undefined when closed. */
  async takeTurn(): Promise<Turn | undefined> {
    while (!this.#closed.aborted) {
      const now = this.#clock.monotonic();
      const pause = Math.max(this.#ration.quietUntilMs, this.#awayUntil) - now;
      if (pause > 0) {
        await this.#changed.wait(this.#clock, pause);
        continue;
      }
      if (this.#troubles >= troublesUntilAway) this.#awayUntil = now + this.#awayMs();
      return await this.#pace.take(this.#closed);
    }
    return undefined;
  }

  /** Milliseconds until one more call does not make too many in one second. */
  get crowdedMs(): number {
    return this.#pace.crowdedMs;
  }

  noteDeparture(): void {
    this.#ration.noteCall();
    this.#pace.noteDeparture();
  }

  /** Ends early when closed. */
  async pause(ms: number): Promise<void> {
    await this.#clock.sleep(ms, this.#closed);
  }

  /** Whether a call may still leave on that turn. */
  isGood(turn: Turn | undefined): boolean {
    return turn !== undefined && this.#clock.monotonic() <= turn.goodUntilMs;
  }

  /** A call that hangs may keep its place for long: nobody waits for it once the gate is closed. */
  #queueForFlight(): Promise<(() => void) | undefined> {
    return new Promise((resolve) => {
      const giveUp = () => resolve(undefined);
      this.#waiting.add(giveUp);
      void this.#flights(() => {
        this.#waiting.delete(giveUp);
        if (this.#closed.aborted) return giveUp();
        return new Promise<void>((leave) => resolve(leave));
      });
    });
  }

  #turnAway(): void {
    this.#changed.ring();
    for (const giveUp of this.#waiting) giveUp();
  }

  #awayMs(): number {
    return Math.min(longestPauseMs, 250 * 2 ** Math.min(this.#troubles - troublesUntilAway, 8));
  }

  #loseHeart(cause: string, now: number): void {
    this.#troubledSince ??= now;
    if (now - this.#troubledSince >= patienceMs) {
      this.halt(`no call succeeded for 15 minutes, last: ${cause}`);
    }
  }
}

/**
 * Waits for a place and a turn at every one of these gates, so that the call may leave at once; answers how to leave, or
 * undefined when one of them is closed.
 */
export async function enterAll(gates: readonly Gate[]): Promise<(() => void) | undefined> {
  const leaves: (() => void)[] = [];
  const leaveAll = () => {
    for (const leave of leaves) leave();
  };
  let isIn = false;
  try {
    for (const gate of gates) {
      const leave = await gate.takeFlight();
      if (!leave) return undefined;
      leaves.push(leave);
    }
    isIn = await waitForTurns(gates);
  } finally {
    if (!isIn) leaveAll();
  }
  return isIn ? leaveAll : undefined;
}

/** False when one of them is closed. A turn that went stale while another was waited for is taken anew. */
async function waitForTurns(gates: readonly Gate[]): Promise<boolean> {
  const turns: (Turn | undefined)[] = gates.map(() => undefined);
  for (;;) {
    const missing = gates.findIndex((gate, index) => !gate.isGood(turns[index]));
    const gate = gates[missing];
    if (gate) {
      const turn = await gate.takeTurn();
      if (!turn) return false;
      turns[missing] = turn;
      continue;
    }
    const crowdedMs = Math.max(...gates.map((one) => one.crowdedMs));
    if (crowdedMs <= 0) break;
    await gates[0]?.pause(crowdedMs);
  }
  for (const gate of gates) gate.noteDeparture();
  return true;
}

/** Takes one of the limiter's places until the returned function is called. */
export function takePlace(limit: LimitFunction): Promise<() => void> {
  return new Promise((granted) => {
    void limit(() => new Promise<void>((leave) => granted(leave)));
  });
}
