/** Calls per second by the generic cell rate algorithm: evenly spaced, never more than perSecond + 1 in any second. */
import type { Clock } from '../domain/clock.ts';

export class Pace {
  readonly #clock: Clock;
  readonly #fullRate: number;
  #rate: number;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#fullRate = perSecond;
    this.#rate = perSecond;
  }

  /** Lowers or restores the rate: `share` of the full one, from 0 (exclusive) to 1. */
  scale(share: number): void {
    this.#rate = this.#fullRate * share;
  }

  /** Resolves when the next call may leave; turns are given in the order of asking. False where `signal` came first. */
  async take(signal?: AbortSignal): Promise<boolean> {
    const now = this.#clock.monotonic();
    const turn = Math.max(now, this.#nextAt);
    this.#nextAt = turn + 1000 / this.#rate;
    // A timer may fire a little early; the turn is what was promised to the vendor.
    for (let wait = turn - now; wait > 0; wait = turn - this.#clock.monotonic()) {
      await this.#clock.sleep(wait, signal);
      if (signal?.aborted) return false;
    }
    return !signal?.aborted;
  }
}
