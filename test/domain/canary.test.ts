import { describe, expect, test } from 'vitest';
import { type Canary, type CanaryFigures, type CanaryMarket, judgeCanary } from '../../src/domain/canary.ts';
import { parseNano } from '../../src/domain/money.ts';
import { type SkuPrice, startPosition } from '../../src/domain/pricing.ts';

const nano = (text: string) => parseNano(text) ?? -1n;

const price = (given: Partial<SkuPrice> = {}): SkuPrice => ({
  sku: 'pai/basic',
  unit: 'call',
  per: 1,
  tiers: [{ upTo: 1000, price: nano('0.02') }, { price: nano('0.01') }],
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
  ...given,
});

const market = (given: Partial<CanaryMarket> = {}): CanaryMarket => ({
  currency: 'CNY',
  priceOf: () => price(),
  factsOf: () => undefined,
  nowMs: Date.parse('2026-11-20T04:00:00Z'),
  ...given,
});

const figures = (given: Partial<CanaryFigures> = {}): CanaryFigures => ({
  items: 100,
  services: [
    { service: 'pai/image-quality', ended: 100, failed: 0 },
    { service: 'qiniu/video-censor', ended: 100, failed: 12 },
  ],
  usage: [{ account: 'pai', sku: 'pai/basic', units: 200, position: startPosition }],
  untouched: 5000,
  ...given,
});

const failed = (comparator: '>' | '>=' | '<' | '<=', share: number): Canary => ({
  items: 100,
  stopIf: { failed: { comparator, share } },
});
const charge = (comparator: '>' | '>=' | '<' | '<=', amount: string): Canary => ({
  items: 100,
  stopIf: { chargePerItem: { comparator, amount: nano(amount) } },
});

describe('a canary', () => {
  test('says no where too many of its tasks failed, service by service', () => {
    expect(judgeCanary(failed('>', 0.05), figures(), market())).toEqual({
      items: 100,
      ended: 200,
      failed: 12,
      chargePerItem: String(nano('0.04')),
      reasons: [
        '12 of 200 tasks failed, 6 % (pai/image-quality 0 of 100, qiniu/video-censor 12 of 100), and it stops if failed is > 5 %',
      ],
    });
  });

  test.each([
    ['>', 0.06, false],
    ['>=', 0.06, true],
    ['<', 0.06, false],
    ['<=', 0.06, true],
    ['>', 0.0599, true],
    ['>', 0, true],
  ] as const)('with failed %s %f of 6 %%: %s', (comparator, share, isStopped) => {
    const { reasons } = judgeCanary(failed(comparator, share), figures(), market());
    expect(reasons.length > 0).toBe(isStopped);
  });

  test('tells what an item costs at the tier of the month, with neither free quota nor packs', () => {
    const cheap = market({
      priceOf: () => price({ free: { units: 1_000_000, per: 'once' } }),
      factsOf: () => ({
        freeUsed: 0,
        usedThisMonth: {},
        packs: [{ units: 1_000_000, expires: '2027-01-01', cost: 1n }],
      }),
    });
    expect(judgeCanary(charge('>', '0.039'), figures(), cheap).reasons).toEqual([
      'an item costs 0.0400 CNY, and it stops if chargePerItem is > 0.0390 CNY',
    ]);
    expect(judgeCanary(charge('>', '0.04'), figures(), cheap).reasons).toEqual([]);
    // Further on in the month an item is cheaper.
    const late = market({ factsOf: () => ({ freeUsed: 0, usedThisMonth: { '2026-11': 1000 }, packs: [] }) });
    expect(judgeCanary(charge('>', '0.02'), figures(), late)).toMatchObject({
      chargePerItem: String(nano('0.02')),
      reasons: [],
    });
    expect(judgeCanary(charge('>=', '0.02'), figures(), late).reasons).toHaveLength(1);
  });

  test('says nothing of money where a unit has no price, and nothing at all where nothing came to an end', () => {
    const unpriced = market({ priceOf: () => price({ tiers: undefined }) });
    expect(judgeCanary(charge('>', '0'), figures(), unpriced)).toMatchObject({ reasons: [] });
    const none = figures({ services: [{ service: 'a', ended: 0, failed: 0 }], items: 0, usage: [] });
    expect(judgeCanary(failed('>=', 0), none, market()).reasons).toEqual([]);
    expect(judgeCanary(charge('>=', '0'), none, market()).reasons).toEqual([]);
  });

  test('names every condition that holds', () => {
    const both = { items: 100, stopIf: { ...failed('>', 0.05).stopIf, ...charge('>', '0.02').stopIf } };
    expect(judgeCanary(both, figures(), market()).reasons).toHaveLength(2);
  });
});
