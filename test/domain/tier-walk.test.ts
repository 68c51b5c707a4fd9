import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNano } from '../../src/domain/money.ts';
import {
  type BillingFacts,
  chargeUnits,
  type Nano,
  type SkuPrice,
  startPosition,
} from '../../src/domain/pricing.ts';
import { walkMonth, walkTiers } from '../../src/domain/tier-walk.ts';

const nano = (text: string): Nano => parseNano(text) ?? -1n;
const noonMs = Date.parse('2026-11-20T04:00:00Z');
const timezone = 'Asia/Shanghai';

/** Qiniu's published tiers: 0.155 CNY per 100 up to three million a month, then 0.145. */
const politician: SkuPrice = {
  sku: 'qiniu/politician-image',
  unit: 'frame',
  per: 100,
  tiers: [{ upTo: 3_000_000, price: nano('0.155') }, { price: nano('0.145') }],
  currency: 'CNY',
  timezone,
};

test('units fall into free quota, packs by earliest expiry, and tiers from where the month stands', () => {
  const price: SkuPrice = { ...politician, free: { units: 50, per: 'once' } };
  const facts: BillingFacts = {
    freeUsed: 20,
    usedThisMonth: { '2026-11': 2_999_000 },
    packs: [
      { units: 500, expires: '2027-06-30', cost: nano('100') },
      { units: 100, expires: '2026-12-31', cost: nano('10') },
    ],
  };
  const { steps, monthSoFar, unpriced, charge } = walkTiers(price, facts, startPosition, 2130, noonMs);
  expect(steps).toEqual([
    { from: 'free', units: 30, charge: 0n },
    { from: 'pack', units: 100, charge: nano('10'), expires: '2026-12-31', packUnits: 100 },
    { from: 'pack', units: 500, charge: nano('100'), expires: '2027-06-30', packUnits: 500 },
    { from: 'tier', units: 1000, charge: nano('1.55'), price: nano('0.155'), per: 100, upTo: 3_000_000 },
    { from: 'tier', units: 500, charge: nano('0.725'), price: nano('0.145'), per: 100 },
  ]);
  expect({ monthSoFar, unpriced }).toEqual({ monthSoFar: 2_999_000, unpriced: 0 });
  expect(charge).toEqual(chargeUnits(price, facts, startPosition, 2130, noonMs));
});

test('units without a price are counted apart and cost nothing', () => {
  const unknown = walkTiers({ ...politician, tiers: undefined }, undefined, startPosition, 7, noonMs);
  expect(unknown).toMatchObject({ steps: [], unpriced: 7, charge: { isComplete: false } });
});

test('the units of a month lie in its tiers from the first one on, wherever a charge begins', () => {
  const all = walkMonth(politician, 0, 3_000_100);
  expect(all.map(({ units, charge }) => [units, charge])).toEqual([
    [3_000_000, nano('4650')],
    [100, nano('0.145')],
  ]);
  expect(walkMonth(politician, 3_000_000, 3_000_100)).toEqual(all.slice(1));
  expect(walkMonth(politician, 5, 5)).toEqual([]);
});

test('where whole increments are charged, it says how many units that comes to', () => {
  const price: SkuPrice = { ...politician, increment: 1000 };
  const walk = (units: number, used: number) =>
    walkTiers(
      price,
      { freeUsed: 0, usedThisMonth: { '2026-11': used }, packs: [] },
      startPosition,
      units,
      noonMs,
    );
  expect(walk(2130, 0)).toMatchObject({ billed: 3000, charge: { amount: nano('4.65') } });
  // The increment that was begun before is charged already.
  expect(walk(500, 1300)).toMatchObject({ billed: 0, charge: { amount: 0n } });
  expect(walk(2000, 1000).billed).toBeUndefined();
  expect(walkTiers(politician, undefined, startPosition, 2130, noonMs).billed).toBeUndefined();
});

describe('for any price, position and volume', () => {
  const tiers = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.bigInt({ min: 0n, max: 10n ** 9n })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((steps) => {
      let upTo = 0;
      return steps.map(([width, price], index) => {
        upTo += width;
        return index === steps.length - 1 ? { price } : { upTo, price };
      });
    });
  const packs = fc.array(
    fc.record({
      units: fc.integer({ min: 1, max: 200 }),
      expires: fc.constantFrom('2026-11-19', '2026-11-20', '2026-12-31', '2027-06-30'),
      cost: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    }),
    { maxLength: 4 },
  );
  const world = fc.record({
    tiers,
    packs,
    per: fc.constantFrom(1, 100),
    increment: fc.constantFrom(undefined, 1, 50),
    free: fc.integer({ min: 0, max: 100 }),
    freeUsed: fc.integer({ min: 0, max: 120 }),
    used: fc.integer({ min: 0, max: 900 }),
    before: fc.integer({ min: 0, max: 900 }),
    units: fc.integer({ min: 0, max: 1500 }),
  });

  test('the steps hold every unit once, and their charges add up to the charge', () => {
    fc.assert(
      fc.property(
        world,
        ({ tiers: steps, packs: bought, per, increment, free, freeUsed, used, before, units }) => {
          const price: SkuPrice = {
            ...politician,
            per,
            increment,
            tiers: steps,
            ...(free > 0 && { free: { units: free, per: 'once' as const } }),
          };
          const facts = { freeUsed, usedThisMonth: { '2026-11': used }, packs: bought };
          const { position } = chargeUnits(price, facts, startPosition, before, noonMs);
          const walk = walkTiers(price, facts, position, units, noonMs);
          const charge = chargeUnits(price, facts, position, units, noonMs);
          expect(walk.charge).toEqual(charge);
          expect(walk.steps.reduce((sum, step) => sum + step.charge, 0n)).toBe(charge.amount);
          expect(walk.steps.reduce((sum, step) => sum + step.units, walk.unpriced)).toBe(units);
          expect(walk.steps.every((step) => step.units > 0)).toBe(true);
        },
      ),
    );
  });
});
