import { expect, test } from 'vitest';
import { defects } from './defects.ts';
import { playSeeds } from './tour.ts';

test.each(Object.entries(defects))('%s: is noticed', async (_, { plant, within, change }) => {
  const seeds = Array.from({ length: within }, (__, index) => index + 1);
  const { faults } = await playSeeds(seeds, plant, 1, change);
  expect(faults).toHaveLength(1);
});
