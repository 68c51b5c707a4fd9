import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CostTable,
  type CostWorld,
  describeStands,
  factOf,
  Forecast,
  groupCost,
  sumUsage,
  type UsageRow,
} from '../../src/domain/cost.ts';
import type { PriceBook, SkuPrice } from '../../src/domain/pricing.ts';

const cent = 10_000_000n;
const zone = 'Asia/Shanghai';
const price = (sku: string, tiers?: readonly { upTo?: number; price: bigint }[]): SkuPrice => ({
  sku,
  unit: 'call',
  per: 1,
  ...(tiers && { tiers }),
  currency: 'CNY',
  timezone: zone,
});
const prices: PriceBook = {
  currency: 'CNY',
  timezone: zone,
  skus: new Map([
    [
      'v/a',
      {
        ...price('v/a', [{ upTo: 100, price: 2n * cent }, { price: cent }]),
        free: { units: 5, per: 'once' as const },
      },
    ],
    ['v/b', price('v/b')],
  ]),
};

function makeRow(changes: Partial<UsageRow> = {}): UsageRow {
  return {
    day: '2026-11-11',
    pipeline: 'nightly',
    account: 'main',
    isLoopback: false,
    sku: 'v/a',
    observed: 10,
    estimated: 0,
    uncertain: 0,
    free: 0,
    pack: 0,
    charge: 20n * cent,
    isComplete: true,
    ...changes,
  };
}

function makeWorld(changes: Partial<CostWorld> = {}): CostWorld {
  return {
    prices,
    billing: new Map(),
    positions: [],
    nowMs: Date.parse('2026-11-20T04:00:00Z'),
    ...changes,
  };
}

const at = (tier: number) => [
  {
    account: 'main',
    sku: 'v/a',
    position: { freeOnce: 5, packs: {}, months: { '2026-11': { tier, free: 0 } } },
  },
];

describe('sums', () => {
  const rows = [
    makeRow(),
    makeRow({ day: '2026-11-12', observed: 1, estimated: 4, charge: 5n * cent }),
    makeRow({ day: '2026-10-31', pipeline: 'weekly', uncertain: 2 }),
    makeRow({ sku: 'v/b', charge: 0n, isComplete: false }),
  ];

  it('are by whatever is asked for, in order', () => {
    const lines = groupCost(rows.map(factOf), ['month', 'sku']);
    expect(
      lines.map(({ of, observed, estimated, charge, isComplete }) => [
        of,
        observed,
        estimated,
        charge,
        isComplete,
      ]),
    ).toEqual([
      [{ month: '2026-10', sku: 'v/a' }, 10, 0, 20n * cent, true],
      [{ month: '2026-11', sku: 'v/a' }, 11, 4, 25n * cent, true],
      [{ month: '2026-11', sku: 'v/b' }, 10, 0, 0n, false],
    ]);
    expect(groupCost(rows.map(factOf), ['pipeline']).map(({ of }) => of.pipeline)).toEqual([
      'nightly',
      'weekly',
    ]);
  });

  it('lose and invent nothing, however they are cut', () => {
    const someRow = fc.record({
      day: fc.constantFrom('2026-10-31', '2026-11-01', '2026-11-20'),
      pipeline: fc.constantFrom('a', 'b'),
      account: fc.constantFrom('x', 'y'),
      sku: fc.constantFrom('v/a', 'v/b'),
      observed: fc.nat(1000),
      charge: fc.bigInt({ min: 0n, max: 10n ** 18n }),
      isComplete: fc.boolean(),
    });
    const someBy = fc.subarray(['month', 'day', 'account', 'sku', 'pipeline'] as const);
    fc.assert(
      fc.property(fc.array(someRow, { maxLength: 30 }), someBy, (given, by) => {
        const facts = given.map((row) => factOf(makeRow(row)));
        expect(sumUsage(groupCost(facts, by))).toEqual(sumUsage(given.map((row) => makeRow(row))));
      }),
    );
  });
});

