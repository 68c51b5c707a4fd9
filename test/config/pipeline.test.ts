/** What a pipeline without fault becomes: defaults, conversions, hashes. */
import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFine, withLines, withService, withSource } from './project.ts';

describe('a pipeline of source and services alone', () => {
  test('has every default of the contract', async () => {
    const pipeline = await loadFine(withLines(''));
    expect(pipeline.name).toBe('p');
    expect(basename(dirname(pipeline.path))).toBe('pipelines');
    expect(pipeline.about).toBeUndefined();
    expect(pipeline.source).toEqual({
      form: 'bucket',
      storage: 'main',
      bucket: 'media',
      prefixes: [''],
      parallel: 8,
    });
    expect(pipeline.select).toEqual({ include: [], exclude: [], kinds: [], fit: 'warn' });
    expect(pipeline.access).toEqual({ mode: 'presigned', expiresInSeconds: 86_400 });
    expect(pipeline.policy).toEqual({ name: 'none', rules: [] });
    expect(pipeline.reports).toEqual({
      formats: ['csv', 'jsonl', 'html'],
      timezone: 'UTC',
      excel: true,
      language: 'en',
    });
    expect(pipeline.reuse).toEqual({ by: 'content', retryFailedAfterMs: 30 * 86_400_000 });
    expect(pipeline.resendBelow).toBe(100_000_000n);
    expect(pipeline.deadlines).toEqual({ callMs: 100_000, syncCallMs: 1_800_000, jobMs: 86_400_000 });
    const [use] = pipeline.services;
    expect(use).toMatchObject({
      name: 'toy/image',
      options: { top_k: 5 },
      model: '',
      unitsPerCall: 1,
      batch: 1,
      delivery: 'call',
    });
    expect(use?.limits).toBeUndefined();
    expect(pipeline.services).toHaveLength(1);
  });

  test('takes the only account of the vendor, its variables replaced', async () => {
    const pipeline = await loadFine(withLines(''));
    expect(pipeline.services[0]?.account).toMatchObject({
      name: 'toy-prod',
      endpoint: 'https://toy.example/v1',
      credentials: { key: 'key-of-toy', secret: 'ssh-do-not-tell' },
      limits: { concurrency: 8, perSecond: 10, maxOpenJobs: 100 },
      billing: {},
      booking: { refused: 'free', modelFailed: 'billed', failedJob: 'billed' },
      assume: {},
      returnsEmptyFrames: false,
      isLoopback: false,
    });
  });

  test('brings the storage that it names and no other', async () => {
    const pipeline = await loadFine(withLines(''), {
      'config/storages.yaml': `storages:
  main: { accessKeyId: "\${S3_KEY}", secretAccessKey: "\${S3_SECRET}" }
  other: { region: eu-west-1 }
`,
    });
    expect([...pipeline.storages]).toEqual([
      [
        'main',
        {
          name: 'main',
          region: 'us-east-1',
          pathStyle: false,
          accessKeyId: 'key-of-s3',
          secretAccessKey: 'ssh-do-not-tell',
        },
      ],
    ]);
  });

  test('counts in the price book', async () => {
    const { prices } = await loadFine(withLines(''));
    expect(prices.currency).toBe('CNY');
    expect(prices.timezone).toBe('Asia/Shanghai');
    expect(prices.skus.get('toy/call')).toEqual({
      sku: 'toy/call',
      unit: 'call',
      per: 1,
      free: { units: 200, per: 'once' },
      tiers: [{ upTo: 1000, price: 500_000_000n }, { price: 250_000_000n }],
      currency: 'CNY',
      timezone: 'Asia/Shanghai',
    });
    expect(prices.skus.get('toy/frame')).toEqual({
      sku: 'toy/frame',
      unit: 'frame',
      per: 100,
      currency: 'CNY',
      timezone: 'Asia/Shanghai',
    });
  });
});

