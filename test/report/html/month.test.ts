/** The bill's tiers of the month: how far each account has come, in words that a price list would use. */
import { expect, test } from 'vitest';
import type { AccountStand } from '../../../src/domain/cost.ts';
import { parseNano } from '../../../src/domain/money.ts';
import type { PriceBook, SkuPrice } from '../../../src/domain/pricing.ts';
import type { Language } from '../../../src/domain/settings.ts';
import { writeReports } from '../../../src/report/write-reports.ts';
import { makeRequest } from '../library.ts';

const nano = (text: string) => parseNano(text) ?? -1n;
const basis = { unit: 'unit', currency: 'CNY', timezone: 'Asia/Shanghai' };
const politician: SkuPrice = {
  ...basis,
  sku: 'qiniu/politician-image',
  per: 100,
  tiers: [{ upTo: 3_000_000, price: nano('0.155') }, { price: nano('0.145') }],
};
const basic: SkuPrice = {
  ...basis,
  sku: 'pai/basic',
  per: 1,
  tiers: [
    { upTo: 5_000_000, price: nano('0.0046') },
    { upTo: 20_000_000, price: nano('0.0039') },
  ],
};
const pulp: SkuPrice = { ...basis, sku: 'qiniu/pulp-image', per: 100 };
const prices: PriceBook = {
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
  skus: new Map([politician, basic, pulp].map((price) => [price.sku, price])),
};

function makeStand(sku: string, tierUnits: number, rest: Partial<AccountStand> = {}): AccountStand {
  const none = { elsewhere: 0, freeLeft: 0, packs: [] };
  return { account: `of ${sku}`, sku, unit: 'unit', tierUnits, ...none, ...rest };
}

/** The months' part of the page as its readers have it: tags gone, a cell a line. */
async function readMonths(stands: readonly AccountStand[], language: Language = 'en'): Promise<string> {
  const reports = { formats: ['html'], timezone: 'Asia/Shanghai', excel: true, language } as const;
  const month = { month: '2026-11', stands };
  const request = makeRequest([], { prices, reports, readMonths: async () => [month] });
  await writeReports(request);
  const page = request.folder.files.get('report.html') ?? '';
  const [section = ''] = /<h3>[^<]*2026-11.*?(?=<h3|<\/section>)/s.exec(page) ?? [];
  return section.replaceAll(/<\/t[dhr]>|<\/h3>|<\/li>/g, '\n').replaceAll(/<[^>]+>/g, '');
}

test('the units of the month stand beside each tier that they fell into, and what comes next', async () => {
  const tier = { amount: nano('0.0039'), per: 1, upTo: 20_000_000 };
  const told = await readMonths([
    makeStand(politician.sku, 3_402_118, { price: { amount: nano('0.145'), per: 100 }, elsewhere: 250_000 }),
    makeStand(basic.sku, 12_500_000, { price: tier }),
  ]);
  expect(told).toContain('Tiers of 2026-11\n');
  expect(told).toContain('How far the month had come when this page was written');
  expect(told).toContain(
    '3,402,118\n250,000\n3,000,000 at 0.155 + 402,118 at 0.145 CNY per 100\nthe last tier\n',
  );
  expect(told).toContain(
    '5,000,000 at 0.0046 + 7,500,000 at 0.0039 CNY\n7,500,000 more, then price unknown\n',
  );
});

test('the gauge shows how far the tier is filled, not how far the month has come', async () => {
  const request = makeRequest([], {
    prices,
    readMonths: async () => [
      {
        month: '2026-11',
        stands: [
          makeStand(basic.sku, 12_500_000, { price: { amount: nano('0.0039'), per: 1, upTo: 20_000_000 } }),
        ],
      },
    ],
  });
  await writeReports(request);
  expect(request.folder.files.get('report.html')).toContain('class="share spent" x="0.00" width="50.00"');
});

test('units without a price, units past the last priced tier and packs are told as what they are', async () => {
  const pack = { units: 100, expires: '2026-10-31', cost: nano('10'), used: 40, left: 60, sunk: nano('6') };
  const told = await readMonths([
    makeStand(pulp.sku, 7, {
      packs: [
        { ...pack, isExpired: true },
        { ...pack, isExpired: false },
      ],
    }),
    makeStand(basic.sku, 20_000_001),
  ]);
  expect(told).toContain('\n7\nprice unknown\n–\n');
  expect(told).toContain('15,000,000 at 0.0039 + 1 without a price CNY');
  expect(told).toContain('pack of 100 units to 2026-10-31, 40 used, 60 lost with its end (6.00 CNY)');
  expect(told).toContain('pack of 100 units to 2026-10-31, 40 used, 60 left (6.00 CNY sunk)');
});

test('nothing stands there where nothing was used, and Chinese where the page is', async () => {
  expect(await readMonths([makeStand(basic.sku, 0)])).toBe('');
  const told = await readMonths([makeStand(politician.sku, 3_000_001)], 'zh');
  expect(told).toContain('2026-11 的阶梯用量');
  expect(told).toContain('3,000,000 × 0.155 + 1 × 0.145');
});
