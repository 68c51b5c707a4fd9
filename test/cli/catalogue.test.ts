import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { listOptions } from '../../src/cli/option-row.ts';
import { displayWidth } from '../../src/cli/print/table.ts';
import { describeLimits } from '../../src/domain/fit.ts';
import type { PriceBook, SkuPrice } from '../../src/domain/pricing.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { makeTerminal, speak } from './desk.ts';

const services = catalogue.flatMap((vendor) => vendor.services);
const base = { unit: 'call', per: 1, currency: 'CNY', timezone: 'Asia/Shanghai' };
const prices: readonly SkuPrice[] = [
  {
    ...base,
    sku: 'pai/basic',
    tiers: [{ upTo: 5_000_000, price: 4_600_000n }, { price: 3_900_000n }],
    free: { units: 200, per: 'once' },
  },
  {
    ...base,
    sku: 'qiniu/politician-image',
    per: 100,
    tiers: [{ upTo: 3_000_000, price: 155_000_000n }, { price: 145_000_000n }],
  },
  { ...base, sku: 'qiniu/pulp-image', per: 100 },
];
const book: PriceBook = {
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
  skus: new Map(prices.map((price) => [price.sku, price])),
};
const given = { catalogue: async () => catalogue, prices: async () => book };
const unpriced = { ...given, prices: async () => undefined };

describe('catalogue', () => {
  test('names the media limits and every option of every service, with range and default', async () => {
    const { out } = await speak('catalogue', given);
    const json = JSON.parse((await speak('catalogue --json', given)).out);
    for (const service of services) {
      const [, terms = ''] = out.split(`\n${service.name}\n`);
      const [media = '', options = ''] = terms.split('\n');
      expect(media).toBe(`  media: ${describeLimits(service.limits)}`);
      for (const name of Object.keys(
        json.services.find((one: { name: string }) => one.name === service.name).options.properties,
      )) {
        expect(options).toMatch(new RegExp(`[ ,]${name}\\b`));
      }
    }
    expect(out).toContain('options: tag_top_k 1 to 10 (10), output_embedding (true), model_name');
    expect(out).toContain('pai/image-quality\n  media: advised: at most 5 MB, at least 240 x 240 pixels\n');
    expect(out).toContain('pai/video-quality\n  media: advised: at most 100 MB, at least 320 x 240 pixels\n');
    expect(out).toContain(
      'pai/face-age\n  media: faces larger than 100 x 100 pixels; no other documented limits\n',
    );
    expect(out).toContain('qiniu/video-censor\n  media: no documented limits\n');
  });

  test('lists every service with call, kind, delivery, SKUs and first price', async () => {
    const { exitCode, out, err } = await speak('catalogue', given);
    expect([exitCode, err]).toEqual([0, '']);
    for (const service of services) {
      const row = out.split('\n').find((line) => line.startsWith(`${service.name} `));
      expect(row).toContain(service.vendorCall);
      expect(row).toContain(service.about);
      expect(row).toContain(service.kinds.join(', '));
    }
    expect(out).toMatch(
      /^pai\/image-quality +ImageQA +image +one call +pai\/basic +0\.0046 CNY per call +scores/m,
    );
    expect(out).toMatch(/^pai\/video-quality .* poll, batch to 100 +pai\/advanced +- +/m);
    expect(out).toMatch(/^qiniu\/video-censor .* qiniu\/politician-image +0\.155 CNY per 100 +finds/m);
    expect(out).toMatch(/^ +qiniu\/pulp-image +price unknown$/m);
    expect(out).toMatch(/^ +qiniu\/terror-image +-$/m);
  });

  test.each([60, 80, 149, 180])('fits a terminal of %i columns', async (columns) => {
    const terminal = makeTerminal({ isTerminal: true, columns });
    const { out } = await speak('catalogue', given, { terminal });
    expect(out.split('\n').filter((line) => displayWidth(line) > columns)).toEqual([]);
    for (const { name, vendorCall } of services) {
      expect(out).toContain(`${name} `);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(vendorCall);
    }
    expect(out).toContain('pai/basic');
    expect(out).toContain('0.0046 CNY per call');
  });

  test('works without a price book', async () => {
    const { exitCode, out } = await speak('catalogue', unpriced);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^pai\/image-quality .* pai\/basic +- +scores/m);
  });

  test('with --json is one document with exact prices', async () => {
    const { out } = await speak('catalogue --json', given);
    const document = JSON.parse(out) as { services: { name: string; skus: unknown[] }[] };
    expect(document.services.map(({ name }) => name)).toEqual(services.map(({ name }) => name));
    expect(document.services[0]?.skus).toMatchObject([
      {
        sku: 'pai/basic',
        unit: 'call',
        price: { tiers: [{ upTo: 5_000_000, price: '0.0046' }, { price: '0.0039' }] },
      },
    ]);
  });

  test.each([
    ['pai/image-qualty', ' Did you mean "pai/image-quality"?'],
    ['video-censor', ' Did you mean "qiniu/video-censor"?'],
    ['qiniu/video-censer', ' Did you mean "qiniu/video-censor"?'],
    ['zebra', ''],
  ])('of "%s", which is not there, is wrong use', async (name, suggestion) => {
    expect(await speak(`catalogue ${name}`, given)).toEqual({
      exitCode: 2,
      out: '',
      err: `error mediasweep catalogue: there is no service "${name}".${suggestion} mediasweep catalogue lists all.\n`,
    });
  });
});

