/** The lock that keeps two runs of one pipeline apart. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireRunLock, isRunLocked } from '../../src/store/run-lock.ts';

const holder = { pid: 4242, startedAt: '2026-11-20T02:00:00.000Z' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-lock-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function spawnHolder(): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'lock-holder.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, 'nightly'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];
  expect(said.toString()).toBe('held\n');
  return child;
}

test('a second run of a pipeline is refused with exit 6, naming the holder', async () => {
  const release = await acquireRunLock(folder, 'nightly', holder);
  await expect(acquireRunLock(folder, 'nightly', { ...holder, pid: 1 })).rejects.toMatchObject({
    exitCode: 6,
    message:
      'pipeline "nightly": another run holds it: process 4242, since 2026-11-20T02:00:00.000Z. Wait until it has ended, or stop that process; a dead one holds nothing.',
  });
  release();
  const again = await acquireRunLock(folder, 'nightly', holder);
  again();
});

test('different pipelines do not mind each other, and no name leads out of the folder', async () => {
  const releases = [];
  for (const name of ['nightly', 'weekly', '../nightly', '夜间']) {
    releases.push(await acquireRunLock(folder, name, holder));
  }
  expect(await isRunLocked(folder, '../nightly')).toBe(true);
  expect(await isRunLocked(join(folder, '..'), 'nightly')).toBe(false);
  for (const release of releases) release();
});

test('looking tells whether a run is alive, and disturbs nobody', async () => {
  expect(await isRunLocked(folder, 'nightly')).toBe(false);
  const release = await acquireRunLock(folder, 'nightly', holder);
  expect(await isRunLocked(folder, 'nightly')).toBe(true);
  release();
  expect(await isRunLocked(folder, 'nightly')).toBe(false);
});

test('the lock of a process that is killed is free at once', async () => {
  const child = await spawnHolder();
  await expect(acquireRunLock(folder, 'nightly', holder)).rejects.toMatchObject({
    exitCode: 6,
    message: expect.stringContaining(`process ${child.pid},`) as string,
  });
  expect(await isRunLocked(folder, 'nightly')).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const release = await acquireRunLock(folder, 'nightly', holder);
  release();
});

test('a state folder that is a file is named', async () => {
  const path = join(folder, 'state');
  await writeFile(path, '');
  await expect(acquireRunLock(path, 'nightly', holder)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/^lock ".*nightly\.lock": something else stands there/) as string,
  });
});
