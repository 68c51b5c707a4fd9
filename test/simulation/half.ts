/** The schedules of a normal run, in two halves for two processors; one alone where a seed is named. */
import { describeFaults, playSeeds } from './tour.ts';

const usual = 1400;

/**
 * `MEDIASWEEP_SCHEDULES` says how many there are, `MEDIASWEEP_FIRST_SEED` where they begin, and `MEDIASWEEP_SEED` replays
 * a single one. A simulation that met no trouble would hold every invariant, and so it tells that too.
 */
export async function playHalf(remainder: 0 | 1): Promise<{ faults: string; hasMetTrouble: boolean }> {
  const one = process.env['MEDIASWEEP_SEED'];
  const first = Number(process.env['MEDIASWEEP_FIRST_SEED'] ?? 1);
  const count = Number(process.env['MEDIASWEEP_SCHEDULES'] ?? usual);
  const all = one === undefined ? Array.from({ length: count }, (_, index) => first + index) : [Number(one)];
  const seeds = all.filter((seed) => seed % 2 === remainder);
  const tour = await playSeeds(seeds);
  const { schedules, shared, sessions, kills, carriedOut, uncertain, lost } = tour;
  process.stdout.write(
    `simulation: ${schedules} schedules, ${shared} of them with several pipelines at once, ${sessions} sessions, ` +
      `${kills} kills, ${carriedOut} elements carried out, ${lost} lost from sight, ${uncertain} units uncertain\n`,
  );
  return {
    faults: describeFaults(tour.faults),
    hasMetTrouble:
      one !== undefined || (kills > schedules * 0.5 && lost > schedules && shared > schedules * 0.3),
  };
}