describe.each(
  services.map((service) => [service.name, service] as const),
)('catalogue %s', (name, service) => {
  test('explains limits, prices, columns, options and the manual', async () => {
    const { exitCode, out, err } = await speak(`catalogue ${name}`, given);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out.startsWith(`${name}\n  ${service.about}\n`)).toBe(true);
    expect(out).toContain(`manual     ${service.manual}`);
    expect(out).toContain(service.limits.source);
    const options: unknown = service.options.parse(service.exampleOptions);
    for (const metric of service.columns(options).metrics) expect(out).toContain(`${name}.${metric}`);
    for (const sku of service.skus(options)) expect(out).toContain(`${sku}: `);
    expect(out.includes('\n  model_name ')).toBe(service.defaultModel !== undefined);
  });

  test('has an example to paste, which the service takes', async () => {
    const { out } = await speak(`catalogue ${name}`, given);
    const pasted = parse(out.split('to paste\n')[1] ?? '') as {
      services: { use: string; batch?: number; options?: unknown }[];
    };
    const [use] = pasted.services;
    expect(use?.use).toBe(name);
    expect(use?.batch).toBe(service.maxBatch > 1 ? 20 : undefined);
    expect(service.options.safeParse(use?.options ?? {}).success).toBe(true);
    expect(use?.options ?? {}).toEqual(service.exampleOptions);
  });

  test('with --json is one document with the schema of its options', async () => {
    const { out } = await speak(`catalogue ${name} --json`, given);
    const document = JSON.parse(out) as Record<string, unknown>;
    expect(document).toMatchObject({ name, vendorCall: service.vendorCall, maxBatch: service.maxBatch });
    expect(document['options']).toMatchObject({ type: 'object', additionalProperties: false });
    expect(document['example']).toMatchObject({ use: name });
  });
});

test('catalogue qiniu/video-censor shows types, ranges and defaults as the shape has them', async () => {
  const { out } = await speak('catalogue qiniu/video-censor', given);
  expect(out).toMatch(/^ {2}ops +list: 1 to 3 entries +required +Checks to make/m);
  expect(out).toMatch(/^ {2}ops\[\]\.op +text: politician, pulp, terror +required +What to look for/m);
  expect(out).toMatch(/^ {2}vframe\.mode +number: 0, 1 +1 +0 cuts/m);
  expect(out).toMatch(/^ {2}vframe\.interval +number: 1 to 60 +5 +Seconds/m);
  expect(out).toContain('qiniu/politician-image: 0.155 CNY per 100 up to 3,000,000 a month, then 0.145 (');
  expect(out).toContain('qiniu/pulp-image: price unknown (');
  expect(out).toContain('qiniu/terror-image: no price in config/prices/ (');
  expect(out).toContain('callback: a job, the vendor calls back when it is done');
});

test('catalogue pai/image-quality shows the free quota and the sizes that the vendor takes', async () => {
  const { out } = await speak('catalogue pai/image-quality', given);
  expect(out).toContain(
    'pai/basic: 0.0046 CNY per call up to 5,000,000 a month, then 0.0039; 200 free once (',
  );
  expect(out).toContain('advised: at most 5 MB, at least 240 x 240 pixels (');
});

test('options are told by type and range', () => {
  const schema = {
    properties: {
      least: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      most: { type: 'number', maximum: 9 },
      either: {
        anyOf: [
          { type: 'string', enum: ['a'] },
          { type: 'integer', minimum: 1, maximum: 3 },
        ],
      },
      fixed: { type: 'boolean', const: true },
      free: {},
    },
    required: ['most'],
  };
  expect(
    listOptions(schema).map(({ name, type, range, isRequired }) => [name, type, range, isRequired]),
  ).toEqual([
    ['least', 'whole number', 'at least 1', false],
    ['most', 'number', 'at most 9', true],
    ['either', 'text or whole number', 'a, 1 to 3', false],
    ['fixed', 'true or false', 'true', false],
    ['free', 'any', '', false],
  ]);
});
