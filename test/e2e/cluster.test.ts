/** A run that workers carry out: separate processes on one ledger, over a real Redis. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Chance } from '../simulation/chance.ts';
import type { Running } from '../support/command.ts';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';
import { missingForRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - { use: pai/image-quality }
  - { use: pai/video-quality, batch: 2 }
`;

const hardPipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - { use: qiniu/video-censor, options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 1 } } }
`;

async function openCluster(faults = {}, shards = '{ tasks: 20, perWorker: 2 }') {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { port, password = '' } = redis.settings;
  const world = await openWorld(faults, { variables: { REDIS_PASSWORD: password } });
  const file = join(world.folder, 'config', 'cluster.yaml');
  await writeFile(
    file,
    `redis: { host: 127.0.0.1, port: ${port}, password: "\${REDIS_PASSWORD}" }\nshards: ${shards}\n`,
  );
  return { world, redis };
}

function startWorker(world: OutsideWorld): Running {
  const running = world.start('worker', '--grace', '5s');
  onTestFinished(async () => {
    running.process.kill('SIGKILL');
    await running.ended;
  });
  return running;
}

describeReal('a run with workers', missingForRedis, () => {
  test('comes to the same as one without', async () => {
    const { world } = await openCluster();
    await putVariants(world, 60, 'image/jpeg');
    await putVariants(world, 15, 'video/mp4');
    const path = await world.writePipeline('nightly', pipeline);
    const workers = [startWorker(world), startWorker(world)];
    const ended = await world.run('run', path, '--json');
    expect({ exitCode: ended.exitCode, err: ended.err }).toMatchObject({ exitCode: 0 });
    const summary = JSON.parse(ended.out) as { folder: string; counts: Record<string, number> };
    expect(summary.counts).toMatchObject({ items: 75, answered: 75, open: 0 });
    expect(world.emulators['pai']?.state().units).toEqual({ 'pai/basic': 60, 'pai/advanced': 15 });
    for (const { process } of workers) process.kill('SIGTERM');
    const drained = await Promise.all(workers.map((worker) => worker.ended));
    expect(drained.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    // Both had a part in it.
    for (const { err } of drained) expect(err).toContain('is done');
    expect(await readFile(join(summary.folder, 'items.csv'), 'utf8')).toContain('variants/00059.jpg');
  }, 120_000);

  test('loses no answer and sends no job twice, whoever is killed, and though Redis goes away', async () => {
    const { world, redis } = await openCluster({ delayMs: 120, jobMs: 900 }, '{ tasks: 15, perWorker: 2 }');
    await putVariants(world, 80, 'image/jpeg');
    await putVariants(world, 20, 'video/mp4');
    const path = await world.writePipeline('hard', hardPipeline);
    const chance = new Chance(7);
    const workers = [startWorker(world), startWorker(world), startWorker(world)];
    let coordinator = world.start('run', path, '--json');
    for (let blow = 0; blow < 6; blow += 1) {
      await sleep(chance.whole(400, 1500));
      if (blow === 3) await redis.restart();
      else if (blow === 1 || blow === 4) {
        coordinator.process.kill('SIGKILL');
        await coordinator.ended;
        coordinator = world.start('run', path, '--json');
      } else {
        const index = chance.whole(0, 2);
        workers[index]?.process.kill('SIGKILL');
        workers[index] = startWorker(world);
      }
    }
    const { exitCode, err, out } = await coordinator.ended;
    expect({ exitCode: [0, 1].includes(exitCode ?? -1), err }).toMatchObject({ exitCode: true });
    const { counts, folder } = JSON.parse(out) as { counts: Record<string, number>; folder: string };
    expect(counts).toMatchObject({ items: 100, open: 0, failed: 0 });
    expect((counts['answered'] ?? 0) + (counts['held'] ?? 0)).toBe(100);
    const qiniu = Object.values(world.emulators['qiniu']?.state().submitted ?? {});
    expect(qiniu.filter((times) => times > 1)).toEqual([]);
    const pai = world.emulators['pai']?.state();
    const repeated = Object.values(pai?.submitted ?? {}).reduce((sum, times) => sum + times - 1, 0);
    const bill = JSON.parse(await readFile(join(folder, 'bill.json'), 'utf8')) as {
      skus: { sku: string; unitsUncertain: number }[];
    };
    const uncertain = bill.skus.find(({ sku }) => sku === 'pai/basic')?.unitsUncertain ?? 0;
    expect(repeated).toBeLessThanOrEqual(uncertain);
    expect(uncertain).toBeLessThanOrEqual(4 * 9);
  }, 180_000);
});
