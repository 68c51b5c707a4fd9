import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan, PlannedSku } from '../../src/domain/plan.ts';
import { comparePlan } from '../../src/plan/compare-plan.ts';
import { Digest } from '../../src/plan/estimate/digest.ts';
import { hashPlan, readPlanText, writePlanText } from '../../src/plan/plan-file.ts';

function makeItems(count: number, from = 0) {
  const digest = new Digest();
  for (let index = 0; index < count; index += 1) digest.add(`content-${from + index}`, 'image');
  return digest.read();
}

const makeSku = (given: Partial<PlannedSku> = {}): PlannedSku => ({
  account: 'pai-prod',
  sku: 'pai/basic',
  units: 1000,
  basis: 'observed',
  monthSoFar: 0,
  charge: '4.6',
  complete: true,
  price: '0.0046 up to 5000000, 0.0039',
  ...given,
});

const makePlan = (given: Partial<Plan> = {}): Plan => ({
  pipeline: 'audit',
  createdAt: '2026-11-20T02:00:00.000Z',
  config: { source: 'a'.repeat(64), services: 'b'.repeat(64), prices: 'c'.repeat(64) },
  items: makeItems(1000),
  calls: 1000,
  skus: [makeSku()],
  total: { charge: '4.6', currency: 'CNY', complete: true },
  assumptions: [{ text: 'videos of unknown duration last 600 s', tasks: 3 }],
  durationSeconds: 120,
  ...given,
});

const expectRefused = (text: string, message: string) =>
  expect(() => readPlanText(text, 'plan.json')).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
  );

describe('a plan file', () => {
  test('is read back as it was written, with the hash that the estimate told', () => {
    const plan = makePlan({ limit: 5 });
    expect(readPlanText(writePlanText(plan), 'plan.json')).toEqual({ plan, sha256: hashPlan(plan) });
  });

  test('may be laid out anew by whoever approves it: the hash is of what it says', () => {
    const plan = makePlan();
    const again = JSON.stringify(
      Object.fromEntries(Object.entries(JSON.parse(writePlanText(plan))).toReversed()),
    );
    expect(readPlanText(again, 'plan.json').plan).toEqual(plan);
  });

  test('that was changed anywhere is refused', () => {
    const text = writePlanText(makePlan());
    const document = JSON.parse(text);
    const changes: readonly ((plan: typeof document) => void)[] = [
      (plan) => (plan.calls = 999),
      (plan) => (plan.skus[0].units = 1_000_000),
      (plan) => (plan.skus[0].charge = '0.1'),
      (plan) => (plan.total.charge = '9.2'),
      (plan) => (plan.items.items = 1001),
      (plan) => (plan.config.source = 'd'.repeat(64)),
      (plan) => (plan.createdAt = '2026-11-21T02:00:00.000Z'),
      (plan) => plan.assumptions.pop(),
      (plan) => (plan.limit = 7),
      (plan) => delete plan.durationSeconds,
      (plan) => (plan.more = true),
    ];
    for (const change of changes) {
      const changed = structuredClone(document);
      change(changed);
      expectRefused(JSON.stringify(changed), 'plan "plan.json": it was changed after it was written');
    }
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('0', '7', 'x'), (at, letter) => {
        if (text[at] === letter || !/[\da-z]/.test(text[at] ?? '')) return;
        expect(() => readPlanText(text.slice(0, at) + letter + text.slice(at + 1), 'p')).toThrow(
          /^plan "p": /,
        );
      }),
    );
  });

  test('of another kind or another version is refused in so many words', () => {
    expectRefused(
      'not json',
      'expected a plan of mediasweep, found what is no JSON. Make it again: mediasweep estimate',
    );
    expectRefused('{"a":1}', 'expected a plan of mediasweep, found another JSON.');
    expectRefused('[]', 'expected a plan of mediasweep, found another JSON.');
    const later = { ...JSON.parse(writePlanText(makePlan())), version: 2 };
    expectRefused(JSON.stringify(later), 'expected version 1, found 2: another program wrote it.');
  });
});

