import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageSums } from '../../src/domain/cost.ts';
import { addTheirs, Marks, reconcile } from '../../src/domain/reconcile.ts';

const key = { when: '2026-11-20', sku: 'v/a' };
const tolerance = 10_000_000n;
const ours = (changes: Partial<UsageSums> = {}): UsageSums => ({
  observed: 100,
  estimated: 0,
  uncertain: 0,
  free: 0,
  pack: 0,
  charge: 460_000_000n,
  isComplete: true,
  ...changes,
});

describe('two counts side by side', () => {
  it.each([
    ['the same units and amount', { units: 100, amount: 460_000_000n }, ours(), 'matched', ''],
    ['an amount that is rounded', { units: 100, amount: 470_000_000n }, ours(), 'matched', ''],
    ['units alone', { units: 100 }, ours(), 'matched', ''],
    ['an amount alone', { amount: 460_000_000n }, ours(), 'matched', ''],
    [
      'an amount of theirs where we have no price',
      { units: 100, amount: 5n },
      ours({ isComplete: false }),
      'differs',
      'amount: -0.459999995; a price of ours is missing',
    ],
    [
      'an amount that lies further apart',
      { units: 100, amount: 480_000_000n },
      ours(),
      'differs',
      'amount: +0.02',
    ],
    [
      'an amount without the share of packs',
      { units: 100, amount: 60_000_000n },
      ours({ pack: 80 }),
      'differs',
      'amount: -0.4; 80 units of ours went through packs: our charge bears their share of the cost, a bill may not',
    ],
    ['fewer units of theirs', { units: 97 }, ours({ estimated: 0 }), 'differs', 'units: -3'],
    [
      'more units, which the uncertain ones of ours explain',
      { units: 102 },
      ours({ uncertain: 3 }),
      'differs',
      'units: +2; within the 3 uncertain units of ours',
    ],
    [
      'units that ours only estimate',
      { units: 90 },
      ours({ observed: 60, estimated: 40 }),
      'differs',
      'units: -10; 40 units of ours are estimated',
    ],
    ['what only they know', { units: 1 }, undefined, 'theirs-only', ''],
    ['what only we know', undefined, ours(), 'ours-only', ''],
    [
      'calls of ours that were not billed after all',
      undefined,
      ours({ observed: 0, uncertain: 2, charge: 0n }),
      'ours-only',
      '2 uncertain units: not billed after all',
    ],
  ] as const)('with %s', (_, theirs, own, is, note) => {
    expect(reconcile(key, theirs, own, tolerance)).toMatchObject({ ...key, is, note });
  });

  it('add what an export lists in several lines', () => {
    const sum = addTheirs(addTheirs(undefined, { units: 3, amount: 5n }), { units: 4 });
    expect(sum).toEqual({ units: 7, amount: 5n });
  });
});

describe('marks', () => {
  it('are remembered, each once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200_000), { maxLength: 200 }), (ids) => {
        const marks = new Marks();
        const seen = new Set<number>();
        for (const id of ids) {
          expect(marks.has(id)).toBe(seen.has(id));
          expect(marks.mark(id)).toBe(!seen.has(id));
          seen.add(id);
        }
        expect([...seen].every((id) => marks.has(id))).toBe(true);
      }),
    );
  });
});
