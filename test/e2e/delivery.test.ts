/** The three ways in which Qiniu's answer comes, through the command line: callbacks on a real socket among them. */
import { createServer } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openWorld, type OutsideWorld, type WorldOptions, putVariants } from '../support/outside-world.ts';

const videos = 6;

/** A port that nobody listens on at this moment. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Staged {
  readonly world: OutsideWorld;
  readonly path: string;
  readonly listen: string;
}

async function stage(delivery: string, options: WorldOptions = {}): Promise<Staged> {
  const world = await openWorld({ jobMs: 200 }, options);
  await putVariants(world, videos, 'video/mp4');
  const listen = `127.0.0.1:${await findFreePort()}`;
  const accounts = join(world.folder, 'config', 'accounts.yaml');
  const callback = `    callback: { listen: "${listen}", publicUrl: "http://${listen}" }\n`;
  await writeFile(accounts, (await readFile(accounts, 'utf8')).trimEnd() + `\n${callback}`);
  const path = await world.writePipeline(
    delivery,
    `source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: qiniu/video-censor
    options: { ops: [{ op: politician }, { op: pulp }], vframe: { mode: 0, interval: 2 } }
    delivery: ${delivery}
`,
  );
  return { world, path, listen };
}

async function readRun(world: OutsideWorld, name: string) {
  const folder = join(world.folder, 'reports', name, 'latest');
  const lines = (await readFile(join(folder, 'tasks.jsonl'), 'utf8')).trimEnd().split('\n');
  return {
    summary: JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')),
    tasks: lines.map((line) => JSON.parse(line)),
    findings: lines.map((line) => JSON.parse(line).finding),
  };
}

/** The world's view of a run in which each video was paid for once. */
function expectPaidOnce(world: OutsideWorld, summary: { units: unknown }): void {
  const { submissions, submitted, units } = world.emulators['qiniu']?.state() ?? {};
  expect(submissions).toBe(videos);
  expect(Object.values(submitted ?? {}).every((times) => times === 1)).toBe(true);
  expect(summary.units).toEqual(units);
}

describe('delivery', () => {
  test('by poll, callback and sync brings the same findings for the same money', async () => {
    const found: unknown[] = [];
    for (const delivery of ['poll', 'callback', 'sync']) {
      const { world, path } = await stage(delivery);
      const { exitCode, err } = await world.run('run', path);
      expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
      const { summary, tasks, findings } = await readRun(world, delivery);
      expect(summary.counts).toMatchObject({ answered: videos, failed: 0, open: 0 });
      expectPaidOnce(world, summary);
      expect(tasks.every(({ jobId }) => (jobId === null) === (delivery === 'sync'))).toBe(true);
      // A callback names each job once; polls name none.
      const told = world.callbacks.map(({ status }) => status);
      expect(told).toEqual(delivery === 'callback' ? Array.from({ length: videos }, () => 200) : []);
      found.push(findings);
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  test('of jobs that take every detour and end as failed keeps the words of the vendor, and takes no harm', async () => {
    const { world, path } = await stage('poll', { switches: { qiniu: { reschedules: true } } });
    await world.setFaults('qiniu', { modelFailure: 0.5, seed: 'half', jobMs: 400 });
    expect((await world.run('run', path)).exitCode).toBe(1);
    const { summary, tasks } = await readRun(world, 'poll');
    const { answered, failed } = summary.counts;
    expect([answered + failed, answered > 0, failed > 0]).toEqual([videos, true, true]);
    const errors = tasks.filter(({ status }) => status === 'failed').map(({ error }) => error.message);
    expect(errors).toEqual(Array.from({ length: failed }, () => 'cannot open the file'));
  });

  test('by callback that is dropped is answered by polls', async () => {
    const { world, path } = await stage('callback', { switches: { qiniu: { callbacks: 'dropped' } } });
    expect((await world.run('run', path)).exitCode).toBe(0);
    const { summary } = await readRun(world, 'callback');
    expect(summary.counts).toMatchObject({ answered: videos });
    expectPaidOnce(world, summary);
    expect(world.callbacks).toEqual([]);
  });

  test.each([
    'none',
    'QBox',
    'Qiniu',
  ])('by callback told twice, signed as %s, answers each video once', async (callbackScheme) => {
    const { world, path } = await stage('callback', {
      switches: { qiniu: { callbacks: 'twice', callbackScheme } },
    });
    expect((await world.run('run', path)).exitCode).toBe(0);
    const { summary } = await readRun(world, 'callback');
    expect(summary.counts).toMatchObject({ answered: videos, failed: 0 });
    expectPaidOnce(world, summary);
    // The last ones may come when the run has ended and nobody listens any more.
    expect(world.callbacks.length).toBe(2 * videos);
    expect(world.callbacks.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(videos);
  });

  test('by callback believes nothing that a forged one says, wherever it is sent', async () => {
    const { world, path, listen } = await stage('callback', {
      switches: { qiniu: { callbackDelayMs: 300 } },
    });
    const running = world.start('run', path);
    const hook = await waitFor(() => world.hookUrls[0]);
    const vid = await waitFor(() => Object.keys(world.emulators['qiniu']?.state().submitted ?? {})[0]);
    const lie = (id: string) =>
      JSON.stringify({
        id,
        result: {
          politician: { labels: [{ label: 'forged', score: 1 }], segments: [] },
          pulp: { labels: [], segments: [] },
        },
      });
    const post = async (url: string, body: string, method = 'POST') =>
      (await fetch(url, { method, ...(method === 'POST' ? { body } : {}) })).status;
    expect(new URL(hook).host).toBe(listen);
    expect(await post(hook.slice(0, -1) + (hook.endsWith('0') ? '1' : '0'), lie(vid))).toBe(404);
    expect(await post(`http://${listen}/`, lie(vid))).toBe(404);
    expect(await post(hook, '', 'GET')).toBe(405);
    // The right path: taken as a hint, and the vendor itself is asked.
    expect(await post(hook, lie('no-such-video'))).toBe(200);
    expect(await post(hook, lie(vid))).toBe(200);
    expect(await post(hook, '{"id":')).toBe(200);
    expect(await post(hook, 'x'.repeat(9 * 1024 * 1024)).catch(() => 0)).not.toBe(200);
    const { exitCode, err } = await running.ended;
    expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
    const { summary, tasks } = await readRun(world, 'callback');
    expect(summary.counts).toMatchObject({ answered: videos, failed: 0 });
    expectPaidOnce(world, summary);
    expect(JSON.stringify(tasks)).not.toContain('forged');
  });

  test('by callback that comes when the run has ended finds nobody, and changes nothing', async () => {
    const { world, path } = await stage('callback', { switches: { qiniu: { callbackDelayMs: 6000 } } });
    expect((await world.run('run', path)).exitCode).toBe(0);
    const before = await readRun(world, 'callback');
    expect(before.summary.counts).toMatchObject({ answered: videos });
    await waitFor(() => (world.callbacks.length === videos ? true : undefined));
    expect(world.callbacks.filter(({ status }) => status === undefined).length).toBeGreaterThan(0);
    expect((await world.run('report', 'callback')).exitCode).toBe(0);
    expect((await readRun(world, 'callback')).findings).toEqual(before.findings);
  });
});

async function waitFor<Value>(look: () => Value | undefined): Promise<Value> {
  for (let turn = 0; turn < 2000; turn += 1) {
    const seen = look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it never came');
}
