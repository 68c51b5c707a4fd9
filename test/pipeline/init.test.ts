/** Projects that `init` begins: they pass `check`, whatever was answered, and nothing that was there is touched. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import type { DraftAnswers } from '../../src/domain/draft.ts';
import { formatProblem } from '../../src/domain/problem.ts';
import { init } from '../../src/pipeline/init.ts';
import type { Outside } from '../../src/pipeline/outside.ts';
import { catalogue } from '../../src/vendors/index.ts';

const home = join(import.meta.dirname, '..', '..');
const names = catalogue.flatMap((vendor) => vendor.services.map(({ name }) => name));
const variables = ['S3_KEY', 'S3_SECRET', 'PAI_APP_ID', 'PAI_TOKEN', 'QINIU_ACCESS_KEY', 'QINIU_SECRET_KEY'];
const environment = Object.fromEntries(variables.map((name) => [name, 'set']));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-init-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const base: DraftAnswers = {
  name: 'nightly',
  source: { form: 'bucket', bucket: 'media', prefix: '' },
  services: ['pai/image-quality'],
  timezone: 'Asia/Shanghai',
};

function begin(target: string, answers: Partial<DraftAnswers> = {}, given: Partial<Outside> = {}) {
  return init({ folder, home, environment, ...given } as Outside, target, { ...base, ...answers });
}

async function check(target: string, name = 'nightly') {
  const path = join(folder, target, 'pipelines', `${name}.yaml`);
  const { pipeline, problems, warnings } = await loadPipeline({ path, environment, catalogue });
  return { pipeline, told: [...problems, ...warnings].map(formatProblem) };
}

const service = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 });
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((one) => !one.includes('${'));
const source = fc.oneof(
  fc.record({ form: fc.constant('bucket' as const), bucket: text, prefix: fc.oneof(text, fc.constant('')) }),
  fc.record({
    form: fc.constantFrom('csv' as const, 'jsonl' as const),
    path: fc.constantFrom('list.csv', '/srv/lists/a b.csv', '../猫.csv', 's3://main/lists/a.csv.gz', '-'),
  }),
);

test('every project passes check without a warning, whatever was answered', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record(
        {
          source,
          services: service,
          endpoint: fc.constantFrom('https://s3.example', 'http://127.0.0.1:9000'),
          region: fc.constantFrom('cn-hangzhou', 'us-east-1'),
          cap: fc.constantFrom('100 CNY', '0.5', '20000CNY'),
        },
        { requiredKeys: ['source', 'services'] },
      ),
      async (answers) => {
        number += 1;
        const target = `property-${number}`;
        expect((await begin(target, answers)).problems).toEqual([]);
        const { pipeline, told } = await check(target);
        expect(told).toEqual([]);
        expect(pipeline?.services.map((use) => use.name)).toEqual(answers.services);
        expect(pipeline?.source.form).toBe(answers.source.form);
        await rm(join(folder, target), { recursive: true });
      },
    ),
    { numRuns: 40 },
  );
});

describe('a project', () => {
  test('asks the store and for the keys that were named', async () => {
    const { unset } = await begin(
      'bare',
      { endpoint: 'https://s3.example', region: 'r-1' },
      { environment: {} },
    );
    expect(unset).toEqual(['S3_KEY', 'S3_SECRET', 'PAI_APP_ID', 'PAI_TOKEN']);
    const { pipeline } = await check('bare');
    expect(pipeline?.storages.get('main')).toMatchObject({ endpoint: 'https://s3.example', region: 'r-1' });
  });

  test('without an address lists AWS with the credentials of the machine', async () => {
    expect((await begin('aws', {}, { environment: { PAI_APP_ID: 'x', PAI_TOKEN: 'x' } })).unset).toEqual([]);
    expect((await check('aws')).pipeline?.source).toMatchObject({ storage: 'aws' });
  });

  test('reads a manifest from where the person named it', async () => {
    await begin('manifest', { source: { form: 'csv', path: 'lists/a.csv' } });
    expect((await check('manifest')).pipeline?.source).toMatchObject({
      path: join(folder, 'lists', 'a.csv'),
    });
  });

  test('bounds units that have no price beside the money', async () => {
    await begin('capped', { services: ['qiniu/video-censor'], cap: '5 CNY' });
    expect((await check('capped')).pipeline?.caps).toMatchObject({
      run: 5_000_000_000n,
      units: { 'qiniu/pulp-image': 10_000 },
    });
  });

  test('that is there keeps every file, and takes another pipeline beside the first', async () => {
    await begin('twice');
    const accounts = join(folder, 'twice', 'config', 'accounts.yaml');
    await writeFile(accounts, `${await readFile(accounts, 'utf8')}# mine\n`);
    const { written, kept } = await begin('twice', { name: 'weekly' });
    expect(written).toEqual(['twice/pipelines/weekly.yaml']);
    expect(kept).toContain('twice/config/accounts.yaml');
    expect(await readFile(accounts, 'utf8')).toMatch(/# mine\n$/);
    await expect(begin('twice')).rejects.toThrow(
      'init: expected no file "twice/pipelines/nightly.yaml", found one. Give the pipeline another name with --name; nothing was written.',
    );
  });

  test('says what its config lacks where that was there before', async () => {
    await begin('poor');
    await writeFile(join(folder, 'poor', 'config', 'storages.yaml'), 'storages: {}\n');
    const { problems } = await begin('poor', { name: 'other' });
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('there is no storage "aws"'),
    ]);
  });

  test.each([
    [{ name: '../x' }, "init: the pipeline's name: expected at most 100 letters"],
    [{ name: 'latest' }, 'found "latest".'],
    [{ services: ['pai/image-qualty'] }, 'Did you mean "pai/image-quality"?'],
  ])('with %j is refused before anything is written', async (answers, message) => {
    await expect(begin('refused', answers)).rejects.toThrow(message);
    expect(await readdir(folder)).not.toContain('refused');
  });
});
