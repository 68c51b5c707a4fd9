/** YAML that somebody broke or wrote to harm: each fault is told at its place, and nothing is thrown, shown or awaited. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadCluster, loadPipeline } from '../../src/config/load.ts';
import { formatProblem, type Problem } from '../../src/domain/problem.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { broken, deepTexts, fuzzTimeoutMs, nastyValue, replaceAt, tries } from './hostile.ts';

const root = join(import.meta.dirname, '..', '..');
const canary = 'canary-of-the-environment';
const environment = {
  S3_KEY: 'key-id',
  S3_SECRET: canary,
  PAI_APP_ID: '1',
  PAI_TOKEN: canary,
  QINIU_ACCESS_KEY: 'access',
  QINIU_SECRET_KEY: canary,
  HOOK_URL: `https://hook.example/${canary}`,
  HOOK_SECRET: canary,
  REDIS_PASSWORD: canary,
  PGPASSWORD: canary,
};

/** Every key that a pipeline may have, and some that exclude each other. */
const full = `about: everything
source: { csv: { path: a.csv, header: true, columns: { url: link }, delimiter: ",", encoding: utf-8, storage: main, bucket: media, maxBrokenRows: 3, allowPrivateAddresses: false } }
select: { include: ["**/*.{jpg,mp4}"], exclude: ["x/**"], kinds: [image, video], minSize: 1KB, maxSize: 100MB, modifiedAfter: 2026-01-01, modifiedWithin: 2d, sample: 1%, fit: warn }
access: { mode: presigned, expiresIn: 24h }
services:
  - { use: pai/image-quality, account: pai-prod, limits: { concurrency: 8, perSecond: 10 }, options: {} }
  - { use: pai/video-quality, batch: 20, as: second }
  - use: qiniu/video-censor
    options: { ops: [{ op: politician, params: { labels: [{ label: x, select: 1, score: 0.5 }] } }], vframe: { mode: 0, interval: 5 } }
    delivery: poll
    when: { service: second, metric: video_score, is: "< 60" }
policy: { rules: [{ name: r, service: qiniu/video-censor, op: politician, label: ["0"], score: ">= 0.6", verdict: review }] }
reports: { formats: [csv, jsonl, html], timezone: Asia/Shanghai, excel: true, language: zh }
caps: { run: 500 CNY, month: 20000 CNY, units: { qiniu/pulp-image: 100000 } }
reuse: { by: content, maxAge: 180d, retryFailedAfter: 30d }
unknown: { resendBelow: 0.10 CNY }
deadlines: { call: 100s, syncCall: 30m, job: 24h, run: none }
canary: { items: 200, stopIf: { failed: "> 5%", chargePerItem: "> 0.02" } }
notify: [{ webhook: "\${HOOK_URL}", format: dingtalk, secret: "\${HOOK_SECRET}", on: [failure, flagged, cap80] }]
`;

/** What machines share. */
const cluster = `redis: { host: redis.internal, port: 6380, user: audit, password: "\${REDIS_PASSWORD}", tls: true, prefix: media-1 }
ledger: { postgres: { host: pg.internal, port: 5433, database: audit, user: me, password: "\${PGPASSWORD}", tls: true, schema: m } }
shards: { tasks: 10, perWorker: 2 }
`;

interface Loaded {
  /** Absent where something is at fault. */
  readonly made?: unknown;
  readonly problems: readonly Problem[];
}

let folder: string;
const originals = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-hostile-'));
  await cp(join(root, 'config'), join(folder, 'config'), { recursive: true });
  await cp(join(root, 'pipelines'), join(folder, 'pipelines'), { recursive: true });
  await writeFile(join(folder, 'pipelines', 'full.yaml'), full);
  await writeFile(join(folder, 'config', 'cluster.yaml'), cluster);
  for (const name of await readdir(folder, { recursive: true })) {
    const own = !/rehearsal/.test(name) && name.endsWith('.yaml');
    if (own) originals.set(name, await readFile(join(folder, name), 'utf8'));
  }
});

afterAll(() => rm(folder, { recursive: true }));

