/**
 * One gate's part of limits that it shares with other processes: what it was granted, and when it asks again. It asks for
 * turns in slices, for places when it runs out of them, and gives back what it has not used for a while.
 */
import type { Clock } from '../domain/clock.ts';
import {
  lowerEveryMs,
  lowerShare,
  type Need,
  type PaceGrant,
  type PaceOffice,
  raiseShare,
  type Turns,
} from '../domain/pace.ts';
import type { Limits } from '../domain/settings.ts';

export interface RationOptions {
  readonly clock: Clock;
  readonly office: PaceOffice;
  /** Which limit it is, and which of this process's gates this is. */
  readonly limit: string;
  readonly part: string;
  readonly limits: Limits;
  /** Elements of its largest call. */
  readonly grain: number;
  /** What was granted may have changed. */
  readonly changed: () => void;
}

/** Places of one kind. */
interface Places {
  used: number;
  /** Most that were used or needed at once lately, and in the while before. */
  peak: number;
  peakBefore: number;
  granted: number;
  /** What the others see as ours: what was granted, or what was in use where that was more. */
  held: number;
  /** Someone waits for more than was granted. */
  isShort: boolean;
}

const firstWanted = 16;
/** Who was granted no more than before asks again after so long, and then ever more rarely. */
const firstAskMs = 250;
const longestAskMs = 2000;
/** What was not used in so long, twice in a row, is given back. */
const lookBackMs = 1000;

export class Ration {
  readonly #options: RationOptions;
  readonly #closed: AbortSignal;
  readonly #flights: Places = makePlaces();
  readonly #jobs: Places = makePlaces();
  #share = 1;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #lastLowered = Number.NEGATIVE_INFINITY;
  /** To be told at the next exchange. */
  #news = { isThrottled: false, successes: 0, quietMs: 0, calls: 0 };
  #last: Promise<unknown> = Promise.resolve();
  #isNew = true;
  #isAsking = false;
  #isLookingBack = false;
  #isGivingBack = false;
  /** Of the gate's turns: some that will be used soon are leased, and those that will not are let go. */
  prefetchTurns: () => Promise<void> = async () => {};
  dropTurns: () => { readonly fromMs: number; readonly endMs: number } | undefined = () => undefined;

  constructor(options: RationOptions, closed: AbortSignal) {
    this.#options = options;
    this.#closed = closed;
  }

  /** As far as this process knows; others may have lowered it meanwhile. */
  get share(): number {
    return this.#share;
  }

  get quietUntilMs(): number {
    return this.#quietUntilMs;
  }

