/**
 * What an account lets through: calls at once, calls a second, jobs open. The gate lowers itself when the vendor asks
 * (multiplicative decrease), raises itself with every success (additive increase), waits where nothing gets through,
 * and closes for good when the account is halted.
 */
import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Clock } from '../domain/clock.ts';
import type { Limits } from '../domain/settings.ts';
import { Bell } from './bell.ts';
import { Pace } from './pace.ts';

/** Without one success for this long, a gate in trouble halts its account. DESIGN, "Retry by phase". */
const patienceMs = 15 * 60_000;
/** One burst of throttled answers lowers the gate once. */
const decreaseEveryMs = 1000;
const raiseBy = 0.02;
const lowestShare = 1 / 64;
const longestPauseMs = 60_000;
/** A single loss is ordinary; a row of them is a vendor that is away, asked ever more rarely. */
const troublesUntilAway = 5;

export class Gate {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #flights: LimitFunction;
  readonly #pace: Pace;
  /** Submissions whose intent may be durable before a flight is free; keeps the crash's unknowns few. */
  readonly aheadLimit: number;
  #share = 1;
  #lastDecrease = Number.NEGATIVE_INFINITY;
  #troubles = 0;
  #troubledSince: number | undefined;
  /** What Retry-After asked for. */
  #quietUntil = Number.NEGATIVE_INFINITY;
  /** While nothing gets through, one call at a time asks whether something does again; the others wait until then. */
  #awayUntil = Number.NEGATIVE_INFINITY;
  readonly #changed = new Bell();
  /** Those who wait for a place among the calls in flight. */
  readonly #waiting = new Set<() => void>();
  #openJobs = 0;
  #haltReason: string | undefined;
  readonly #halt = new AbortController();
  /** Aborted when the run stops or the account halts. */
  readonly #closed: AbortSignal;

  constructor(clock: Clock, limits: Limits, stop: AbortSignal) {
    this.#clock = clock;
    this.#closed = AbortSignal.any([stop, this.#halt.signal]);
    // Every call that waits for its turn listens; that is no leak.
    setMaxListeners(0, this.#closed);
    this.#closed.addEventListener('abort', () => this.#turnAway(), { once: true });
    this.#limits = limits;
    this.#flights = pLimit(limits.concurrency);
    this.#pace = new Pace(clock, limits.perSecond);
    this.aheadLimit = Math.max(1, Math.min(limits.concurrency, 16, Math.ceil(limits.perSecond * 0.02)));
  }

  /** Why the account stands still for the rest of the run; undefined while it does not. */
  get haltReason(): string | undefined {
    return this.#haltReason;
  }

  get openJobs(): number {
    return this.#openJobs;
  }

  /** Share of the configured limits that is let through at the moment. */
  get share(): number {
    return this.#share;
  }

  /** Waits for a place among the calls in flight and for its turn; answers how to leave, or undefined when closed. */
  async enter(): Promise<(() => void) | undefined> {
    const signal = this.#closed;
    const leave = await this.#takeFlight();
    if (!leave) return undefined;
    while (!signal.aborted) {
      const now = this.#clock.monotonic();
      const pause = Math.max(this.#quietUntil, this.#awayUntil) - now;
      if (pause > 0) {
        await this.#changed.wait(this.#clock, pause);
        continue;
      }
      if (this.#troubles >= troublesUntilAway) this.#awayUntil = now + this.#awayMs();
      if (await this.#pace.take(signal)) return leave;
    }
    leave();
    return undefined;
  }

  hasJobRoom(elements: number): boolean {
    // A single call larger than the limit must still be able to go, alone.
    return this.#openJobs === 0 || this.#openJobs + elements <= this.#limits.maxOpenJobs;
  }

  countJobs(change: number): void {
    this.#openJobs += change;
  }

  /** A call that the vendor answered in good order. */
  succeed(): void {
    if (this.#troubles >= troublesUntilAway) this.#changed.ring();
    this.#troubles = 0;
    this.#troubledSince = undefined;
    this.#awayUntil = Number.NEGATIVE_INFINITY;
    if (this.#share < 1) this.#setShare(Math.min(1, this.#share + raiseBy));
  }

  /** The vendor asked for fewer calls. */
  slowDown(cause: string, retryAfterMs?: number): void {
    const now = this.#clock.monotonic();
    if (retryAfterMs !== undefined) {
      this.#quietUntil = Math.max(this.#quietUntil, now + Math.min(retryAfterMs, patienceMs));
    }
    if (now - this.#lastDecrease >= decreaseEveryMs) {
      this.#lastDecrease = now;
      this.#setShare(Math.max(lowestShare, this.#share / 2));
    }
    this.#loseHeart(cause, now);
  }

  /** A call did not get through at all: refused, reset, timed out. */
  suffer(cause: string): void {
    const now = this.#clock.monotonic();
    this.#troubles += 1;
    if (this.#troubles >= troublesUntilAway) this.#awayUntil = now + this.#awayMs();
    this.#loseHeart(cause, now);
  }

  halt(reason: string): void {
    this.#haltReason ??= reason;
    this.#halt.abort();
  }

  /** A call that hangs may keep its place for long: nobody waits for it once the gate is closed. */
  #takeFlight(): Promise<(() => void) | undefined> {
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

  #setShare(share: number): void {
    this.#share = share;
    this.#flights.concurrency = Math.max(1, Math.round(this.#limits.concurrency * share));
    this.#pace.scale(share);
  }
}

/** Takes one of the limiter's places until the returned function is called. */
export function takePlace(limit: LimitFunction): Promise<() => void> {
  return new Promise((granted) => {
    void limit(() => new Promise<void>((leave) => granted(leave)));
  });
}
