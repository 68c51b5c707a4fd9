/** Flags, caps, cascades and canaries of runs that workers carry out, each beside the same by one process. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunFlags, RunResult } from '../../src/cli/spine.ts';
import type { Clock } from '../../src/domain/clock.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { changeConfig, type ClusterWorld, hasty, openClusterWorld } from '../support/cluster-world.ts';
import { putVariants } from '../support/outside-world.ts';
import { findMissingForPostgres, makeSchema, startPostgres, type TestServer } from '../support/postgres.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { expectSameReports } from '../support/same-reports.ts';
import { describeReal } from '../support/server.ts';

const missing = [...missingForRedis, ...findMissingForPostgres()];

const images = `source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
`;

describeReal('runs that workers carry out', missing, () => {
  let redis: PrivateRedis;
  let postgres: TestServer;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  });

  afterAll(async () => {
    await Promise.all([redis.stop(), postgres.stop()]);
  });

  /** Two workers, on a ledger on PostgreSQL. */
  async function open(
    options: Parameters<typeof openClusterWorld>[1] = {},
    clock: Clock = hasty,
  ): Promise<ClusterWorld> {
    const cluster = await openClusterWorld({ redis, postgres: makeSchema(postgres.access) }, options);
    await Promise.all([cluster.work({}, { clock }), cluster.work({}, { clock })]);
    return cluster;
  }

  const run = (cluster: ClusterWorld, path: string, flags: Partial<RunFlags> = {}): Promise<RunResult> =>
    cluster.run(path, flags, { clock: hasty });

  /** By workers and by one process: with the same reports, exit codes and counts. */
  async function both(cluster: ClusterWorld, path: string, flags: Partial<RunFlags> = {}) {
    const many = await run(cluster, path, flags);
    const one = await cluster.runAlone(path, flags);
    expect({ exitCode: many.exitCode, why: many.run.why }).toEqual({
      exitCode: one.exitCode,
      why: one.run.why,
    });
    await expectSameReports(many.folder, one.folder);
    return many;
  }

  test('with a canary, a cascade, videos by job, by batch and in the call: also with --fresh', async () => {
    const cluster = await open();
    const { world } = cluster;
    await putVariants(world, 20, 'image/jpeg');
    await putVariants(world, 4, 'video/mp4');
    // Every unit costs the same, whichever service asked first.
    await changeConfig(cluster, 'prices/china.yaml', (text) => text.replaceAll(/ {4}free: 200.*\n/g, ''));
    const censor = (interval: number) =>
      `use: qiniu/video-censor, options: { ops: [{ op: politician }], vframe: { mode: 0, interval: ${interval} } }`;
    const path = await world.writePipeline(
      'whole',
      `${images.replace('services: [{ use: pai/image-quality }]', 'services:')}  - { use: pai/image-quality }
  - { use: pai/image-labels, when: { service: pai/image-quality, metric: iqa_result, is: "< 60" } }
  - { use: pai/video-quality, batch: 2 }
  - { ${censor(1)}, as: polled }
  - { ${censor(2)}, as: waited, delivery: sync }
canary: { items: 5, stopIf: { failed: "> 50%" } }
policy: { rules: [{ name: poor, service: pai/image-quality, metric: iqa_result, is: "< 60", verdict: review }] }
`,
    );
    const many = await both(cluster, path);
    expect(many.exitCode).toBe(0);
    const { answered, skipped, open: left } = many.summary.counts;
    expect([answered > 32, skipped > 2, left]).toEqual([true, true, 0]);
    const before = world.emulators['qiniu']?.state().submissions ?? 0;
    const fresh = await run(cluster, path, { isFresh: true });
    expect(fresh.summary.counts).toEqual(many.summary.counts);
    expect(world.emulators['qiniu']?.state().submissions).toBe(before + 8);
  });

  test('whose media fail, and --only-failed afterwards', async () => {
    const cluster = await open();
    const { world } = cluster;
    const keys = await putVariants(world, 30, 'image/jpeg');
    const broken = keys.filter((_, index) => index % 3 === 0);
    for (const key of broken) await world.put(key, Buffer.from(`no picture: ${key}`), 'image/jpeg');
    const path = await world.writePipeline('failing', images);
    const failed = await both(cluster, path);
    expect([failed.exitCode, failed.summary.counts]).toMatchObject([1, { answered: 20, failed: 10 }]);
    await putVariants(world, 30, 'image/jpeg');
    const taken = await both(cluster, path, { onlyFailed: 'latest' });
    expect([taken.exitCode, taken.summary.counts]).toMatchObject([0, { items: 10, answered: 10 }]);
  });

  test('stop at a cap, and go on once it is raised: no call passes it, whoever makes it', async () => {
    const cluster = await open({ faults: { delayMs: 40 } });
    const { world } = cluster;
    await putVariants(world, 60, 'image/jpeg');
    const capped = (units: number) => `${images}caps: { units: { pai/basic: ${units} } }\n`;
    const path = await world.writePipeline('capped', capped(25));
    const many = await run(cluster, path);
    expect([many.exitCode, many.summary.counts]).toMatchObject([4, { answered: 25, overCap: 35, open: 0 }]);
    expect(world.emulators['pai']?.state().submissions).toBe(25);
    const one = await cluster.runAlone(path);
    expect([one.exitCode, one.run.why, one.summary.counts, one.bill]).toEqual([
      many.exitCode,
      many.run.why,
      many.summary.counts,
      many.bill,
    ]);
    // Gone on with under a cap that lets the rest go, both come to the same to the byte.
    await world.writePipeline('capped', capped(70));
    const rest = await both(cluster, path);
    expect([rest.exitCode, rest.summary.counts]).toMatchObject([0, { answered: 60, overCap: 0 }]);
    expect(world.emulators['pai']?.state().units).toEqual({ 'pai/basic': 120 });
  });

  test('stop at --until, and go on when they are run again', async () => {
    // Calls in flight are given their grace, in real time.
    const cluster = await open({ faults: { delayMs: 300 } }, systemClock);
    const { world } = cluster;
    await putVariants(world, 60, 'image/jpeg');
    const path = await world.writePipeline('nightly', images);
    // The coordinator's clock shows 1.5 s before the full minute.
    const atMs = Math.ceil(systemClock.now() / 60_000) * 60_000 - 1500 - systemClock.now();
    const clock = { ...hasty, now: () => systemClock.now() + atMs };
    const end = new Date(clock.now() + 60_000);
    const until = { hour: end.getHours(), minute: end.getMinutes() };
    const first = await cluster.run(path, { until }, { clock });
    expect([first.exitCode, first.run.why]).toEqual([4, expect.stringMatching(/--until \d\d:\d\d/)]);
    const { answered, open: left } = first.summary.counts;
    expect([answered + left, answered < 60]).toEqual([60, true]);
    expect(world.emulators['pai']?.state().submissions).toBe(answered);
    await world.setFaults('pai', { delayMs: 0 });
    const second = await run(cluster, path);
    expect([second.exitCode, second.run.id, second.summary.counts]).toMatchObject([
      0,
      first.run.id,
      { answered: 60, open: 0 },
    ]);
    expect(world.emulators['pai']?.state().submissions).toBe(60);
    await expectSameReports(second.folder, (await cluster.runAlone(path)).folder);
  });

  test('of a pipeline that another machine runs are refused, or wait for it with --wait', async () => {
    const cluster = await open({ faults: { delayMs: 150 } });
    const { world } = cluster;
    await putVariants(world, 40, 'image/jpeg');
    const path = await world.writePipeline('nightly', images);
    const first = run(cluster, path);
    await expect
      .poll(() => world.emulators['pai']?.state().submissions, { timeout: 20_000 })
      .toBeGreaterThan(0);
    // Nothing is shared with that machine's disk.
    const places = { state: join(world.folder, 'elsewhere') };
    const words: string[] = [];
    const note = (message: string) => void words.push(message);
    const watch = { log: { info: note, warn: note }, begun: () => undefined, follow: () => undefined };
    const begin = async (waits: boolean) => {
      const spine = await cluster.spine(undefined, { clock: hasty });
      const flags = { path: join(world.folder, path), graceMs: 2000, waits, startNew: true };
      return await spine.run(flags, places, watch);
    };
    await expect(begin(false)).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringMatching(
        /^pipeline "nightly": another run holds it: \S+\. Wait until it has ended/,
      ),
    });
    const second = begin(true);
    expect((await first).summary.counts).toMatchObject({ answered: 40 });
    const waited = await second;
    expect([waited.exitCode, waited.summary.counts]).toMatchObject([0, { reused: 40, answered: 0 }]);
    expect(words.join()).toMatch(/another run holds|waiting/i);
    expect(world.emulators['pai']?.state().submissions).toBe(40);
  });

  test('hold calls of unknown fate until a person has them sent again, as one process does', async () => {
    const cluster = await open({ faults: { resetAfter: 1 } });
    const { world } = cluster;
    await putVariants(world, 3, 'image/jpeg');
    const path = await world.writePipeline('unsure', `${images}unknown: { resendBelow: "0" }\n`);
    const held = await both(cluster, path);
    expect([held.exitCode, held.summary.counts]).toMatchObject([1, { held: 3, answered: 0 }]);
    await world.setFaults('pai', { resetAfter: 0 });
    const spine = await cluster.spine();
    const [first] = await spine.listHeld(undefined, {});
    const settled = await spine.settleHeld([first?.item ?? ''], 'resend', {});
    expect(settled).toHaveLength(1);
    const again = await run(cluster, path);
    expect([again.exitCode, again.summary.counts]).toMatchObject([1, { held: 2, answered: 1 }]);
    await spine.settleHeld(undefined, 'resend', {});
    const last = await run(cluster, path);
    expect([last.exitCode, last.summary.counts]).toMatchObject([0, { answered: 2, reused: 1 }]);
    // Three of each side whose replies were lost, and three that were sent again.
    expect(world.emulators['pai']?.state().submissions).toBe(9);
  });
});
