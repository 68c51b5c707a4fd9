/** Runs that workers carry out: separate processes over a real Redis, on one ledger file or on a real PostgreSQL. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { EmulatorFaults } from '../../src/domain/emulator.ts';
import type { Running } from '../support/command.ts';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';
import { findMissingForPostgres, startPostgres, type TestServer } from '../support/postgres.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - { use: pai/image-quality }
  - { use: pai/video-quality, batch: 2 }
`;

interface Shared {
  readonly world: OutsideWorld;
  readonly redis: PrivateRedis;
  /** Present where the ledger is on it. */
  readonly postgres: TestServer | undefined;
}

async function openCluster(
  isApart: boolean,
  shards: string,
  faults: Partial<EmulatorFaults> = {},
): Promise<Shared> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const postgres = isApart ? await startPostgres() : undefined;
  if (postgres) onTestFinished(() => postgres.stop());
  const { port, password = '' } = redis.settings;
  const world = await openWorld(faults, { variables: { REDIS_PASSWORD: password } });
  const { access } = postgres ?? {};
  const ledger =
    access &&
    `ledger: { postgres: { host: 127.0.0.1, port: ${access.port}, database: postgres, user: tester } }\n`;
  const limits = `redis: { host: 127.0.0.1, port: ${port}, password: "\${REDIS_PASSWORD}" }\n`;
  await writeFile(
    join(world.folder, 'config', 'cluster.yaml'),
    `${limits}${ledger ?? ''}shards: ${shards}\n`,
  );
  return { world, redis, postgres };
}

let workers = 0;

/** With a folder of its own for what it keeps, unless the ledger lies in that of the run. */
function startWorker({ world, postgres }: Shared): Running {
  workers += 1;
  const apart = postgres ? ['--state', `state-${workers}`] : [];
  const running = world.start('worker', '--grace', '5s', ...apart);
  onTestFinished(async () => {
    running.process.kill('SIGKILL');
    await running.ended;
  });
  return running;
}

/** What a report holds but for what belongs to one run alone. */
function cutRun(name: string, text: string): string {
  if (name !== 'tasks.jsonl') return text;
  const own = new Set(['jobId', 'startedAt', 'endedAt', 'charge', 'attempts']);
  const cut = (line: string) =>
    JSON.stringify(JSON.parse(line), (key, value: unknown) => (own.has(key) ? undefined : value));
  return text.trim().split('\n').map(cut).join('\n');
}

const missing = [...missingForRedis, ...findMissingForPostgres()];

describeReal('a run with workers', missing, () => {
  test.each([
    ['on one ledger file', false],
    ['on machines that share PostgreSQL', true],
  ])(
    '%s comes to the same as one without',
    async (_, isApart) => {
      const shared = await openCluster(isApart, '{ tasks: 20, perWorker: 2 }');
      const { world } = shared;
      await putVariants(world, 60, 'image/jpeg');
      await putVariants(world, 15, 'video/mp4');
      const path = await world.writePipeline('nightly', pipeline);
      const running = [startWorker(shared), startWorker(shared)];
      const ended = await world.run('run', path, '--json');
      expect([ended.exitCode, ended.err, ended.exitCode === 0 ? '' : ended.out]).toEqual([
        0,
        expect.any(String),
        '',
      ]);
      const summary = JSON.parse(ended.out) as { folder: string; counts: Record<string, number> };
      expect(summary.counts).toMatchObject({ items: 75, answered: 75, open: 0 });
      expect(world.emulators['pai']?.state().units).toEqual({ 'pai/basic': 60, 'pai/advanced': 15 });
      const status = await world.run('status', 'nightly');
      expect(status.out).toMatch(/\b(\d+) of \1 shards done/);
      for (const { process } of running) process.kill('SIGTERM');
      const drained = await Promise.all(running.map((worker) => worker.ended));
      expect(drained.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      // Both had a part in it.
      for (const { err } of drained) expect(err).toContain('is done');

      await cp(join(world.folder, 'config'), join(world.folder, 'alone', 'config'), { recursive: true });
      await rm(join(world.folder, 'alone', 'config', 'cluster.yaml'));
      const alone = await world.run(
        'run',
        path,
        '--json',
        '--config',
        'alone/config',
        '--state',
        'alone/state',
        '--out',
        'alone',
      );
      expect({ exitCode: alone.exitCode, err: alone.err }).toMatchObject({ exitCode: 0 });
      const { folder } = JSON.parse(alone.out) as { folder: string };
      for (const name of ['items.csv', 'findings.csv', 'segments.csv', 'failures.csv', 'tasks.jsonl']) {
        const [many, one] = await Promise.all(
          [summary.folder, folder].map((at) => readFile(join(at, name), 'utf8')),
        );
        expect(cutRun(name, many ?? '')).toBe(cutRun(name, one ?? ''));
      }
    },
    120_000,
  );

  test('refuses a second coordinator on another machine, and tells a worker without config what it needs', async () => {
    const shared = await openCluster(true, '{ tasks: 15 }');
    const { world } = shared;
    await putVariants(world, 10, 'image/jpeg');
    const path = await world.writePipeline('nightly', pipeline);
    const first = world.start('run', path, '--log', 'json');
    let told = '';
    first.process.stderr?.on('data', (text: string) => {
      told += text;
    });
    await expect.poll(() => told, { timeout: 20_000 }).toContain('run begins');
    const second = await world.run('run', path, '--state', 'elsewhere');
    expect([second.exitCode, second.err]).toEqual([
      6,
      expect.stringMatching(/pipeline "nightly": another run holds it: \S+:\d+:\w+\. /),
    ]);
    const doctor = await world.run('doctor', path);
    expect(doctor.out).toMatch(/postgres 127\.0\.0\.1:\d+ +ledger opened and read in \d+ ms/);
    // Told to stop, it tells how far it came: no worker took anything.
    first.process.kill('SIGTERM');
    expect((await first.ended).exitCode).toBe(143);
    await rm(join(world.folder, 'config', 'cluster.yaml'));
    const worker = await world.run('worker');
    expect([worker.exitCode, worker.err]).toEqual([
      2,
      expect.stringContaining('expected shards in config/cluster.yaml, found no such file'),
    ]);
  }, 120_000);
});
