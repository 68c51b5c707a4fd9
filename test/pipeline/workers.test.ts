/** Runs that workers carry out, beside the same by one process: over a real Redis, and a ledger on SQLite or PostgreSQL. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedis } from '../../src/cluster/redis.ts';
import { silentLog } from '../../src/domain/log.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import {
  changeConfig,
  type ClusterWorld,
  hasty,
  openClusterWorld,
  readReport,
} from '../support/cluster-world.ts';
import { putVariants } from '../support/outside-world.ts';
import { expectSameReports } from '../support/same-reports.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

describeReal('runs that workers carry out', missingForRedis, () => {
  let redis: PrivateRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(async () => {
    await redis.stop();
  });

  /** A manifest of links that are signed, and of which the ledger keeps no signature. */
  async function writeLinks({ world }: ClusterWorld, keys: readonly string[]): Promise<readonly string[]> {
    const { MEDIASWEEP_S3_PORT: port, MEDIASWEEP_S3_KEY, MEDIASWEEP_S3_SECRET } = world.environment;
    const main = {
      name: 'main',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      pathStyle: true,
      accessKeyId: MEDIASWEEP_S3_KEY,
      secretAccessKey: MEDIASWEEP_S3_SECRET,
    };
    const storage = openObjectStorage(new Map([['main', main as never]]), { nowMs: () => Date.now() });
    const links = await Promise.all(
      keys.map((key) => storage.sign({ storage: 'main', bucket: 'media', key }, 3600)),
    );
    storage.close();
    await writeFile(
      join(world.folder, 'pipelines', 'links.csv'),
      `url\n${links.map(({ url }) => url).join('\n')}\n`,
    );
    return links.map(({ url }) => url);
  }

  const linked = `source: { csv: { path: links.csv, allowPrivateAddresses: true } }
services: [{ use: pai/image-quality }]
`;

  test('over a manifest of signed links come to what one process comes to, and keep no signature', async () => {
    const cluster = await openClusterWorld({ redis });
    const { world } = cluster;
    const keys = await putVariants(world, 45, 'image/jpeg');
    // Some twice: theirs wait for the others, and are read again afterwards.
    const links = await writeLinks(cluster, [...keys, ...keys.slice(0, 5)]);
    await cheapen(cluster, 20);
    const path = await world.writePipeline('linked', linked);
    const workers = [await cluster.work({}, { clock: hasty }), await cluster.work({}, { clock: hasty })];
    const many = await cluster.run(path, {}, { clock: hasty });
    expect([many.exitCode, many.summary.counts]).toMatchObject([0, { items: 50, answered: 45, reused: 5 }]);
    const begun = workers.map(({ words }) => words.filter((word) => word.endsWith('begins')).length);
    expect(begun.every((count) => count > 0)).toBe(true);
    expect(world.emulators['pai']?.state().submissions).toBe(45);
    await expectSameReports(many.folder, (await cluster.runAlone(path)).folder);
    const signature = /X-Amz-Signature=(\w+)/.exec(links[0] ?? '')?.[1] ?? 'none';
    const stored = await readFile(join(world.folder, '.mediasweep', 'ledger.db'), 'latin1');
    expect([stored.includes('variants/00000.jpg'), stored.includes(signature)]).toEqual([true, false]);
    expect(await dumpRedis(cluster)).not.toContain('X-Amz');
  });

  test('whose manifest a worker does not have, or has another one of, are left to those that have it', async () => {
    const cluster = await openClusterWorld({ redis });
    const { world } = cluster;
    await writeLinks(cluster, await putVariants(world, 40, 'image/jpeg'));
    const path = await world.writePipeline('linked', linked);
    const state = join(world.folder, '.mediasweep');
    const elsewhere = async (name: string, manifest: string | undefined) => {
      const folder = join(world.folder, name);
      await cp(join(world.folder, 'config'), join(folder, 'config'), { recursive: true });
      await mkdir(join(folder, 'pipelines'));
      if (manifest !== undefined) await writeFile(join(folder, 'pipelines', 'links.csv'), manifest);
      return await cluster.work({}, { folder, clock: hasty }, { state });
    };
    const without = await elsewhere('without', undefined);
    const lines = (await readFile(join(world.folder, 'pipelines', 'links.csv'), 'utf8')).split('\n');
    const other = await elsewhere('other', [lines[0], ...lines.slice(2)].join('\n'));
    const ended = await cluster.run(path, {}, { clock: hasty });
    expect([ended.exitCode, ended.summary.counts]).toMatchObject([0, { items: 40, answered: 40 }]);
    const left = (words: string) =>
      expect.stringMatching(new RegExp(`^shards of run \\S+ are left to others: .*${words}`));
    expect(without.words).toContainEqual(left('links\\.csv: the manifest cannot be read: .*ENOENT'));
    expect(other.words).toContainEqual(
      left('links\\.csv:\\d+: expected item ".*\\.jpg", as the run was planned, found ".*\\.jpg"'),
    );
    expect(ended.words.filter((word) => /takes no shards of this run/.test(word))).toHaveLength(2);
    // One that has it takes its part, however often the others are offered it.
    const able = await cluster.work({}, { clock: hasty });
    const again = await cluster.run(path, { isFresh: true }, { clock: hasty });
    expect([again.exitCode, again.summary.counts]).toMatchObject([0, { answered: 40 }]);
    expect(able.words).toContainEqual(expect.stringMatching(/is done$/));
    expect(world.emulators['pai']?.state().submissions).toBe(80);
  });
  test('of two pipelines at once share the account fairly, and status tells how far its limits are used', async () => {
    const cluster = await openClusterWorld(
      { redis },
      { shards: '{ tasks: 20, perWorker: 2 }', faults: { delayMs: 150 } },
    );
    const { world } = cluster;
    await putVariants(world, 160, 'image/jpeg');
    await changeConfig(cluster, 'accounts.yaml', (text) =>
      text.replace('concurrency: 8, perSecond: 50', 'concurrency: 6, perSecond: 30'),
    );
    const select = (glob: string) => `source: { bucket: { storage: rehearsal, bucket: media } }
select: { include: ["${glob}"] }
services: [{ use: pai/image-quality }]
`;
    const early = await world.writePipeline('early', select('**/000[0-7]?.jpg'));
    const late = await world.writePipeline('late', select('**/00{08,09,1?}?.jpg'));
    await cluster.work();
    await cluster.work();
    const first = cluster.run(early);
    await expect
      .poll(() => world.emulators['pai']?.state().submissions, { timeout: 10_000 })
      .toBeGreaterThan(10);
    const second = cluster.run(late);
    const spine = await cluster.spine();
    await expect
      .poll(async () => (await spine.status('late', {})).runs[0]?.pace?.[0]?.inFlight.now ?? 0, {
        timeout: 10_000,
      })
      .toBeGreaterThan(0);
    const { runs, workers } = await spine.status('late', {});
    const [{ pace, shards, isAlive } = {}] = runs;
    expect([isAlive, shards?.total, workers?.map(({ places }) => places)]).toEqual([true, 4, [2, 2]]);
    expect(pace).toEqual([
      {
        account: 'pai-rehearsal',
        perSecond: { now: expect.any(Number), allowed: 30 },
        inFlight: { now: expect.any(Number), allowed: 6 },
        openJobs: { now: 0, allowed: 100 },
        share: 1,
        processes: expect.any(Number),
      },
    ]);
    expect(pace?.[0]?.perSecond.now).toBeLessThanOrEqual(31);
    expect(pace?.[0]?.inFlight.now).toBeLessThanOrEqual(6);
    const ends = (await Promise.all([first, second])).map(async (result) => {
      const lines = (await readReport(result, 'tasks.jsonl')).trim().split('\n');
      return lines.map((line) => Date.parse((JSON.parse(line) as { endedAt: string }).endedAt));
    });
    const [ofFirst = [], ofSecond = []] = await Promise.all(ends);
    const from = Math.min(...ofSecond);
    const to = Math.min(Math.max(...ofFirst), Math.max(...ofSecond));
    const within = (times: readonly number[]) => times.filter((time) => time >= from && time <= to).length;
    const [one, other] = [within(ofFirst), within(ofSecond)];
    expect(Math.max(one, other) / Math.min(one, other)).toBeLessThan(2);
    expect(one + other).toBeGreaterThan(40);
    const { peakPerSecond = 0, peakConcurrency = 0 } = world.emulators['pai']?.state() ?? {};
    expect([peakPerSecond <= 31, peakConcurrency <= 6]).toEqual([true, true]);
  });
});

/** Free units and a tier of few, so that the order of calls decides which of them costs what. */
async function cheapen(cluster: ClusterWorld, units: number): Promise<void> {
  await changeConfig(cluster, 'prices/china.yaml', (text) =>
    text.replaceAll('free: 200', `free: ${units}`).replaceAll('upTo: 5000000', `upTo: ${units}`),
  );
}

/** All that stands in Redis, but for the scripts. */
async function dumpRedis({ redis }: ClusterWorld): Promise<string> {
  const { client, close } = await openRedis(redis, silentLog);
  // What is compressed would be hidden.
  await client.config('SET', 'rdbcompression', 'no');
  const keys = await client.keys('*');
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  close();
  return dumps.map((dump) => dump?.toString('latin1') ?? '').join('\n');
}
