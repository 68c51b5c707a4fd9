import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNano, parseNano } from '../../src/domain/money.ts';
import {
  type BillingFacts,
  type Charge,
  chargeUnits,
  dayOf,
  describePacks,
  graduatedSum,
  monthOf,
  type Nano,
  type Pack,
  type Position,
  priceOf,
  reserveAmount,
  type SkuPrice,
  startPosition,
  type Tier,
} from '../../src/domain/pricing.ts';

interface TableTier {
  readonly up_to: number | null;
  readonly unit_price?: string;
  readonly price_per_100?: string;
}

interface Table {
  readonly pai: {
    readonly specs: Record<string, { readonly pay_as_you_go_monthly_graduated: readonly TableTier[] }>;
    readonly worked_sums: readonly { spec: string; mode: string; units: number; total: string }[];
  };
  readonly qiniu: {
    readonly politician_image_monthly_graduated: readonly TableTier[];
    readonly worked_sums: readonly { units: number; total: string }[];
  };
}

const table = JSON.parse(
  readFileSync(new URL('../fixtures/billing.table.json', import.meta.url), 'utf8'),
) as Table;

function nano(text: string): Nano {
  const amount = parseNano(text);
  if (amount === undefined) throw new Error(`no amount: ${text}`);
  return amount;
}

function readTiers(rows: readonly TableTier[]): readonly Tier[] {
  return rows.map((row) => ({
    ...(row.up_to === null ? {} : { upTo: row.up_to }),
    price: nano(row.unit_price ?? row.price_per_100 ?? ''),
  }));
}

function makePrice(changes: Partial<SkuPrice> = {}): SkuPrice {
  return { sku: 'x/y', unit: 'call', per: 1, currency: 'CNY', timezone: 'Asia/Shanghai', ...changes };
}

function makePaiPrice(spec: string): SkuPrice {
  return makePrice({ tiers: readTiers(table.pai.specs[spec]?.pay_as_you_go_monthly_graduated ?? []) });
}

const qiniuPrice = makePrice({
  per: 100,
  tiers: readTiers(table.qiniu.politician_image_monthly_graduated),
});

function makeFacts(changes: Partial<BillingFacts> = {}): BillingFacts {
  return { freeUsed: 0, usedThisMonth: {}, packs: [], ...changes };
}

const noon = Date.parse('2026-11-20T04:00:00Z');

/** Charges one volume after the other; the sums of all of them. */
function chargeAll(
  price: SkuPrice | undefined,
  facts: BillingFacts | undefined,
  volumes: readonly number[],
  atMs = noon,
): Charge {
  const start: Charge = {
    amount: 0n,
    freeUnits: 0,
    packUnits: 0,
    isComplete: true,
    position: startPosition,
  };
  return volumes.reduce<Charge>((sum, units) => {
    const charge = chargeUnits(price, facts, sum.position, units, atMs);
    return {
      amount: sum.amount + charge.amount,
      freeUnits: sum.freeUnits + charge.freeUnits,
      packUnits: sum.packUnits + charge.packUnits,
      isComplete: sum.isComplete && charge.isComplete,
      position: charge.position,
    };
  }, start);
}

const packCosts: Readonly<Record<number, string>> = { 5_000_000: '19500', 20_000_000: '64000' };

/** Packs of a mode such as `packs 5000000 + 20000000`. */
function readPacks(mode: string): readonly Pack[] {
  return [...mode.matchAll(/\d+/g)].map(([digits]) => {
    const units = Number(digits);
    return { units, expires: '2027-06-30', cost: nano(packCosts[units] ?? '') };
  });
}

