/** Limits of one account over several real processes, on one ledger or over Redis, counted at the vendor's side. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { missingForRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';

const services = ['pai/image-quality', 'pai/face-attributes', 'pai/image-labels'];

async function limitAccount(world: OutsideWorld, limits: string): Promise<void> {
  const path = join(world.folder, 'config', 'accounts.yaml');
  const accounts = await readFile(path, 'utf8');
  // PAI's are the first.
  await writeFile(path, accounts.replace(/limits: \{.*\}/, `limits: ${limits}`));
}

/** One pipeline for each process: each asks something else of the same images. */
async function runTogether(
  world: OutsideWorld,
  count: number,
  more: (index: number) => readonly string[] = () => [],
) {
  const paths = await Promise.all(
    services
      .slice(0, count)
      .map((use, index) =>
        world.writePipeline(
          `part-${index}`,
          `source: { bucket: { storage: rehearsal, bucket: media } }\nselect: { kinds: [image] }\nservices: [{ use: ${use} }]\n`,
        ),
      ),
  );
  const ended = await Promise.all(paths.map((path, index) => world.run('run', path, ...more(index))));
  expect(ended.map(({ exitCode, err }) => ({ exitCode, err }))).toEqual(
    paths.map(() => ({ exitCode: 0, err: expect.any(String) })),
  );
  return world.emulators['pai']?.state();
}

test.each([
  2, 3,
])('%i processes together call no faster than the account allows, and lose nothing of its pace', async (count) => {
  const world = await openWorld();
  await limitAccount(world, '{ concurrency: 100, perSecond: 20 }');
  await putVariants(world, 36, 'image/jpeg');
  const state = await runTogether(world, count);
  expect(state?.units['pai/basic']).toBe(36 * count);
  // perSecond + 1 leave in a second; a loaded machine delivers some of them late, and so closer together.
  expect(state?.peakPerSecond).toBeLessThanOrEqual(21 + 2);
  expect(state?.peakPerSecond).toBeGreaterThanOrEqual(18);
}, 120_000);

test('two processes together have no more calls in flight than the account allows', async () => {
  const world = await openWorld({ delayMs: 200 });
  await limitAccount(world, '{ concurrency: 5, perSecond: 1000 }');
  await putVariants(world, 24, 'image/jpeg');
  const state = await runTogether(world, 2);
  expect(state?.units['pai/basic']).toBe(48);
  expect(state?.peakConcurrency).toBe(5);
}, 120_000);

describeReal('processes on ledgers of their own, as on machines of their own,', missingForRedis, () => {
  const openShared = async (limits: string, faults = {}) => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { port, password = '' } = redis.settings;
    const world = await openWorld(faults, { variables: { REDIS_PASSWORD: password } });
    await limitAccount(world, limits);
    const cluster = join(world.folder, 'config', 'cluster.yaml');
    await writeFile(cluster, `redis: { host: 127.0.0.1, port: ${port}, password: "\${REDIS_PASSWORD}" }\n`);
    return { world, redis };
  };
  const ownLedger = (index: number) => ['--state', `state-${index}`];

  test('share pace and calls in flight through Redis', async () => {
    const { world } = await openShared('{ concurrency: 5, perSecond: 20 }', { delayMs: 100 });
    await putVariants(world, 30, 'image/jpeg');
    const state = await runTogether(world, 3, ownLedger);
    expect(state?.units['pai/basic']).toBe(90);
    expect(state?.peakPerSecond).toBeLessThanOrEqual(21 + 2);
    expect(state?.peakPerSecond).toBeGreaterThanOrEqual(15);
    expect(state?.peakConcurrency).toBeLessThanOrEqual(5);
  }, 120_000);

  test('wait while Redis is away, say so, and go on when it is back', async () => {
    const { world, redis } = await openShared('{ concurrency: 5, perSecond: 10 }');
    await putVariants(world, 40, 'image/jpeg');
    const path = await world.writePipeline(
      'alone',
      `source: { bucket: { storage: rehearsal, bucket: media } }\nservices: [{ use: ${services[0]} }]\n`,
    );
    const running = world.start('run', path, '--log', 'json');
    await expect
      .poll(() => world.emulators['pai']?.state().units['pai/basic'] ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(5);
    await redis.restart();
    const { exitCode, err } = await running.ended;
    expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
    expect(err).toContain('was lost: nothing is begun that needs it until it is back');
    expect(err).toContain('is back');
    expect(world.emulators['pai']?.state().units['pai/basic']).toBe(40);
  }, 60_000);

  test('end before anything is spent where Redis is not there, or refuses them', async () => {
    const { world, redis } = await openShared('{ concurrency: 5, perSecond: 10 }');
    const path = await world.writePipeline(
      'alone',
      'source: { bucket: { storage: rehearsal, bucket: media } }\nservices: [{ use: pai/image-quality }]\n',
    );
    const checked = await world.run('doctor', path);
    expect(checked.out).toMatch(
      /redis 127\.0\.0\.1:\d+ +reached in [\d.]+ ms, version 7\.\d+\.\d+, nothing is evicted/,
    );
    const file = join(world.folder, 'config', 'cluster.yaml');
    const written = await readFile(file, 'utf8');
    await writeFile(file, written.replace('${REDIS_PASSWORD}', '${MEDIASWEEP_S3_SECRET}'));
    const refused = await world.run('run', path);
    expect(refused.exitCode).toBe(2);
    expect(refused.err).toMatch(
      /redis 127\.0\.0\.1:\d+: the credentials were refused: "WRONGPASS .*" *\. Check user and password in config\/cluster\.yaml\./s,
    );
    await redis.kill();
    const gone = await world.run('run', path);
    expect(gone.exitCode).toBe(3);
    expect(gone.err).toMatch(/it cannot be reached: ".*ECONNREFUSED.*"\. Check that it runs/);
    expect(world.emulators['pai']?.state().units).toEqual({});
  }, 60_000);
});
