/** Plays many schedules and names those that broke an invariant. */
import { judge, weighCaps } from './judge.ts';
import type { Schedule } from './schedule.ts';
import type { Plant } from './sim-session.ts';
import { Theatre } from './simulate.ts';

export interface Fault {
  readonly seed: number;
  readonly faults: readonly string[];
}

export interface Tour {
  readonly schedules: number;
  /** Those in which several pipelines run at the same time. */
  readonly shared: number;
  readonly sessions: number;
  readonly kills: number;
  readonly carriedOut: number;
  /** Units that were uncertain at the end, of those that were lost from sight. */
  readonly uncertain: number;
  readonly lost: number;
  /** Caps that were held, and the most by which one was passed, in billionths of the currency. */
  readonly caps: number;
  readonly overshoot: bigint;
  readonly faults: readonly Fault[];
}

export async function playSeeds(
  seeds: Iterable<number>,
  plant?: Plant,
  mostFaults = 5,
  change?: (schedule: Schedule) => Schedule,
  theatre = new Theatre(),
): Promise<Tour> {
  const counts = {
    schedules: 0,
    shared: 0,
    sessions: 0,
    kills: 0,
    carriedOut: 0,
    uncertain: 0,
    lost: 0,
    caps: 0,
  };
  let overshoot = 0n;
  const faults: Fault[] = [];
  try {
    for (const seed of seeds) {
      counts.schedules += 1;
      try {
        const played = await theatre.play(seed, plant, change);
        counts.shared += Number(played.pipelines.length > 1);
        counts.sessions += played.lostAtEnds.length;
        counts.kills += played.lostAtEnds.filter(({ isKill }) => isKill).length;
        counts.carriedOut += played.vendor.carried.length;
        for (const { uncertain } of Object.values(played.booked)) counts.uncertain += uncertain;
        for (const elements of Object.values(played.network.unknown)) counts.lost += elements;
        for (const { limit, spent } of weighCaps(played)) {
          counts.caps += 1;
          if (spent - limit > overshoot) overshoot = spent - limit;
        }
        const broken = judge(played);
        if (broken.length > 0) faults.push({ seed, faults: broken });
      } catch (error) {
        faults.push({ seed, faults: [String(error)] });
      }
      if (faults.length >= mostFaults) break;
    }
  } finally {
    await theatre.close();
  }
  return { ...counts, overshoot, faults };
}

/** How to see a fault again. */
export function describeFaults(faults: readonly Fault[]): string {
  return faults
    .map(
      ({ seed, faults: broken }) =>
        `MEDIASWEEP_SEED=${seed} npx vitest run test/simulation: ${broken.join('; ')}`,
    )
    .join('\n');
}