describe('a plan is compared with the world', () => {
  const differences = (now: Partial<Plan>, tolerance = 0) =>
    comparePlan(makePlan(), makePlan(now), tolerance).map(({ message }) => message);

  test('and nothing is named where nothing changed but when it was looked at, or what it takes', () => {
    expect(
      differences({ createdAt: '2026-11-25T00:00:00.000Z', durationSeconds: 7, assumptions: [] }),
    ).toEqual([]);
  });

  test.each<[string, Partial<Plan>, readonly string[]]>([
    ['another pipeline', { pipeline: 'nightly' }, ['it is a plan of pipeline "audit", not of "nightly"']],
    ['another limit', { limit: 10 }, ['--limit: none planned, 10 now']],
    [
      'another configuration',
      { config: { ...makePlan().config, services: 'f'.repeat(64) } },
      ['the configuration changed in services'],
    ],
    ['more items', { items: makeItems(1010) }, ['items: 1,000 planned, 1,010 now']],
    [
      'other items',
      { items: makeItems(1000, 100) },
      [
        expect.stringMatching(
          /^items: as many as planned, but about \d+(\.\d)? % of them are others$/,
        ) as string,
      ],
    ],
    [
      'fewer items, of which some are others',
      { items: makeItems(900, 200) },
      [
        'items: 1,000 planned, 900 now',
        expect.stringMatching(
          /^contents: about \d+(\.\d)? % of those planned and now together are in one of them only$/,
        ) as string,
      ],
    ],
    [
      'other units',
      { skus: [makeSku({ units: 1020 })] },
      ['units of pai/basic (pai-prod): 1,000 planned, 1,020 now'],
    ],
    [
      'a SKU more',
      { skus: [makeSku(), makeSku({ sku: 'pai/advanced', units: 5 })] },
      ['units of pai/advanced (pai-prod): 0 planned, 5 now'],
    ],
    [
      'another price',
      {
        total: { charge: '9.2', currency: 'CNY', complete: true },
        skus: [makeSku({ price: '0.0092', charge: '9.2' })],
      },
      [
        'charge: 4.6 CNY planned, 9.2 CNY now (the price of pai/basic (pai-prod): 0.0046 up to 5000000, 0.0039 planned, 0.0092 now)',
      ],
    ],
    [
      'a month that came further',
      {
        total: { charge: '3.9', currency: 'CNY', complete: true },
        skus: [makeSku({ monthSoFar: 5_000_000, charge: '3.9' })],
      },
      [
        'charge: 4.6 CNY planned, 3.9 CNY now (the month has come to 5,000,000 of pai/basic (pai-prod), from 0)',
      ],
    ],
    [
      'a price that is not known any more',
      { total: { charge: '4.6', currency: 'CNY', complete: false } },
      ['the total: complete when planned, incomplete now'],
    ],
    [
      'another currency',
      { total: { charge: '4.6', currency: 'USD', complete: true } },
      ['the currency: CNY planned, USD now'],
    ],
  ])('%s is named', (_, now, expected) => {
    expect(differences(now)).toEqual(expected);
  });

  test('a tolerance allows for what moves, and never for another configuration', () => {
    const grown = {
      items: makeItems(1010),
      skus: [makeSku({ units: 1020 })],
      total: { charge: '4.65', currency: 'CNY', complete: true },
    };
    expect(differences(grown, 0.02)).toEqual([]);
    expect(differences(grown, 0.019)).toEqual(['units of pai/basic (pai-prod): 1,000 planned, 1,020 now']);
    expect(differences(grown, 0)).toHaveLength(3);
    expect(differences({ config: {} }, 1)).toHaveLength(3 - 1);
    expect(differences({ items: makeItems(1000, 5) }, 0.02)).toEqual([]);
    expect(differences({ skus: [makeSku(), makeSku({ sku: 'x', units: 1 })] }, 1)).toHaveLength(1);
  });
});