describe('the worked sums of the vendors', () => {
  it.each(table.pai.worked_sums)('PAI $spec, $mode: $units units cost $total', ({
    spec,
    mode,
    units,
    total,
  }) => {
    const free = mode.includes('free quota') ? { units: 200, per: 'once' as const } : undefined;
    const charge = chargeUnits(
      { ...makePaiPrice(spec), free },
      makeFacts({ packs: readPacks(mode) }),
      startPosition,
      units,
      noon,
    );
    expect([formatNano(charge.amount), charge.isComplete]).toEqual([total, true]);
  });

  it.each(table.qiniu.worked_sums)('Qiniu: $units units cost $total', ({ units, total }) => {
    const charge = chargeUnits(qiniuPrice, undefined, startPosition, units, noon);
    expect([formatNano(charge.amount), charge.isComplete]).toEqual([total, true]);
  });

  it('hold for image calls and video frames together, which share a month: whoever comes later goes on in the tiers', () => {
    const images = chargeUnits(qiniuPrice, undefined, startPosition, 3_000_000, noon);
    const frames = chargeUnits(qiniuPrice, undefined, images.position, 2_000_000, noon);
    expect([images.amount, frames.amount].map(formatNano)).toEqual(['4650', '2900']);
    // Image calls of other programs stand in `billing:` of the account.
    const elsewhere = makeFacts({ usedThisMonth: { '2026-11': 3_000_000 } });
    const ours = chargeUnits(qiniuPrice, elsewhere, startPosition, 2_000_000, noon);
    expect(formatNano(ours.amount)).toBe('2900');
    const calls = [1, 60_000, 2_999_999, 2_000_000];
    expect(formatNano(chargeAll(qiniuPrice, undefined, calls).amount)).toBe('7637');
  });

  it('cover both vendors', () => {
    expect([table.pai.worked_sums.length, table.qiniu.worked_sums.length]).toEqual([7, 3]);
  });
});

describe('the order of deduction', () => {
  const price = makePrice({ tiers: [{ price: 10n }], free: { units: 5, per: 'once' } });
  const early: Pack = { units: 10, expires: '2026-11-30', cost: 50n };
  const late: Pack = { units: 10, expires: '2027-01-31', cost: 30n };

  it('is free quota, then the pack that expires first, then tiers', () => {
    const facts = makeFacts({ packs: [late, early] });
    const charge = chargeUnits(price, facts, startPosition, 22, noon);
    expect(charge).toEqual({
      amount: 50n + 21n,
      freeUnits: 5,
      packUnits: 17,
      isComplete: true,
      position: {
        freeOnce: 5,
        packs: { '2026-11-30#10': 10, '2027-01-31#10': 7 },
        months: { '2026-11': { tier: 0, free: 0 } },
      },
    });
  });

  it('does not let free and pack units advance the tier', () => {
    const tiers = [{ upTo: 10, price: 10n }, { price: 1n }];
    const facts = makeFacts({ packs: [early] });
    const charge = chargeUnits({ ...price, tiers }, facts, startPosition, 25, noon);
    expect(charge.amount).toBe(50n + 100n);
    expect(charge.position.months['2026-11']).toEqual({ tier: 10, free: 0 });
  });

  it('passes over a pack from the day after its last, in the price book zone', () => {
    const facts = makeFacts({ packs: [early] });
    const lastMoment = Date.parse('2026-11-30T15:59:59.999Z');
    const [on, after] = [lastMoment, lastMoment + 1].map(
      (atMs) => chargeUnits({ ...price, free: undefined }, facts, startPosition, 1, atMs).packUnits,
    );
    expect([on, after]).toEqual([1, 0]);
  });

  it('uses the smaller and then the cheaper of two packs of one day first', () => {
    const packs: readonly Pack[] = [
      { units: 4, expires: '2026-12-31', cost: 400n },
      { units: 4, expires: '2026-12-31', cost: 40n },
      { units: 2, expires: '2026-12-31', cost: 2000n },
    ];
    const one = makePrice({ tiers: [{ price: 1n }] });
    const charges = [2, 3, 3, 2, 1].map((_, index, volumes) => {
      const before = chargeAll(one, makeFacts({ packs }), volumes.slice(0, index)).amount;
      return chargeAll(one, makeFacts({ packs }), volumes.slice(0, index + 1)).amount - before;
    });
    expect(charges).toEqual([2000n, 30n, 10n + 200n, 200n, 1n]);
  });

  it('keeps two packs of one day and size apart although they share a key', () => {
    const packs = [late, late];
    const charge = chargeAll({ ...price, free: undefined }, makeFacts({ packs }), [8, 8, 8]);
    expect([charge.amount, charge.packUnits]).toEqual([60n + 40n, 20]);
    expect(charge.position.packs).toEqual({ '2027-01-31#10': 20 });
  });

  it('counts what was used outside the ledger', () => {
    const tiers = [{ upTo: 10, price: 10n }, { price: 1n }];
    const facts = makeFacts({ freeUsed: 3, usedThisMonth: { '2026-11': 8 } });
    const charge = chargeUnits({ ...price, tiers }, facts, startPosition, 7, noon);
    expect([charge.freeUnits, charge.amount]).toEqual([2, 2n * 10n + 3n]);
    expect(charge.position.months['2026-11']?.tier).toBe(5);
  });

  it('has no free units left where more were used than are free', () => {
    expect(chargeUnits(price, makeFacts({ freeUsed: 9 }), startPosition, 1, noon).freeUnits).toBe(0);
  });
});

