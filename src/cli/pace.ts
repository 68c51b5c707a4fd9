/** How fast a run goes, and how long it will still take: from the counts of its last minute. */
import type { Progress } from '../domain/progress.ts';

/** Speed is that of the last seconds; what is left is reckoned over a longer stretch, lest it jump about. */
const speedMs = 10_000;
const forecastMs = 60_000;

interface Sample {
  readonly atMs: number;
  readonly settled: number;
}

export interface PaceReading {
  /** Tasks that came to an end, a second. */
  readonly perSecond: number;
  /** Only where listing is done and something moves. */
  readonly leftMs?: number | undefined;
}

/** Remembers about a minute of progress. */
export class Pace {
  #samples: readonly Sample[] = [];

  /** Times are of a clock that never runs backwards. */
  read(progress: Progress, atMs: number): PaceReading {
    const settled = countSettled(progress);
    this.#samples = trim([...this.#samples, { atMs, settled }], atMs - forecastMs);
    const left = progress.planned - settled;
    const forecast = this.#speedOver(forecastMs, atMs);
    const isForeseeable = progress.isListed && left > 0 && forecast > 0;
    return {
      perSecond: this.#speedOver(speedMs, atMs),
      leftMs: isForeseeable ? (left / forecast) * 1000 : undefined,
    };
  }

  #speedOver(spanMs: number, nowMs: number): number {
    const from = trim(this.#samples, nowMs - spanMs)[0];
    const to = this.#samples.at(-1);
    if (!from || !to || to.atMs <= from.atMs) return 0;
    return Math.max(0, ((to.settled - from.settled) / (to.atMs - from.atMs)) * 1000);
  }
}

/** Tasks that came to an end in this session. */
export function countSettled(progress: Progress): number {
  return progress.answered + progress.failed + progress.held + (progress.overCap ?? 0);
}

/** Leaves out what is older than `sinceMs`, but for the newest of it, from which the span is measured. */
function trim(samples: readonly Sample[], sinceMs: number): readonly Sample[] {
  const newer = samples.findIndex(({ atMs }) => atMs > sinceMs);
  return newer <= 0 ? (newer === -1 ? samples.slice(-1) : samples) : samples.slice(newer - 1);
}
