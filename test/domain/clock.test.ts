import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jitter } from '../../src/domain/clock.ts';

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
