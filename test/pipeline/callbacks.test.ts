/** Callbacks of runs that workers carry out: whichever process receives one, who watches the job hears of it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunResult } from '../../src/cli/spine.ts';
import { openCallbackPost } from '../../src/cluster/callback-post.ts';
import { openRedis } from '../../src/cluster/redis.ts';
import { openPipeline } from '../../src/config/open.ts';
import { silentLog } from '../../src/domain/log.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { type ClusterWorld, hasty, openClusterWorld, readReport } from '../support/cluster-world.ts';
import { findFreePorts } from '../support/daemon.ts';
import { putVariants } from '../support/outside-world.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: qiniu/video-censor
    options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 1 } }
    delivery: callback
`;

describeReal('callbacks to workers', missingForRedis, () => {
  let redis: PrivateRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(async () => {
    await redis.stop();
  });

  /** What jobs took, by shard: in milliseconds from the submission to the answer. */
  async function readTimes(result: RunResult, tasksOfShard: number): Promise<readonly number[][]> {
    const lines = (await readReport(result, 'tasks.jsonl')).trim().split('\n');
    const times = lines.map((line) => {
      const { startedAt, endedAt } = JSON.parse(line) as { startedAt: string; endedAt: string };
      return Date.parse(endedAt) - Date.parse(startedAt);
    });
    return Array.from({ length: Math.ceil(times.length / tasksOfShard) }, (_, index) =>
      times.slice(index * tasksOfShard, (index + 1) * tasksOfShard),
    );
  }

  async function stage(publicPort: number, listenPort: number) {
    const cluster = await openClusterWorld(
      { redis },
      { shards: '{ tasks: 6, perWorker: 1 }', faults: { jobMs: 200 } },
    );
    const { world } = cluster;
    await putVariants(world, 12, 'video/mp4');
    const accounts = join(world.folder, 'config', 'accounts.yaml');
    const callback = `    callback: { listen: "127.0.0.1:${listenPort}", publicUrl: "http://127.0.0.1:${publicPort}" }\n`;
    await writeFile(accounts, `${(await readFile(accounts, 'utf8')).trimEnd()}\n${callback}`);
    return { cluster, world, path: await world.writePipeline('called', pipeline) };
  }

  test('reach the worker that watches the job, though another worker receives them', async () => {
    const [taken = 0, own = 0] = await findFreePorts(2);
    const { cluster, world, path } = await stage(taken, own);
    const first = await cluster.work(
      { callbackListen: { host: '127.0.0.1', port: taken } },
      { clock: hasty },
    );
    const second = await cluster.work({ callbackListen: { host: '127.0.0.1', port: own } }, { clock: hasty });
    const ended = await cluster.run(path, {}, { clock: hasty });
    expect({ exitCode: ended.exitCode, counts: ended.summary.counts }).toMatchObject({
      exitCode: 0,
      counts: { answered: 12 },
    });
    expect(world.callbacks.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    const times = await readTimes(ended, 6);
    const held = times.filter((_, index) => second.words.includes(`shard ${index + 1} begins`)).flat();
    expect(held.length).toBeGreaterThan(0);
    // The first poll of a job comes after 950 ms at the earliest.
    expect(Math.min(...held)).toBeLessThan(900);
    // The coordinator, whose own port was taken, says so and goes on.
    expect(ended.words).toContainEqual(
      expect.stringMatching(/no callbacks are taken on 127\.0\.0\.1:\d+ here/),
    );
    expect(first.words).toContain(`callbacks are taken on 127.0.0.1:${taken}`);
  });

  test('reach a worker through the coordinator', async () => {
    const [taken = 0, own = 0] = await findFreePorts(2);
    const { cluster, world, path } = await stage(taken, taken);
    await cluster.work({ callbackListen: { host: '127.0.0.1', port: own } }, { clock: hasty });
    const ended = await cluster.run(path, {}, { clock: hasty });
    expect(ended.words).toContain(`callbacks are taken on 127.0.0.1:${taken}`);
    expect(world.callbacks.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(Math.min(...(await readTimes(ended, 12)).flat())).toBeLessThan(900);
  });

  test('prove to who takes a shard over that a call arrived: it is held, and not sent again', async () => {
    const [taken = 0] = await findFreePorts(1);
    const { cluster, world, path } = await stage(taken, taken);
    // A worker that died between its intents and their replies: nothing of them is known to any list.
    const { run, refs } = await leaveIntents(cluster, path, 3);
    const connection = await openRedis(cluster.redis, silentLog);
    const post = openCallbackPost({ client: connection.client, prefix: cluster.redis.prefix, clock: hasty });
    const [calledBack = '', ...silent] = refs;
    await post.tell(run, { account: 'qiniu-rehearsal', ref: calledBack });
    post.close();
    connection.close();
    await cluster.work({}, { clock: hasty });
    const ended = await cluster.run(path, {}, { clock: hasty });
    expect({ exitCode: ended.exitCode, counts: ended.summary.counts }).toMatchObject({
      exitCode: 1,
      counts: { answered: 11, held: 1, open: 0 },
    });
    const submitted = world.emulators['qiniu']?.state().submitted ?? {};
    expect([submitted[calledBack], ...silent.map((ref) => submitted[ref])]).toEqual([
      undefined,
      ...silent.map(() => 1),
    ]);
    const held = JSON.stringify(await (await cluster.spine()).listHeld(undefined, {}));
    expect(held).toContain('the vendor called back for it, but none of its lists shows the job');
  });
});

/** A run whose first shard has a dead holder, with so many calls of unknown fate; answers their references. */
async function leaveIntents(cluster: ClusterWorld, path: string, count: number) {
  const { world } = cluster;
  const stopping = new AbortController();
  const coordinating = cluster.run(path, { graceMs: 0 }, { stop: stopping.signal, clock: hasty });
  const ledger = await openLedger({ folder: join(world.folder, '.mediasweep'), clock: systemClock });
  try {
    const { environment, folder } = world;
    const pipeline = await openPipeline({ path: join(folder, path), environment, catalogue });
    await expect
      .poll(async () => {
        const [run] = await ledger.listRuns(1);
        return run ? (await ledger.listShards(run.id)).length : 0;
      })
      .toBe(2);
    const [record] = await ledger.listRuns(1);
    const run = record?.id ?? '';
    const claim = await ledger.claimShard({ run, number: 1, holder: 'elsewhere:1:dead' });
    const shard = claim.is === 'claimed' ? claim.shard : undefined;
    const billing = new Map(pipeline.services.map(({ account }) => [account.name, account.billing]));
    const opened = await ledger.openRun({ pipeline, nowMs: systemClock.now(), billing, joins: run });
    const [use] = pipeline.services;
    const tasks = await opened.readReady(use?.name ?? '', 0, count, shard);
    const intents = await opened.intend({
      service: use?.name ?? '',
      account: use?.account.name ?? '',
      isBatch: false,
      atMs: systemClock.now(),
      tasks: tasks.map((task) => ({ task, linkHash: '' })),
    });
    stopping.abort('SIGTERM');
    expect((await coordinating).exitCode).toBe(143);
    return { run, refs: intents.map((intent) => (intent.is === 'intended' ? intent.attempt.ref : '')) };
  } finally {
    await ledger.close();
  }
}
