/** The files that come with the project: they pass, and the rehearsal's are those of the real thing. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import { formatProblem } from '../../src/domain/problem.ts';
import { catalogue } from '../../src/vendors/index.ts';

const root = join(import.meta.dirname, '../..');
const variables = {
  PAI_APP_ID: '202209290847310001',
  PAI_TOKEN: 'token',
  QINIU_ACCESS_KEY: 'key',
  QINIU_SECRET_KEY: 'secret',
  S3_KEY: 'key',
  S3_SECRET: 'secret',
};

async function loadShipped(name: string, config: string, environment: Readonly<Record<string, string>>) {
  const { pipeline, problems, warnings } = await loadPipeline({
    path: join(root, 'pipelines', name),
    configFolder: join(root, config),
    environment,
    catalogue,
  });
  return { pipeline, told: [...problems, ...warnings].map(formatProblem) };
}

test.each([
  'nightly-moderation.yaml',
  'existing-library.yaml',
])('%s passes with its variables set', async (name) => {
  const { pipeline, told } = await loadShipped(name, 'config', variables);
  expect(told).toEqual([]);
  expect(pipeline?.prices.currency).toBe('CNY');
});

describe('the rehearsal', () => {
  test('passes with nothing set, and calls this machine only', async () => {
    const { pipeline, told } = await loadShipped('rehearsal.yaml', 'config/rehearsal', {});
    expect(told).toEqual([]);
    expect(pipeline?.services.map((use) => [use.name, use.account.endpoint, use.account.isLoopback])).toEqual(
      [
        ['pai/image-quality', 'http://127.0.0.1:9001', true],
        ['qiniu/video-censor', 'http://127.0.0.1:9002', true],
      ],
    );
    expect(pipeline?.storages.get('rehearsal')?.endpoint).toBe('http://127.0.0.1:9000');
    expect(pipeline?.source).toEqual({
      form: 'bucket',
      storage: 'rehearsal',
      bucket: 'media',
      prefixes: [''],
      parallel: 8,
    });
  });

  test('takes ports and keys from variables', async () => {
    const { pipeline } = await loadShipped('rehearsal.yaml', 'config/rehearsal', {
      MEDIASWEEP_PAI_PORT: '1001',
      MEDIASWEEP_PAI_APP_ID: 'app',
      MEDIASWEEP_PAI_TOKEN: 'pai-token',
      MEDIASWEEP_QINIU_PORT: '1002',
      MEDIASWEEP_QINIU_ACCESS_KEY: 'ak',
      MEDIASWEEP_QINIU_SECRET_KEY: 'sk',
      MEDIASWEEP_S3_PORT: '1003',
      MEDIASWEEP_S3_KEY: 's3-key',
      MEDIASWEEP_S3_SECRET: 's3-secret',
    });
    expect(pipeline?.services.map((use) => [use.account.endpoint, use.account.credentials])).toEqual([
      ['http://127.0.0.1:1001', { appId: 'app', token: 'pai-token' }],
      ['http://127.0.0.1:1002', { accessKey: 'ak', secretKey: 'sk' }],
    ]);
    expect(pipeline?.storages.get('rehearsal')).toMatchObject({
      endpoint: 'http://127.0.0.1:1003',
      accessKeyId: 's3-key',
      secretAccessKey: 's3-secret',
    });
  });

  test.each(['prices/china.yaml', 'policies/strict.yaml'])('has the same %s', async (name) => {
    const body = async (folder: string): Promise<string> =>
      (await readFile(join(root, folder, name), 'utf8')).replace(/^#.*schema=.*\n/, '');
    expect(await body('config/rehearsal')).toBe(await body('config'));
  });
});

test('the prices are those of the vendors, and none is made up', async () => {
  const { pipeline } = await loadShipped('nightly-moderation.yaml', 'config', variables);
  const figures = [...(pipeline?.prices.skus.values() ?? [])].map((price) => [
    price.sku,
    price.per,
    price.free?.units,
    price.tiers?.map((tier) => [tier.upTo, tier.price]),
  ]);
  expect(figures).toEqual([
    [
      'qiniu/politician-image',
      100,
      undefined,
      [
        [3_000_000, 155_000_000n],
        [undefined, 145_000_000n],
      ],
    ],
    ['qiniu/pulp-image', 100, undefined, undefined],
    ['qiniu/terror-image', 100, undefined, undefined],
    [
      'pai/basic',
      1,
      200,
      [
        [5_000_000, 4_600_000n],
        [20_000_000, 3_900_000n],
        [undefined, 3_200_000n],
      ],
    ],
    [
      'pai/advanced',
      1,
      200,
      [
        [5_000_000, 55_000_000n],
        [20_000_000, 47_000_000n],
        [undefined, 38_000_000n],
      ],
    ],
  ]);
});
