/** Redis' clock as this process tells it: never earlier than it is, and no vaguer than the best answer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClockReading } from '../../src/cluster/clock-reading.ts';

/** What it takes to Redis and back, in milliseconds. */
const ways = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 400 })), {
  minLength: 1,
  maxLength: 20,
});

test('a time of theirs is never told too early, nor later than the slack says', () => {
  fc.assert(
    fc.property(ways, fc.integer({ min: -1_000_000, max: 1_000_000 }), (trips, apartMs) => {
      const reading = new ClockReading();
      let oursMs = 5_000_000;
      for (const [there, back] of trips) {
        reading.note(oursMs, oursMs + there + apartMs, oursMs + there + back);
        oursMs += there + back + 1;
      }
      const { ms, slackMs } = reading.offset();
      // Theirs is ours and `apartMs`.
      const trueMs = -apartMs;
      expect(ms).toBeGreaterThanOrEqual(trueMs);
      expect(ms - slackMs).toBeLessThanOrEqual(trueMs);
      expect(slackMs).toBeLessThanOrEqual(Math.min(...trips.map(([there, back]) => there + back)));
    }),
  );
});

test('a clock that was set makes what was read before void', () => {
  const reading = new ClockReading();
  reading.note(0, 1000, 2);
  reading.note(100, 500, 110);
  expect(reading.offset()).toEqual({ ms: -390, slackMs: 10 });
});

test('what was read long ago does not count for ever', () => {
  const reading = new ClockReading();
  reading.note(0, 1000, 1);
  reading.note(20_000, 21_020, 20_040);
  expect(reading.offset()).toEqual({ ms: -980, slackMs: 40 });
});