test('every section is converted into what the stages work with', async () => {
  const pipeline = await loadFine(
    withLines(`about: everything set
select: { include: "**/*.jpg", exclude: [a, b], kinds: [image], minSize: 1KB, maxSize: 2048, modifiedAfter: 2026-01-01, modifiedWithin: 2d, fit: off }
access: { mode: public, baseUrl: https://cdn.example/media }
reports: { formats: [csv], timezone: Asia/Shanghai, excel: false, language: en }
reuse: { by: path, maxAge: 180d, retryFailedAfter: 1w }
unknown: { resendBelow: 0.25CNY }
deadlines: { call: 10s, syncCall: 1m, job: 2h, run: 8h }
`),
  );
  expect(pipeline.about).toBe('everything set');
  expect(pipeline.select).toEqual({
    include: ['**/*.jpg'],
    exclude: ['a', 'b'],
    kinds: ['image'],
    minSizeBytes: 1000,
    maxSizeBytes: 2048,
    modifiedAfter: '2026-01-01T00:00:00.000Z',
    modifiedWithinMs: 172_800_000,
    fit: 'off',
  });
  expect(pipeline.access).toEqual({ mode: 'public', baseUrl: 'https://cdn.example/media/' });
  expect(pipeline.reports).toEqual({
    formats: ['csv'],
    timezone: 'Asia/Shanghai',
    excel: false,
    language: 'en',
  });
  expect(pipeline.reuse).toEqual({
    by: 'path',
    maxAgeMs: 180 * 86_400_000,
    retryFailedAfterMs: 7 * 86_400_000,
  });
  expect(pipeline.resendBelow).toBe(250_000_000n);
  expect(pipeline.deadlines).toEqual({
    callMs: 10_000,
    syncCallMs: 60_000,
    jobMs: 7_200_000,
    runMs: 28_800_000,
  });
});

test('an instant with an offset is told in UTC', async () => {
  const pipeline = await loadFine(withLines('select: { modifiedAfter: "2026-01-01T00:00:00+08:00" }\n'));
  expect(pipeline.select.modifiedAfter).toBe('2025-12-31T16:00:00.000Z');
});

test('a bucket may have several prefixes', async () => {
  const pipeline = await loadFine(
    withSource('{ bucket: { storage: main, bucket: m, prefix: [a/, b/], parallel: 1 } }'),
  );
  expect(pipeline.source).toEqual({
    form: 'bucket',
    storage: 'main',
    bucket: 'm',
    prefixes: ['a/', 'b/'],
    parallel: 1,
  });
});

describe('a CSV manifest', () => {
  test('lies relative to the pipeline file and has the defaults of the contract', async () => {
    const pipeline = await loadFine(withSource('{ csv: { path: ../lists/a.csv } }'));
    expect(pipeline.source).toEqual({
      form: 'csv',
      path: pipeline.path.replace('pipelines/p.yaml', 'lists/a.csv'),
      header: true,
      columns: {},
      delimiter: ',',
      encoding: 'utf-8',
      allowPrivateAddresses: false,
    });
    expect(pipeline.storages.size).toBe(0);
  });

  test('may name its columns, or their positions without header', async () => {
    const named = await loadFine(
      withSource(
        '{ csv: { path: /a.csv, columns: { url: link }, storage: main, bucket: m, delimiter: ";" } }',
      ),
    );
    expect(named.source).toMatchObject({
      path: '/a.csv',
      columns: { url: 'link' },
      storage: 'main',
      bucket: 'm',
      delimiter: ';',
    });
    expect([...named.storages.keys()]).toEqual(['main']);
    const placed = await loadFine(withSource('{ csv: { path: a.csv, header: false, columns: { key: 2 } } }'));
    expect(placed.source).toMatchObject({ header: false, columns: { key: 2 } });
  });

  test('may have private addresses probed if it says so, or its storage does', async () => {
    const own = await loadFine(withSource('{ csv: { path: a.csv, allowPrivateAddresses: true } }'));
    expect(own.source).toMatchObject({ allowPrivateAddresses: true });
    const borrowed = await loadFine(withSource('{ csv: { path: a.csv, storage: main } }'), {
      'config/storages.yaml': 'storages: { main: { allowPrivateAddresses: true } }\n',
    });
    expect(borrowed.source).toMatchObject({ allowPrivateAddresses: true });
  });
});

describe('a service', () => {
  test('stands under its other name with all that is set beside it', async () => {
    const pipeline = await loadFine(
      withService(
        `use: toy/video
as: films/long
account: toy-prod
unitsPerCall: 3
batch: 20
delivery: poll
options: { model_name: mine }
limits: { concurrency: 2, maxAttempts: 3 }`,
        '  - use: toy/video\n',
      ),
    );
    expect(pipeline.services.map((use) => use.name)).toEqual(['films/long', 'toy/video']);
    expect(pipeline.services[0]).toMatchObject({
      options: {},
      model: 'mine',
      unitsPerCall: 3,
      batch: 20,
      delivery: 'poll',
      limits: { concurrency: 2, maxAttempts: 3 },
    });
  });

  test('with the default model named is the same as with none', async () => {
    const pipeline = await loadFine(withService('use: toy/image\noptions: { model_name: general }'));
    expect(pipeline.services[0]).toMatchObject({ model: '', options: { top_k: 5 } });
  });

  test('is answered in its first form where none is asked for', async () => {
    const options = 'options: { ops: [{ op: faces }] }';
    const first = await loadFine(withService(`use: toy/watch\n${options}`));
    expect(first.services[0]?.delivery).toBe('poll');
    const other = await loadFine(withService(`use: toy/watch\n${options}\ndelivery: sync`));
    expect(other.services[0]?.delivery).toBe('sync');
  });

  test('is called back where its account says', async () => {
    const pipeline = await loadFine(
      withService('use: toy/watch\noptions: { ops: [{ op: faces }] }\ndelivery: callback'),
      {
        'config/accounts.yaml': `accounts:
  a: { vendor: toy, key: k, secret: long-enough, callback: { listen: "[::1]:8787", publicUrl: "https://hooks.example/" } }
`,
      },
    );
    expect(pipeline.services[0]?.delivery).toBe('callback');
    expect(pipeline.services[0]?.account.callback).toEqual({
      listen: { host: '::1', port: 8787 },
      publicUrl: 'https://hooks.example',
    });
  });
});

