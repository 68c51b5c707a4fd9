/** The turns of one gate: taken in the order of asking, from slices that are leased ahead, and never too many in a second. */
import type { Clock } from '../domain/clock.ts';
import { mostInSecond, type Turns } from '../domain/pace.ts';

/** A call may leave from now on until then. */
export interface Turn {
  readonly goodUntilMs: number;
}

/** Turns that were leased and not used yet. */
interface Slice {
  atMs: number;
  readonly everyMs: number;
  readonly graceMs: number;
  readonly size: number;
  readonly endMs: number;
  left: number;
}

/** Turns that follow each other more slowly leave time enough to lease the next when it is needed. */
const hastyMs = 60;

export class Pace {
  readonly #clock: Clock;
  /** Leases more turns. */
  readonly #lease: (count: number) => Promise<Turns>;
  readonly #departures: Departures;
  #slices: Slice[] = [];
  #leasing: Promise<void> | undefined;
  /** Whoever asked last; turns are given in the order of asking. */
  #last: Promise<unknown> = Promise.resolve();
  /** Turns taken since the last lease: about as many will be of use soon. */
  #used = Number.MAX_SAFE_INTEGER / 4;

  constructor(clock: Clock, perSecond: number, lease: (count: number) => Promise<Turns>) {
    this.#clock = clock;
    this.#lease = lease;
    this.#departures = new Departures(mostInSecond(perSecond));
  }

  /** Resolves when the next turn has come. Undefined where `signal` came first. */
  take(signal: AbortSignal): Promise<Turn | undefined> {
    const turn = this.#last.then(() => this.#takeNext(signal));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Milliseconds until one more call does not make too many in one second. */
  get crowdedMs(): number {
    return this.#departures.crowdedMs(this.#clock.monotonic());
  }

  noteDeparture(): void {
    this.#departures.note(this.#clock.monotonic());
  }

  /** The turns that are left, which are not used any more. */
  drop(): { readonly fromMs: number; readonly endMs: number } | undefined {
    const last = this.#slices.at(-1);
    // Those of an earlier slice may have been followed by another process's.
    const dropped = last && { fromMs: last.atMs, endMs: last.endMs };
    this.#slices = [];
    return dropped;
  }

  async #takeNext(signal: AbortSignal): Promise<Turn | undefined> {
    while (!signal.aborted) {
      const slice = this.#findSlice();
      if (!slice) {
        await this.#refill();
        continue;
      }
      const waitMs = slice.atMs - this.#clock.monotonic();
      if (waitMs > 0) {
        await this.#clock.sleep(waitMs, signal);
        // Meanwhile the turns may have been dropped, and a timer may fire a little early.
        continue;
      }
      const goodUntilMs = slice.atMs + slice.graceMs;
      slice.atMs += slice.everyMs;
      slice.left -= 1;
      this.#used += 1;
      const isEnding = this.#slices.length === 1 && slice.left <= slice.size / 2;
      // Where this fails, whoever finds no turn tries again, and is told.
      if (isEnding && slice.everyMs < hastyMs) this.#refill().catch(() => undefined);
      return { goodUntilMs };
    }
    return undefined;
  }

  /** Leases turns that will be of use soon. */
  prefetch(): Promise<void> {
    return this.#refill();
  }

  #refill(): Promise<void> {
    this.#leasing ??= this.#leaseMore().finally(() => {
      this.#leasing = undefined;
    });
    return this.#leasing;
  }

  async #leaseMore(): Promise<void> {
    const wanted = this.#used * 2 + 1;
    this.#used = 0;
    const { firstAtMs, everyMs, graceMs, count } = await this.#lease(wanted);
    const endMs = firstAtMs + count * everyMs;
    this.#slices.push({ atMs: firstAtMs, everyMs, graceMs, size: count, endMs, left: count });
  }

  /** The first slice with a turn that is still good. */
  #findSlice(): Slice | undefined {
    const now = this.#clock.monotonic();
    for (let slice = this.#slices[0]; slice; slice = this.#slices[0]) {
      const late = Math.floor((now - slice.atMs - slice.graceMs) / slice.everyMs) + 1;
      if (late > 0) {
        slice.atMs += late * slice.everyMs;
        slice.left -= late;
      }
      if (slice.left > 0) return slice;
      this.#slices.shift();
    }
    return undefined;
  }
}

/** When calls left, as far as they still count. */
class Departures {
  readonly #most: number;
  #times: number[] = [];
  #head = 0;

  constructor(most: number) {
    this.#most = most;
  }

  crowdedMs(nowMs: number): number {
    const nth = this.#times.length - this.#most;
    const before = nth < this.#head ? undefined : this.#times[nth];
    return before === undefined ? 0 : before + 1000 - nowMs;
  }

  note(nowMs: number): void {
    while (this.#head < this.#times.length && (this.#times[this.#head] as number) <= nowMs - 1000)
      this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
    this.#times.push(nowMs);
  }
}
