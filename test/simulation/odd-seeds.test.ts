import { expect, test } from 'vitest';
import { playHalf } from './half.ts';

test('whatever network and kills do, odd seeds: paid once, all accounted for, nothing told is lost, in pace', async () => {
  expect(await playHalf(1)).toEqual({ faults: '', hasMetTrouble: true });
}, 3_600_000);