describe('an account', () => {
  test('tells what the ledger cannot know', async () => {
    const pipeline = await loadFine(withLines(''), {
      'config/accounts.yaml': `accounts:
  a:
    vendor: toy
    key: k
    secret: long-enough
    limits: { perSecond: 0.5 }
    billing: { toy/call: { freeUsed: 200, usedThisMonth: { 2026-11: 1200000 }, packs: [{ units: 5000000, expires: 2027-06-30, cost: "19500" }] } }
    booking: { failedJob: free }
    assume: { keyFrameGap: 2s, duration: 10m }
    returnsEmptyFrames: true
`,
    });
    expect(pipeline.services[0]?.account).toMatchObject({
      endpoint: 'https://toy.example',
      limits: { concurrency: 8, perSecond: 0.5, maxOpenJobs: 100 },
      billing: {
        'toy/call': {
          freeUsed: 200,
          usedThisMonth: { '2026-11': 1_200_000 },
          packs: [{ units: 5_000_000, expires: '2027-06-30', cost: 19_500_000_000_000n }],
        },
      },
      booking: { refused: 'free', modelFailed: 'billed', failedJob: 'free' },
      assume: { keyFrameGapSeconds: 2, durationSeconds: 600 },
      returnsEmptyFrames: true,
    });
  });

  test.each([
    ['http://127.0.0.1:9001', true],
    ['http://127.8.9.1', true],
    ['http://127.1:80', true],
    ['http://localhost:9001/v1', true],
    ['http://pai.localhost', true],
    ['http://[::1]:9001', true],
    ['http://[::ffff:127.0.0.1]', true],
    ['https://128.0.0.1', false],
    ['https://localhost.example', false],
    ['https://127.0.0.1.example', false],
    ['https://[::2]', false],
  ])('at %s is a stand-in on this machine: %s', async (endpoint, isLoopback) => {
    const pipeline = await loadFine(withLines(''), {
      'config/accounts.yaml': `accounts: { a: { vendor: toy, key: k, secret: long-enough, endpoint: "${endpoint}" } }\n`,
    });
    expect(pipeline.services[0]?.account.isLoopback).toBe(isLoopback);
  });
});

describe('a policy', () => {
  test('of a file bears the name of the file, and its rules their name or their own text', async () => {
    const pipeline = await loadFine(
      withService('use: toy/watch\noptions: { ops: [{ op: faces }, { op: mood }] }', 'policy: strict\n'),
      {
        'config/policies/strict.yaml': `rules:
  - { name: odd face, service: toy/watch, op: faces, score: ">= 0.6", verdict: review }
  - { service: toy/watch, op: mood, label: [wild, 0], verdict: block }
  - { service: toy/image, metric: quality, is: "< 40", verdict: pass }
`,
      },
    );
    expect(pipeline.policy).toEqual({
      name: 'strict',
      rules: [
        {
          service: 'toy/watch',
          op: 'faces',
          score: { comparator: '>=', value: 0.6 },
          reason: 'odd face',
          verdict: 'review',
        },
        {
          service: 'toy/watch',
          op: 'mood',
          labels: ['wild', '0'],
          reason: 'toy/watch mood wild|0',
          verdict: 'block',
        },
        {
          service: 'toy/image',
          metric: 'quality',
          is: { comparator: '<', value: 40 },
          reason: 'toy/image quality < 40',
          verdict: 'pass',
        },
      ],
    });
  });

  test('may stand in the pipeline', async () => {
    const pipeline = await loadFine(
      withLines('policy: { rules: [{ service: toy/image, label: cat, verdict: review }] }\n'),
    );
    expect(pipeline.policy.name).toBe('inline');
    expect(pipeline.policy.rules).toHaveLength(1);
  });

  test('respects what people decided where the reports are to', async () => {
    const { policy, reports } = await loadFine(withLines('reports: { respect: decisions }\n'));
    expect(policy).toEqual({ name: 'none', rules: [], respectsDecisions: true });
    expect(reports).not.toHaveProperty('respect');
  });

  test('none is no policy', async () => {
    expect((await loadFine(withLines('policy: none\n'))).policy).toEqual({ name: 'none', rules: [] });
  });
});

