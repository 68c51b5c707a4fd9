import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jitter, nextLocalTime, parseTimeOfDay } from '../../src/domain/clock.ts';

describe('jitter', () => {
  it('is from 0 to below 1, and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (seed) => {
        const value = jitter(seed);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
        expect(jitter(seed)).toBe(value);
      }),
    );
  });

  it('spreads seeds that differ only in a number evenly', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 10_000; index += 1) {
      const tenth = Math.floor(jitter(`task-${index}`) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(800);
    expect(Math.max(...tenths)).toBeLessThan(1200);
  });
});

describe('a time of day', () => {
  it.each([
    ['06:00', { hour: 6, minute: 0 }],
    ['6:05', { hour: 6, minute: 5 }],
    ['23:59', { hour: 23, minute: 59 }],
    ['24:00', undefined],
    ['06:60', undefined],
    ['6', undefined],
    ['06:00:00', undefined],
    ['', undefined],
  ])('"%s" is read', (text, time) => {
    expect(parseTimeOfDay(text)).toEqual(time);
  });

  it('comes next today, or tomorrow where it has passed', () => {
    const noon = new Date(2026, 10, 20, 12, 0, 0).getTime();
    const at = (hour: number, minute: number) => new Date(nextLocalTime(noon, { hour, minute }));
    expect(at(12, 1)).toEqual(new Date(2026, 10, 20, 12, 1));
    expect(at(12, 0)).toEqual(new Date(2026, 10, 21, 12, 0));
    expect(at(6, 30)).toEqual(new Date(2026, 10, 21, 6, 30));
  });
});