describe('months', () => {
  const tiers = [{ upTo: 10, price: 10n }, { price: 1n }];
  const endOfNovember = Date.parse('2026-11-30T15:59:59.999Z');

  it('begin and end in the price book zone', () => {
    expect(monthOf(endOfNovember, 'Asia/Shanghai')).toBe('2026-11');
    expect(monthOf(endOfNovember + 1, 'Asia/Shanghai')).toBe('2026-12');
    expect(monthOf(endOfNovember + 1, 'UTC')).toBe('2026-11');
    expect(dayOf(Date.parse('2026-03-01T04:59:59Z'), 'America/New_York')).toBe('2026-02-28');
    expect(() => monthOf(0, 'Mars/Olympus')).toThrow(RangeError);
  });

  it('start the tiers anew and leave the other month as it was', () => {
    const price = makePrice({ tiers });
    const november = chargeUnits(price, undefined, startPosition, 12, endOfNovember);
    const december = chargeUnits(price, undefined, november.position, 12, endOfNovember + 1);
    const late = chargeUnits(price, undefined, december.position, 3, endOfNovember);
    expect([november.amount, december.amount, late.amount]).toEqual([102n, 102n, 3n]);
    expect(late.position.months).toEqual({
      '2026-11': { tier: 15, free: 0 },
      '2026-12': { tier: 12, free: 0 },
    });
  });

  it('renew a monthly free quota, and not one that is granted once', () => {
    const free = (per: 'once' | 'month') => {
      const price = makePrice({ tiers, free: { units: 5, per } });
      const november = chargeUnits(price, undefined, startPosition, 7, endOfNovember);
      const again = chargeUnits(price, undefined, november.position, 7, endOfNovember);
      const december = chargeUnits(price, undefined, again.position, 7, endOfNovember + 1);
      return [november.freeUnits, again.freeUnits, december.freeUnits, december.position.freeOnce];
    };
    expect(free('month')).toEqual([5, 0, 5, 0]);
    expect(free('once')).toEqual([5, 0, 0, 5]);
  });
});

