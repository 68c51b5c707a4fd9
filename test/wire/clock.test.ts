/** The machine's clock keeps the seam's promises. */
import { expect, it } from 'vitest';
import { systemClock } from '../../src/wire/clock.ts';

it('now is the time of the machine, and monotonic never runs backwards', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  let last = systemClock.monotonic();
  for (let round = 0; round < 1000; round += 1) {
    const next = systemClock.monotonic();
    expect(next).toBeGreaterThanOrEqual(last);
    last = next;
  }
});

it('a sleep takes its time, and ends at once and without an error when its signal aborts', async () => {
  const before = systemClock.monotonic();
  await systemClock.sleep(30);
  expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(28);
  const stop = new AbortController();
  const asleep = systemClock.sleep(3_600_000, stop.signal);
  stop.abort();
  await asleep;
  await systemClock.sleep(3_600_000, stop.signal);
  expect(systemClock.monotonic() - before).toBeLessThan(10_000);
});
