/**
 * What Redis' clock shows, told in time of this process' own monotonic clock. An answer says only that Redis read its
 * clock at some moment between the question and the answer; several answers narrow that down.
 */

interface Reading {
  /** Ours minus theirs, at the least and at the most. */
  readonly leastMs: number;
  readonly mostMs: number;
  readonly atMs: number;
}

/** Clocks drift: what was read longer ago counts no more. */
const keptMs = 10_000;

export class ClockReading {
  #readings: Reading[] = [];

  /** Redis showed `theirMs` between `askedMs` and `toldMs` of our clock. */
  note(askedMs: number, theirMs: number, toldMs: number): void {
    const reading = { leastMs: askedMs - theirMs, mostMs: toldMs - theirMs, atMs: toldMs };
    const kept = this.#readings.filter(({ atMs }) => atMs > toldMs - keptMs);
    // Readings that contradict each other: one of the clocks was set, and what was read before is void.
    const isSet = kept.some(({ leastMs, mostMs }) => leastMs > reading.mostMs || mostMs < reading.leastMs);
    this.#readings = isSet ? [reading] : [...kept, reading];
  }

  /** Added to a time of theirs, it gives one of ours: never too early, and too late by `slackMs` at most. */
  offset(): { readonly ms: number; readonly slackMs: number } {
    const ms = Math.min(...this.#readings.map(({ mostMs }) => mostMs));
    const leastMs = Math.max(...this.#readings.map(({ leastMs: least }) => least));
    return { ms, slackMs: ms - leastMs };
  }
}