describe('units without a price', () => {
  const unknown = makePrice({ free: { units: 5, per: 'once' } });

  it('cost nothing, make the charge incomplete and advance the position all the same', () => {
    const charge = chargeUnits(unknown, undefined, startPosition, 8, noon);
    expect([charge.amount, charge.isComplete, charge.freeUnits]).toEqual([0n, false, 5]);
    expect(charge.position.months['2026-11']?.tier).toBe(3);
  });

  it('do not include free units, whose charge is known', () => {
    expect(chargeUnits(unknown, undefined, startPosition, 5, noon).isComplete).toBe(true);
    const used = makeFacts({ usedThisMonth: { '2026-11': 3 } });
    expect(chargeUnits(unknown, used, startPosition, 5, noon).isComplete).toBe(true);
  });

  it('are all units of a SKU that no price book names, in the months of UTC', () => {
    const charge = chargeUnits(undefined, undefined, startPosition, 8, Date.parse('2026-11-30T23:00:00Z'));
    expect([charge.amount, charge.isComplete]).toEqual([0n, false]);
    expect(charge.position.months).toEqual({ '2026-11': { tier: 8, free: 0 } });
  });

  it('are those past a last tier with an end', () => {
    const bounded = makePrice({ tiers: [{ upTo: 10, price: 7n }] });
    const within = chargeUnits(bounded, undefined, startPosition, 10, noon);
    const past = chargeUnits(bounded, undefined, within.position, 1, noon);
    expect([within.amount, within.isComplete, past.amount, past.isComplete]).toEqual([70n, true, 0n, false]);
  });
});

describe('a billing increment', () => {
  const price = makePrice({ tiers: [{ upTo: 10, price: 10n }, { price: 1n }], increment: 4 });

  it.each([
    [0, 0n],
    [1, 40n],
    [4, 40n],
    [5, 80n],
    [9, 102n],
    [12, 102n],
    [13, 106n],
  ])('that was begun counts whole: %i units cost %i', (units, amount) => {
    expect(chargeUnits(price, undefined, startPosition, units, noon).amount).toBe(amount);
  });

  it('is of the month, not of each call', () => {
    expect(chargeAll(price, undefined, [1, 1, 1, 1, 1]).amount).toBe(80n);
    const used = makeFacts({ usedThisMonth: { '2026-11': 3 } });
    expect(chargeAll(price, used, [1, 1]).amount).toBe(40n);
  });

  it('does not touch free and pack units', () => {
    const facts = makeFacts({ packs: [{ units: 3, expires: '2026-12-31', cost: 9n }] });
    expect(chargeUnits(price, facts, startPosition, 3, noon).amount).toBe(9n);
  });

  it('is reserved whole by any call, since any may begin it', () => {
    expect(reserveAmount(price, undefined, startPosition, 1, noon)).toBe(40n);
    expect(reserveAmount(price, undefined, startPosition, 0, noon)).toBe(0n);
  });
});

describe('packs at a day', () => {
  const packs: readonly Pack[] = [
    { units: 10, expires: '2026-12-31', cost: 100n },
    { units: 3, expires: '2026-10-31', cost: 10n },
    { units: 10, expires: '2026-12-31', cost: 200n },
  ];
  const position = { ...startPosition, packs: { '2026-10-31#3': 1, '2026-12-31#10': 14 } };

  it('tell what was used of each, and what was paid for units that are left', () => {
    const stands = describePacks(makeFacts({ packs }), position, '2026-11-20');
    expect(stands.map(({ used, left, sunk, isExpired }) => [used, left, sunk, isExpired])).toEqual([
      [1, 2, 7n, true],
      [10, 0, 0n, false],
      [4, 6, 120n, false],
    ]);
  });

  it('are none where none was bought', () => {
    expect(describePacks(undefined, startPosition, '2026-11-20')).toEqual([]);
  });

  it('cost what was charged through them and what is sunk, together', () => {
    fc.assert(
      fc.property(someFacts, volumes, (facts, parts) => {
        const free = makePrice({ tiers: [{ price: 0n }] });
        const charge = chargeAll(free, facts, parts);
        const sunk = describePacks(facts, charge.position, '2026-11-20').map((pack) => pack.sunk);
        const cost = facts.packs.reduce((sum, pack) => sum + pack.cost, 0n);
        expect(sunk.reduce((sum, one) => sum + one, charge.amount)).toBe(cost);
      }),
    );
  });
});