test('prices may be one for all units, and free units monthly', async () => {
  const { prices } = await loadFine(withLines(''), {
    'config/prices/toy.yaml': `currency: USD
timezone: UTC
skus:
  toy/call: { unit: call, price: 0.5, free: { units: 10, per: month }, increment: 25, source: a page, readOn: 2026-11-20 }
`,
  });
  expect(prices.skus.get('toy/call')).toEqual({
    sku: 'toy/call',
    unit: 'call',
    per: 1,
    tiers: [{ price: 500_000_000n }],
    free: { units: 10, per: 'month' },
    increment: 25,
    source: 'a page',
    readOn: '2026-11-20',
    currency: 'USD',
    timezone: 'UTC',
  });
});

describe('the hashes', () => {
  const base = withService('use: toy/video\nbatch: 2');
  const hashesOf = async (text: string, changes = {}): Promise<readonly [string, string]> => {
    const { hash, shapeHash } = await loadFine(text, changes);
    return [hash, shapeHash];
  };

  test('do not change with where the project lies, comments, or the order of keys', async () => {
    const csv = withSource('{ csv: { path: a.csv, delimiter: ";" } }');
    const same = withSource('{ csv: { delimiter: ";", path: ./a.csv } } # a list');
    expect(await hashesOf(same)).toEqual(await hashesOf(csv));
  });

  test('are hex of SHA-256', async () => {
    for (const hash of await hashesOf(base)) expect(hash).toMatch(/^[\da-f]{64}$/);
  });

  test.each([
    ['batch', withService('use: toy/video\nbatch: 3'), {}],
    ['limits of a service', withService('use: toy/video\nbatch: 2\nlimits: { concurrency: 1 }'), {}],
    ['policy', `${base}policy: { rules: [] }\n`, {}],
    ['reports', `${base}reports: { excel: false }\n`, {}],
    ['deadlines', `${base}deadlines: { job: 1h }\n`, {}],
    [
      'prices',
      base,
      {
        'config/prices/toy.yaml':
          'currency: CNY\ntimezone: UTC\nskus: { toy/call: { unit: c, price: "1" } }\n',
      },
    ],
    [
      'limits of an account',
      base,
      {
        'config/accounts.yaml':
          'accounts: { toy-prod: { vendor: toy, endpoint: "https://toy.example/v1", key: k, secret: long-enough, limits: { concurrency: 1 } } }\n',
      },
    ],
  ])('tell another %s by the hash of all, while the run may go on', async (_, text, changes) => {
    const [hash, shape] = await hashesOf(base);
    const [otherHash, otherShape] = await hashesOf(text, changes);
    expect(otherHash).not.toBe(hash);
    expect(otherShape).toBe(shape);
  });

  test.each([
    ['source', base.replace('media', 'other')],
    ['select', `${base}select: { kinds: [video] }\n`],
    ['access', `${base}access: { expiresIn: 1h }\n`],
    ['service', withService('use: toy/image\nbatch: 1')],
    ['name of a service', withService('use: toy/video\nbatch: 2\nas: films')],
    ['model', withService('use: toy/video\nbatch: 2\nunitsPerCall: 1\noptions: { model_name: mine }')],
  ])('tell another %s by both', async (_, text) => {
    const [hash, shape] = await hashesOf(base);
    const [otherHash, otherShape] = await hashesOf(text);
    expect(otherHash).not.toBe(hash);
    expect(otherShape).not.toBe(shape);
  });

  test('do not change with the price of a SKU that is not used', async () => {
    const more = 'currency: CNY\ntimezone: Asia/Shanghai\nskus: { toy/extra: { unit: x, price: "1" } }\n';
    expect(await hashesOf(base, { 'config/prices/more.yaml': more })).toEqual(await hashesOf(base));
  });

  test('do not know the secrets', async () => {
    const other = {
      'config/accounts.yaml':
        'accounts: { toy-prod: { vendor: toy, endpoint: "https://toy.example/v1/", key: other, secret: another-secret } }\n',
    };
    expect(await hashesOf(base, other)).toEqual(await hashesOf(base));
  });
});

test('what the ledger keeps has its variables as they were written', async () => {
  const pipeline = await loadFine(withLines('about: "for ${WORD} and $${WORD}"\n'));
  expect(pipeline.about).toBe('for word-of-environment and ${WORD}');
  expect(pipeline.written).toEqual({
    source: { bucket: { storage: 'main', bucket: 'media' } },
    services: [{ use: 'toy/image' }],
    about: 'for ${WORD} and $${WORD}',
  });
});