  /** Calls that may be in flight at once; none before the first exchange. */
  get flights(): number {
    return Math.min(this.#flights.granted, this.#scaledFlights);
  }

  get openJobs(): number {
    return this.#jobs.used;
  }

  /** Whether so many more jobs may be open; where not, more room is asked for. */
  hasJobRoom(elements: number): boolean {
    const { used, granted } = this.#jobs;
    // A single call larger than the limit must still be able to go, alone.
    const needed = used === 0 ? Math.min(elements, this.#options.limits.maxOpenJobs) : elements;
    if (used + needed <= granted) return true;
    if (granted < this.#options.limits.maxOpenJobs) this.#fallShort(this.#jobs, needed);
    return false;
  }

  keepJobRoom(elements: number): void {
    this.#jobs.peak = Math.max(this.#jobs.peak, this.#jobs.used + elements);
  }

  countJobs(change: number): void {
    count(this.#jobs, change);
    if (change < 0) this.#giveBack();
  }

  /** Takes a place among the calls in flight, if there is one; where not, more are asked for. */
  takeFlight(): boolean {
    const isFree = this.#flights.used < this.flights;
    if (isFree) count(this.#flights, 1);
    else if (this.#flights.granted < this.#scaledFlights) this.#fallShort(this.#flights, 1);
    return isFree;
  }

  leaveFlight(): void {
    count(this.#flights, -1);
    this.#giveBack();
  }

  /** Tells the others what is in use, where an earlier session of this name may have left something else on the board. */
  async report(isLast: boolean): Promise<void> {
    await this.#exchange(0, isLast);
    // Whoever begins after it needs turns all the same.
    this.#isNew = true;
  }

  async lease(turns: number): Promise<Turns> {
    return (await this.#exchange(turns)).turns;
  }

  /** The vendor asked for fewer calls. Others are told at once. */
  throttle(quietMs: number): void {
    const now = this.#options.clock.monotonic();
    const isLowering = now - this.#lastLowered >= lowerEveryMs;
    const isLonger = quietMs > 0 && now + quietMs > this.#quietUntilMs;
    if (isLowering) {
      this.#lastLowered = now;
      this.#share = lowerShare(this.#share);
      this.#news.isThrottled = true;
    }
    if (isLonger) {
      this.#quietUntilMs = now + quietMs;
      this.#news.quietMs = quietMs;
    }
    if (isLowering || isLonger) this.#exchange(0).catch(() => undefined);
  }

  /** A call leaves. */
  noteCall(): void {
    this.#news.calls += 1;
  }

  /** The vendor answered in good order. */
  raise(): void {
    if (this.#share === 1) return;
    this.#news.successes += 1;
    this.#share = raiseShare(this.#share, 1);
  }

  #fallShort(places: Places, needed: number): void {
    places.isShort = true;
    // Kept for a while, also where something else still keeps the call waiting.
    places.peak = Math.max(places.peak, places.used + needed);
    if (this.#isAsking) return;
    this.#isAsking = true;
    void this.#askOn();
  }

  /** For as long as someone is short. */
  async #askOn(): Promise<void> {
    for (let waitMs = firstAskMs; this.#isShort && !this.#closed.aborted; ) {
      const before = this.#flights.granted + this.#jobs.granted;
      // Whoever begins needs turns too: one commit brings all.
      const asking: Promise<unknown> = this.#isNew ? this.prefetchTurns() : this.#exchange(0);
      await asking.catch(() => undefined);
      // What is granted is taken up first, by those who heard of it.
      if (this.#flights.granted + this.#jobs.granted > before)
        await this.#options.clock.sleep(0, this.#closed);
      else {
        await this.#options.clock.sleep(waitMs, this.#closed);
        waitMs = Math.min(longestAskMs, waitMs * 2);
      }
    }
    this.#isAsking = false;
  }

  get #isShort(): boolean {
    return this.#flights.isShort || this.#jobs.isShort;
  }

  /** What is held and not used: at once where it is more than our part, since others wait for it. */
  #giveBack(): void {
    const both = [this.#flights, this.#jobs];
    if (!both.some(hasIdle)) return;
    if (!this.#isGivingBack && both.some((places) => hasIdle(places) && places.held > places.granted)) {
      this.#isGivingBack = true;
      const done = () => {
        this.#isGivingBack = false;
      };
      this.#exchange(0).then(done, done);
    }
    if (this.#isLookingBack) return;
    this.#isLookingBack = true;
    void this.#lookBack();
  }

  /** Until no more is held than is used. */
  async #lookBack(): Promise<void> {
    const both = [this.#flights, this.#jobs];
    while (both.some(hasIdle) && !this.#closed.aborted) {
      await this.#options.clock.sleep(lookBackMs, this.#closed);
      for (const places of both) {
        places.peakBefore = places.peak;
        places.peak = places.used;
      }
      const hasTooMany = both.some(({ held, peak, peakBefore }) => held > Math.max(peak, peakBefore));
      if (hasTooMany && !this.#closed.aborted) await this.#exchange(0).catch(() => undefined);
    }
    this.#isLookingBack = false;
  }

  /** One after the other, so that no grant is overtaken by an older one. */
  #exchange(turns: number, hasTakenOver = false): Promise<PaceGrant> {
    const exchange = this.#last.then(() => this.#exchangeNow(turns, hasTakenOver));
    this.#last = exchange.catch(() => undefined);
    return exchange;
  }

  async #exchangeNow(turns: number, hasTakenOver: boolean): Promise<PaceGrant> {
    const { office, limit, part, limits, grain, changed } = this.#options;
    const { isThrottled, successes, quietMs, calls } = this.#news;
    this.#news = { isThrottled: false, successes: 0, quietMs: 0, calls: 0 };
    this.#isNew = false;
    const unused = isThrottled || (this.#flights.used === 0 && turns === 0) ? this.dropTurns() : undefined;
    const flights = describe(this.#flights, limits.concurrency);
    const jobs = { ...describe(this.#jobs, limits.maxOpenJobs, grain), grain };
    const grant = await office.exchange({
      limit,
      part,
      hasTakenOver,
      limits,
      turns,
      unused,
      flights,
      jobs,
      isThrottled,
      successes,
      quietMs,
      calls,
    });
    for (const [places, used, granted] of [
      [this.#flights, flights.used, grant.flights],
      [this.#jobs, jobs.used, grant.jobs],
    ] as const) {
      places.granted = granted;
      places.held = Math.max(granted, used);
      places.isShort = false;
    }
    this.#share = raiseShare(grant.share, this.#news.successes);
    if (this.#news.isThrottled) this.#share = lowerShare(this.#share);
    this.#quietUntilMs = Math.max(this.#quietUntilMs, grant.quietUntilMs);
    this.#giveBack();
    // Whoever is still short says so again.
    changed();
    return grant;
  }

  get #scaledFlights(): number {
    return Math.max(1, Math.round(this.#options.limits.concurrency * this.#share));
  }
}

function makePlaces(): Places {
  return { used: 0, peak: 0, peakBefore: 0, granted: 0, held: 0, isShort: false };
}

function hasIdle({ held, used }: Places): boolean {
  return held > used;
}

function count(places: Places, change: number): void {
  places.used += change;
  places.peak = Math.max(places.peak, places.used);
}

function describe(places: Places, limit: number, grain = 1): Need {
  const { used, peak, peakBefore, granted, isShort } = places;
  const wanted = isShort ? Math.max(firstWanted, grain, granted * 2) : 0;
  return { used, wanted: Math.min(limit, Math.max(wanted, peak, peakBefore)) };
}
