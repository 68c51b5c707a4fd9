import { expect, test } from 'vitest';
import { defects } from './defects.ts';
import { drawSchedule } from './schedule.ts';
import { playSeeds } from './tour.ts';

test.each(Object.entries(defects))('%s: is noticed', async (_, { plant, change, among, within }) => {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < within; seed += 1) {
    if (among?.(drawSchedule(seed)) ?? true) seeds.push(seed);
  }
  const { faults } = await playSeeds(seeds, plant, 1, change);
  expect(faults).toHaveLength(1);
});
