/**
 * Workers that stand still, or lose Redis or PostgreSQL alone: what others take over is theirs, and nothing is paid for twice.
 * Most of it is waiting until they are taken for dead, so that it is played with the other long forms: `MEDIASWEEP_KILLS=1`.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type ClusterWorld, hasty, openClusterWorld, readReport } from '../support/cluster-world.ts';
import { openLine } from '../support/line.ts';
import { putVariants } from '../support/outside-world.ts';
import { findMissingForPostgres, startPostgres, type TestServer } from '../support/postgres.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

const pipeline = `source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - { use: qiniu/video-censor, options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 1 } } }
`;

describeReal('a worker', [...missingForRedis, ...findMissingForPostgres()], () => {
  if (process.env['MEDIASWEEP_KILLS'] === undefined) return;

  let redis: PrivateRedis;
  let postgres: TestServer;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  });

  afterAll(async () => {
    await Promise.all([redis.stop(), postgres.stop()]);
  });

  /** On a machine of its own, whose ways to the servers lead elsewhere. */
  async function workThrough(cluster: ClusterWorld, name: string, change: (cluster: string) => string) {
    const folder = join(cluster.world.folder, name);
    await cp(join(cluster.world.folder, 'config'), join(folder, 'config'), { recursive: true });
    const path = join(folder, 'config', 'cluster.yaml');
    await writeFile(path, change(await readFile(path, 'utf8')));
    return await cluster.work({}, { folder });
  }

  test('that is frozen, or cut off from Redis or PostgreSQL, pays for nothing twice and begins nothing that is not its own', async () => {
    const { access } = postgres;
    const cluster = await openClusterWorld(
      { redis, postgres: { ...access, schema: 'cut_off' } },
      { shards: '{ tasks: 23, perWorker: 1 }', faults: { delayMs: 250, jobMs: 800 } },
    );
    const { world } = cluster;
    await putVariants(world, 60, 'image/jpeg');
    await putVariants(world, 9, 'video/mp4');
    const path = await world.writePipeline('hard', pipeline);
    const [toRedis, toPostgres] = await Promise.all([openLine(redis.settings), openLine(access)]);
    const frozen = world.start('worker', '--grace', '2s', '--state', 'frozen-state');
    let said = '';
    frozen.process.stderr?.on('data', (text: string) => {
      said += text;
    });
    // Where the test fails, everybody gets away all the same.
    const release = async () => {
      frozen.process.kill('SIGKILL');
      await Promise.all([toRedis.heal(), toPostgres.heal()]);
    };
    const offRedis = await workThrough(cluster, 'off-redis', (text) =>
      text.replace(`port: ${redis.settings.port}`, `port: ${toRedis.port}`),
    );
    const offPostgres = await workThrough(cluster, 'off-postgres', (text) =>
      text.replace(`port: ${access.port}`, `port: ${toPostgres.port}`),
    );
    await expect.poll(() => said, { timeout: 20_000 }).toContain('takes 1 shards');
    onTestFinished(release);
    const running = cluster.run(path, {}, { clock: hasty });
    const hasBegun = (words: string) => words.includes('begins');
    const submissions = () => world.emulators['pai']?.state().submissions ?? 0;
    await expect
      .poll(
        () => [said, offRedis.words.join(), offPostgres.words.join()].every(hasBegun) && submissions() > 5,
        {
          timeout: 20_000,
          interval: 10,
        },
      )
      .toBe(true);
    frozen.process.kill('SIGSTOP');
    await Promise.all([toRedis.cut(), toPostgres.cut()]);
    const sound = [await cluster.work(), await cluster.work()];
    await expect
      .poll(() => offPostgres.words.join(), { timeout: 10_000 })
      .toMatch(/cannot be reached.*Waiting for it/);
    await toPostgres.heal();
    // What the frozen one and the one without Redis had in hand is taken over.
    const begun = () => [...sound, offPostgres].flatMap(({ words }) => words.filter(hasBegun)).length;
    await expect.poll(begun, { timeout: 40_000 }).toBe(3);
    frozen.process.kill('SIGCONT');
    await toRedis.heal();
    const ended = await running;
    const { counts } = ended.summary;
    expect(counts).toMatchObject({ items: 69, failed: 0, open: 0 });
    expect(counts.answered + counts.held).toBe(69);
    const qiniu = Object.values(world.emulators['qiniu']?.state().submitted ?? {});
    expect(qiniu).toEqual(Array.from({ length: 9 }, () => 1));
    const pai = world.emulators['pai']?.state();
    const repeated = Object.values(pai?.submitted ?? {}).reduce((sum, times) => sum + times - 1, 0);
    const bill = JSON.parse(await readReport(ended, 'bill.json')) as {
      skus: { sku: string; units_uncertain: number }[];
    };
    const uncertain = bill.skus.find(({ sku }) => sku === 'pai/basic')?.units_uncertain ?? 0;
    // What was in flight when its worker was lost was sent again in the open, and nothing else was.
    expect(repeated).toBeLessThanOrEqual(uncertain);
    expect(uncertain).toBeLessThanOrEqual(16);
    await expect.poll(() => said, { timeout: 10_000 }).toMatch(/shard \d goes back/);
    await expect.poll(() => offRedis.words.join(), { timeout: 10_000 }).toMatch(/shard \d goes back/);
    expect(offPostgres.words.join()).toMatch(/shard \d is done/);
    frozen.process.kill('SIGTERM');
    expect((await frozen.ended).exitCode).toBe(0);
    // Who had lost Redis drains like anybody else.
    await offRedis.stop();
  }, 70_000);
});