/** Loads the pipeline `full`, or the named one, while one file has these bytes. */
async function loadWith(file: string, bytes: Uint8Array | string): Promise<Loaded> {
  await writeFile(join(folder, file), bytes);
  const pipeline = file.startsWith('pipelines/') ? file : 'pipelines/full.yaml';
  try {
    if (file === 'config/cluster.yaml') {
      const { cluster: made, problems } = await loadCluster(join(folder, 'config'), environment);
      return { made: made ?? (problems.length === 0 ? {} : undefined), problems };
    }
    const { pipeline: made, problems } = await loadPipeline({
      path: join(folder, pipeline),
      environment,
      catalogue,
    });
    return { made, problems };
  } finally {
    await writeFile(join(folder, file), originals.get(file) ?? '');
  }
}

function expectTold({ made, problems }: Loaded): void {
  // What no pipeline came of is explained, with a place, and without the values of the environment.
  expect(made !== undefined || problems.length > 0).toBe(true);
  for (const problem of problems) {
    expect(problem.line).toBeGreaterThan(0);
    expect(problem.column).toBeGreaterThan(0);
    expect(problem.message.length).toBeGreaterThan(10);
    expect(problem.message.length).toBeLessThan(20_000);
    expect(formatProblem(problem)).not.toContain(canary);
  }
}

describe('a file of the config', () => {
  test('is fine before anything is done to it', async () => {
    const names = ['full', 'nightly-moderation', 'existing-library'].map((name) => `pipelines/${name}.yaml`);
    for (const file of [...names, 'config/cluster.yaml']) {
      expect((await loadWith(file, originals.get(file) ?? '')).problems.map(formatProblem)).toEqual([]);
    }
  });

  test(
    'whose bytes were broken never throws, and says where the fault is',
    async () => {
      const change = fc
        .constantFrom(...originals.keys())
        .chain((file) => broken([originals.get(file) ?? '']).map((bytes) => ({ file, bytes })));
      await fc.assert(
        fc.asyncProperty(change, async ({ file, bytes }) => expectTold(await loadWith(file, bytes))),
        tries(120),
      );
    },
    fuzzTimeoutMs,
  );

  test(
    'with anything in the place of any of its values never throws, and says where the fault is',
    async () => {
      const change = fc.record({
        file: fc.constantFrom(...originals.keys()),
        place: fc.nat(),
        value: nastyValue,
      });
      await fc.assert(
        fc.asyncProperty(change, async ({ file, place, value }) => {
          const data: unknown = replaceAt(parse(originals.get(file) ?? ''), place, value);
          expectTold(await loadWith(file, JSON.stringify(data)));
        }),
        tries(150),
      );
    },
    fuzzTimeoutMs,
  );
});

describe('a bomb', () => {
  const laughs = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: 12 }, (_, level) => {
      const [name, of] = [String.fromCharCode(98 + level), String.fromCharCode(97 + level)];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(', ')}]`;
    }),
  ].join('\n');
  const bombs: readonly (readonly [string, string])[] = [
    ['of aliases', laughs],
    ['of aliases in keys', `${laughs}\n? *m\n: 1`],
    ['of merges', `${laughs.replaceAll(/\[(.*)\]/g, '{ <<: [$1] }')}`],
    ['of an alias to itself', 'source: &a { bucket: *a }'],
    ...deepTexts.map((text, index) => [`of depth, ${index + 1}`, text] as const),
    ['of indentation', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['of dashes', `${'- '.repeat(50_000)}x`],
    ['of anchors', Array.from({ length: 8000 }, (_, index) => `k${index}: &a${index} x`).join('\n')],
    ['of comments', '# x\n'.repeat(100_000)],
    ['of one key', `? ${'a'.repeat(3_900_000)}`],
    ['of a tag', '!!js/function "() => { throw 1 }"'],
    ['of documents', '---\na: 1\n'.repeat(100_000)],
  ];
  test.each(bombs)('%s is refused within seconds, in words', async (_, text) => {
    const began = performance.now();
    for (const file of ['pipelines/full.yaml', 'config/cluster.yaml']) {
      const told = await loadWith(file, text);
      expect(told.made).toBeUndefined();
      expectTold(told);
    }
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