describe('the month’s end', () => {
  it('is as much a day as since the first day with usage, priced through the tiers from where the account is', () => {
    // Ten days, the 11th to the 20th, used 50; ten days are left.
    const rows = [
      makeRow({ observed: 40, charge: 80n * cent }),
      makeRow({ day: '2026-11-20', observed: 10, charge: 10n * cent }),
    ];
    const forecast = new Forecast(rows, makeWorld({ positions: at(95) }));
    expect([forecast.since, forecast.today, forecast.daysSeen, forecast.daysLeft]).toEqual([
      '2026-11-11',
      '2026-11-20',
      10,
      10,
    ]);
    const [line] = groupCost(rows.map(factOf), [], forecast);
    // Five of the fifty that are to come are still at the first tier's price.
    expect(line?.projected).toEqual({ units: 100, charge: (90n + 10n + 45n) * cent, isComplete: true });
  });

  it('counts today among the days that are left until something is used on it', () => {
    // Ten past midnight in the price book's zone.
    const world = makeWorld({ nowMs: Date.parse('2026-11-20T16:10:00Z'), positions: at(95) });
    const rows = [makeRow({ day: '2026-11-20', observed: 10 })];
    const early = new Forecast(rows, world);
    expect([early.today, early.until, early.daysSeen, early.daysLeft]).toEqual([
      '2026-11-21',
      '2026-11-20',
      1,
      10,
    ]);
    expect(early.project(factOf(makeRow({ observed: 10 })))?.units).toBe(110);
    const begun = new Forecast([...rows, makeRow({ day: '2026-11-21', observed: 10 })], world);
    expect([begun.until, begun.daysSeen, begun.daysLeft]).toEqual(['2026-11-21', 2, 9]);
    const none = new Forecast([], world);
    expect([none.since, none.until, none.daysSeen]).toEqual(['2026-11-21', '2026-11-21', 1]);
  });

  it('is shared out by units, and not told of other months', () => {
    const rows = [
      makeRow({ observed: 30 }),
      makeRow({ pipeline: 'weekly', observed: 10 }),
      makeRow({ day: '2026-10-01' }),
      makeRow({ day: '2026-11-20', observed: 0 }),
    ];
    const forecast = new Forecast(rows, makeWorld({ positions: at(200) }));
    const lines = groupCost(rows.map(factOf), ['month', 'pipeline'], forecast);
    expect(lines.map(({ of, projected }) => [of.month, of.pipeline, projected?.units])).toEqual([
      ['2026-10', 'nightly', undefined],
      ['2026-11', 'nightly', 60],
      ['2026-11', 'weekly', 20],
    ]);
  });

  it('is what was spent on the last day of the month, by the price book’s zone', () => {
    const lastDay = makeWorld({ nowMs: Date.parse('2026-11-30T15:59:59Z'), positions: at(10) });
    const forecast = new Forecast([makeRow({ day: '2026-11-30' })], lastDay);
    expect(forecast.daysLeft).toBe(0);
    expect(forecast.project(factOf(makeRow({ day: '2026-11-30' })))).toEqual({
      units: 10,
      charge: 20n * cent,
      isComplete: true,
    });
    const next = new Forecast([makeRow()], makeWorld({ nowMs: Date.parse('2026-11-30T16:00:00Z') }));
    expect([next.month, next.project(factOf(makeRow()))]).toEqual(['2026-12', undefined]);
  });

  it('has no price where a unit has none', () => {
    const row = makeRow({ sku: 'v/b', charge: 0n, isComplete: false });
    const forecast = new Forecast([row], makeWorld());
    expect(forecast.project(factOf(row))).toMatchObject({ charge: 0n, isComplete: false });
  });

  it('never comes to less than was spent, nor counts a day twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(5000), (day, observed) => {
        const today = `2026-11-${String(day).padStart(2, '0')}`;
        const row = makeRow({ day: '2026-11-01', observed, charge: BigInt(observed) * cent });
        const world = makeWorld({ nowMs: Date.parse(`${today}T04:00:00Z`), positions: at(observed) });
        const projected = new Forecast([row], world).project(factOf(row));
        expect((projected?.charge ?? -1n) >= row.charge).toBe(true);
        const seen = Math.max(1, day - 1);
        expect(projected?.units).toBe(observed + Math.round((observed * (30 - seen)) / seen));
      }),
    );
  });
});

describe('a table', () => {
  it('projects a line as a whole, however small the parts are that it is summed from', () => {
    // Three days of usage, ten days left: a third of a unit each would be nothing.
    const days = ['2026-11-18', '2026-11-19', '2026-11-20'];
    const rows = days.map((day) => makeRow({ day, observed: 1, charge: cent }));
    const forecast = new Forecast(rows, makeWorld({ positions: at(200) }));
    const table = new CostTable(['prefix'], forecast);
    for (let part = 0; part < 30; part += 1) {
      const { of, ...sums } = factOf(makeRow({ day: '2026-11-18', observed: 0, charge: 0n }));
      table.add({ ...sums, of: { ...of, prefix: 'media/' } });
    }
    for (const row of rows) table.add({ ...factOf(row), of: { ...factOf(row).of, prefix: 'media/' } });
    expect(table.list()).toMatchObject([
      { of: { prefix: 'media/' }, observed: 3, projected: { units: 13, charge: 13n * cent } },
    ]);
  });
});

describe('where an account stands', () => {
  const facts = {
    freeUsed: 2,
    usedThisMonth: { '2026-11': 70 },
    packs: [{ units: 10, expires: '2026-12-31', cost: 10n * cent }],
  };

  it('is told with what was used elsewhere, free units, packs and the next price', () => {
    const position = {
      freeOnce: 1,
      packs: { '2026-12-31#10': 4 },
      months: { '2026-11': { tier: 30, free: 0 } },
    };
    const world = makeWorld({
      billing: new Map([['main', { 'v/a': facts }]]),
      positions: [{ account: 'main', sku: 'v/a', position }],
    });
    expect(describeStands(world, '2026-11')).toEqual([
      {
        account: 'main',
        sku: 'v/a',
        unit: 'call',
        tierUnits: 100,
        elsewhere: 70,
        freeLeft: 2,
        price: { amount: cent, per: 1, upTo: undefined },
        packs: [{ ...facts.packs[0], used: 4, left: 6, sunk: 6n * cent, isExpired: false }],
      },
    ]);
  });

  it('is told of packs that nothing was used of, too', () => {
    const [stand] = describeStands(makeWorld({ billing: new Map([['main', { 'v/a': facts }]]) }), '2026-12');
    expect(stand).toMatchObject({ tierUnits: 0, packs: [{ used: 0, left: 10 }] });
  });
});