describe('the price of a SKU', () => {
  it('that the book does not name is unknown, in the months of the book', () => {
    const book = { currency: 'EUR', timezone: 'Asia/Shanghai', skus: new Map() };
    const charge = chargeUnits(
      priceOf(book, 'x/y'),
      undefined,
      startPosition,
      8,
      Date.parse('2026-11-30T23:00:00Z'),
    );
    expect([charge.amount, charge.isComplete]).toEqual([0n, false]);
    expect(charge.position.months).toEqual({ '2026-12': { tier: 8, free: 0 } });
  });
});

describe('reservations', () => {
  const falling = makePrice({ tiers: [{ upTo: 10, price: 10n }, { price: 4n }] });
  const at = (tier: number): Position => ({
    freeOnce: 0,
    packs: {},
    months: { '2026-11': { tier, free: 0 } },
  });

  it.each([
    ['falling prices at the beginning', falling, 0, 15, 150n],
    ['falling prices inside the first tier', falling, 9, 2, 20n],
    ['falling prices at the border', falling, 10, 2, 8n],
    ['rising prices', makePrice({ tiers: [{ upTo: 10, price: 4n }, { price: 10n }] }), 0, 2, 20n],
    ['prices per hundred, rounded up', makePrice({ per: 100, tiers: [{ price: 101n }] }), 0, 3, 6n],
    ['no units', falling, 0, 0, 0n],
  ])('take the dearest price at or after the position: %s', (_, price, tier, units, amount) => {
    expect(reserveAmount(price, undefined, at(tier), units, noon)).toBe(amount);
  });

  it('price free and pack units at the dearest price that follows them', () => {
    const free = { ...falling, free: { units: 100, per: 'once' as const } };
    const dear: Pack = { units: 2, expires: '2026-12-31', cost: 60n };
    expect(reserveAmount(free, undefined, startPosition, 3, noon)).toBe(30n);
    expect(reserveAmount(free, makeFacts({ packs: [dear] }), startPosition, 3, noon)).toBe(90n);
  });

  it('pass over packs that are used up or expired', () => {
    const facts = makeFacts({
      packs: [
        { units: 2, expires: '2026-12-31', cost: 60n },
        { units: 3, expires: '2026-11-19', cost: 900n },
      ],
    });
    const position = { ...startPosition, packs: { '2026-12-31#2': 2 } };
    expect(reserveAmount(falling, facts, position, 3, noon)).toBe(30n);
  });

  it('count units used outside the ledger as spent', () => {
    const facts = makeFacts({ usedThisMonth: { '2026-11': 10 } });
    expect(reserveAmount(falling, facts, startPosition, 1, noon)).toBe(4n);
  });

  it('cannot be made where a unit may have no price', () => {
    const bounded = makePrice({ tiers: [{ upTo: 10, price: 7n }] });
    expect(reserveAmount(undefined, undefined, startPosition, 1, noon)).toBeUndefined();
    expect(reserveAmount(makePrice(), undefined, startPosition, 1, noon)).toBeUndefined();
    expect(reserveAmount(bounded, undefined, at(9), 1, noon)).toBe(7n);
    expect(reserveAmount(bounded, undefined, at(9), 2, noon)).toBeUndefined();
  });
});

const aPrice = fc
  .record({
    per: fc.constantFrom(1, 3, 100, 1000),
    increment: fc.constantFrom(undefined, undefined, 1, 7, 25),
    tiers: fc.array(
      fc.record({ width: fc.integer({ min: 1, max: 40 }), price: fc.bigInt({ min: 0n, max: 999n }) }),
      { minLength: 1, maxLength: 4 },
    ),
    free: fc.option(
      fc.record({
        units: fc.integer({ min: 0, max: 30 }),
        per: fc.constantFrom('once' as const, 'month' as const),
      }),
      { nil: undefined },
    ),
  })
  .map(({ per, increment, tiers, free }) => {
    let upTo = 0;
    const borders = tiers.map(({ width, price }, index): Tier => {
      upTo += width;
      return index === tiers.length - 1 ? { price } : { upTo, price };
    });
    return makePrice({ per, increment, tiers: borders, free });
  });

