/**
 * The tests of a normal run, in two halves for two processors; one alone where a seed is named. A process plays its first
 * hundred schedules at half its pace, and so plays all that is its own.
 */
import { expect, test } from 'vitest';
import { defects } from './defects.ts';
import { found } from './found.ts';
import { drawSchedule } from './schedule.ts';
import { describeFaults, playSeeds } from './tour.ts';

const usual = 2000;

export function testHalf(remainder: 0 | 1): void {
  const isMine = (number: number) => number % 2 === remainder;

  test(`whatever network and kills do, ${remainder === 0 ? 'even' : 'odd'} seeds: paid once, all accounted for, nothing told is lost, in pace`, async () => {
    expect(await playMine(isMine)).toEqual({ faults: '', hasMetTrouble: true });
  }, 3_600_000);

  test.each(found.filter(({ seed }) => isMine(seed)))('seed $seed: $claim', async ({ seed }) => {
    expect((await playSeeds([seed])).faults).toEqual([]);
  });

  test.each(Object.entries(defects).filter((_, index) => isMine(index)))('%s: is noticed', async (_, {
    plant,
    change,
    among,
    within,
  }) => {
    const seeds: number[] = [];
    for (let seed = 1; seeds.length < within; seed += 1) {
      if (among?.(drawSchedule(seed)) ?? true) seeds.push(seed);
    }
    const { faults } = await playSeeds(seeds, plant, 1, change);
    expect(faults).toHaveLength(1);
  });
}

/**
 * `MEDIASWEEP_SCHEDULES` says how many there are, `MEDIASWEEP_FIRST_SEED` where they begin, and `MEDIASWEEP_SEED` replays
 * a single one. `part` takes one of so many.
 */
export function chooseSeeds(part = 1): readonly number[] {
  const one = process.env['MEDIASWEEP_SEED'];
  if (one !== undefined) return [Number(one)];
  const first = Number(process.env['MEDIASWEEP_FIRST_SEED'] ?? 1);
  const count = Math.ceil(Number(process.env['MEDIASWEEP_SCHEDULES'] ?? usual) / part);
  return Array.from({ length: count }, (_, index) => first + index);
}

/**
 * A simulation that met no trouble would hold every invariant, and so it tells that too.
 */
async function playMine(
  isMine: (seed: number) => boolean,
): Promise<{ faults: string; hasMetTrouble: boolean }> {
  const all = chooseSeeds();
  const beganMs = performance.now();
  const tour = await playSeeds(all.filter(isMine));
  const { schedules, shared, sessions, kills, carriedOut, uncertain, lost, caps } = tour;
  const overshoot = Number(tour.overshoot) / 1e9;
  process.stdout.write(
    `simulation: ${schedules} schedules in ${Math.round((performance.now() - beganMs) / 1000)} s, ${shared} of them with several ` +
      `pipelines at once, ${sessions} sessions, ${kills} kills, ${carriedOut} elements carried out, ${lost} lost from sight, ` +
      `${uncertain} units uncertain, ${caps} caps, the largest overshoot ${overshoot}\n`,
  );
  return {
    faults: describeFaults(tour.faults),
    hasMetTrouble:
      all.length === 1 || (kills > schedules * 0.5 && lost > schedules && shared > schedules * 0.3),
  };
}