const someFacts = fc.record({
  freeUsed: fc.integer({ min: 0, max: 20 }),
  usedThisMonth: fc.integer({ min: 0, max: 50 }).map((used) => ({ '2026-11': used })),
  packs: fc.array(
    fc.record({
      units: fc.integer({ min: 1, max: 12 }),
      expires: fc.constantFrom('2026-11-01', '2026-11-20', '2026-11-30', '2027-01-01'),
      cost: fc.bigInt({ min: 0n, max: 5000n }),
    }),
    { maxLength: 4 },
  ),
});

const volumes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 });

describe('for all prices, facts and volumes', () => {
  it('however a volume is split, its charges add up to the same', () => {
    fc.assert(
      fc.property(aPrice, someFacts, volumes, (price, facts, parts) => {
        const whole = parts.reduce((sum, units) => sum + units, 0);
        expect(chargeAll(price, facts, [0, ...parts])).toEqual(chargeAll(price, facts, [whole]));
      }),
      { numRuns: 500 },
    );
  });

  it('one more unit never costs less than nothing', () => {
    fc.assert(
      fc.property(aPrice, someFacts, (price, facts) => {
        let before = 0n;
        // As far as the last border of any price, and beyond.
        for (let units = 0; units <= 200; units += 1) {
          const { amount } = chargeUnits(price, facts, startPosition, units, noon);
          expect(amount >= before).toBe(true);
          before = amount;
        }
      }),
    );
  });

  it('free, pack and tier units are all units', () => {
    fc.assert(
      fc.property(aPrice, someFacts, volumes, (price, facts, parts) => {
        const charge = chargeAll(price, facts, [0, ...parts]);
        const tier = charge.position.months['2026-11']?.tier ?? 0;
        const whole = parts.reduce((sum, units) => sum + units, 0);
        expect(charge.freeUnits + charge.packUnits + tier).toBe(whole);
        const inPacks = Object.values(charge.position.packs).reduce((sum, used) => sum + used, 0);
        expect(inPacks).toBe(charge.packUnits);
        const free = charge.position.freeOnce + (charge.position.months['2026-11']?.free ?? 0);
        expect(free).toBe(charge.freeUnits);
      }),
    );
  });

  it('tiers meet at their borders: each unit is priced by the one tier it falls in', () => {
    fc.assert(
      fc.property(aPrice, fc.nat(200), (price, units) => {
        let sum = 0n;
        const { increment = 1 } = price;
        for (let unit = 1; (unit - 1) / increment < Math.ceil(units / increment); unit += 1) {
          sum += price.tiers?.find((tier) => tier.upTo === undefined || unit <= tier.upTo)?.price ?? 0n;
        }
        expect(graduatedSum(price, units)).toBe(sum / BigInt(price.per));
      }),
    );
  });

  it('a reservation is never below the charge, whatever was recorded before it', () => {
    fc.assert(
      fc.property(
        aPrice,
        someFacts,
        fc.nat(60),
        volumes,
        fc.nat(40),
        (price, facts, before, others, units) => {
          const { position } = chargeAll(price, facts, [before]);
          const reserved = reserveAmount(price, facts, position, units, noon);
          const later = others.reduce(
            (at, other) => chargeUnits(price, facts, at, other, noon).position,
            position,
          );
          const charge = chargeUnits(price, facts, later, units, noon);
          expect(reserved !== undefined && reserved >= charge.amount).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('positions survive the ledger as JSON', () => {
    fc.assert(
      fc.property(aPrice, someFacts, volumes, (price, facts, parts) => {
        const { position } = chargeAll(price, facts, parts);
        expect(JSON.parse(JSON.stringify(position))).toEqual(position);
      }),
    );
  });
});
