/** What people settle between runs, through the command line: held calls, remembered failures, the failed tasks again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
unknown: { resendBelow: "0" }
`;

async function readSummary(world: OutsideWorld, name: string) {
  const path = join(world.folder, 'reports', name, 'latest', 'summary.json');
  return JSON.parse(await readFile(path, 'utf8'));
}

describe('held calls', () => {
  async function holdThree() {
    const world = await openWorld({ resetAfter: 1 });
    await putVariants(world, 3, 'image/jpeg');
    const path = await world.writePipeline('unsure', pipeline);
    const first = await world.run('run', path);
    expect(first.exitCode).toBe(1);
    expect((await readSummary(world, 'unsure')).counts).toMatchObject({ held: 3, answered: 0 });
    await world.setFaults('pai', { resetAfter: 0 });
    return { world, path };
  }

  test('stay held until a person has them sent again, and both calls stand on the bill', async () => {
    const { world, path } = await holdThree();
    expect((await world.run('run', path)).exitCode).toBe(1);
    const listed = JSON.parse((await world.run('held', 'list', '--json')).out);
    expect(listed.held).toHaveLength(3);
    const [one] = listed.held;
    expect(one).toMatchObject({ item: 'media/variants/00000.jpg', service: 'pai/image-quality' });
    const settled = await world.run('held', 'resend', 'media/variants/00000*');
    expect(settled.out).toBe('1 held call settled: the next run sends it again.\n');
    expect((await world.run('run', path)).exitCode).toBe(1);
    expect((await readSummary(world, 'unsure')).counts).toMatchObject({ held: 2, answered: 1 });
    await world.run('held', 'resend', '--all');
    expect((await world.run('run', path)).exitCode).toBe(0);
    expect((await readSummary(world, 'unsure')).counts).toMatchObject({ answered: 2, reused: 1 });
    expect((await world.run('held', 'list')).out).toBe('nothing is held.\n');
  });

  test('that are forgotten count as failed without a call, and acknowledged no longer in the exit code', async () => {
    const { world, path } = await holdThree();
    const calls = world.emulators['pai']?.state().requests;
    await world.run('held', 'forget', '--all');
    expect((await world.run('run', path)).exitCode).toBe(1);
    expect((await readSummary(world, 'unsure')).counts).toMatchObject({ failed: 3, held: 0 });
    expect((await world.run('failed', 'list')).out).toContain('forgotten: held, and forgotten by a person');
    expect((await world.run('failed', 'acknowledge', '--all')).exitCode).toBe(0);
    expect((await world.run('run', path)).exitCode).toBe(0);
    const summary = await readSummary(world, 'unsure');
    expect(summary).toMatchObject({ counts: { failed: 3 }, why: 'finished with 3 acknowledged failures' });
    expect(world.emulators['pai']?.state().requests).toBe(calls);
  });
});

describe('run again', () => {
  test('--only-failed takes up failed tasks alone, and disregards what is remembered of them', async () => {
    const world = await openWorld({ delayMs: 100 });
    await putVariants(world, 4, 'image/jpeg');
    await world.put('variants/00009.jpg', Buffer.from('no image at all'), 'image/jpeg');
    const path = await world.writePipeline('again', pipeline);
    expect((await world.run('run', path)).exitCode).toBe(1);
    const { run } = await readSummary(world, 'again');
    const requests = world.emulators['pai']?.state().requests ?? 0;
    expect((await world.run('run', path)).exitCode).toBe(1);
    expect(world.emulators['pai']?.state().requests).toBe(requests);

    await world.run('run', path, '--only-failed', run);
    expect((await readSummary(world, 'again')).counts).toMatchObject({ items: 1, failed: 1, reused: 0 });
    expect(world.emulators['pai']?.state().requests).toBe(requests + 1);

    const refused = await world.run(
      'run',
      await world.writePipeline('other', pipeline),
      '--only-failed',
      run,
    );
    expect(refused.exitCode).toBe(2);
    expect(refused.err).toContain(
      `--only-failed ${run}: expected a run of pipeline "other", found run "${run}" of "again".`,
    );
    const unknown = await world.run('run', path, '--only-failed', 'nope');
    expect([unknown.exitCode, unknown.err]).toEqual([
      2,
      expect.stringContaining('run "nope": there is no such run'),
    ]);
  });

  test('--fresh pays again for what other runs answered', async () => {
    const world = await openWorld();
    await putVariants(world, 3, 'image/jpeg');
    const path = await world.writePipeline('fresh', pipeline);
    await world.run('run', path);
    expect((await world.run('run', path, '--fresh')).exitCode).toBe(0);
    expect((await readSummary(world, 'fresh')).counts).toMatchObject({ answered: 3, reused: 0 });
    expect(world.emulators['pai']?.state().units['pai/basic']).toBe(6);
  });

  test('--wait begins when the run that holds the pipeline has ended', async () => {
    const world = await openWorld({ delayMs: 1500 });
    await putVariants(world, 12, 'image/jpeg');
    const path = await world.writePipeline('queue', pipeline);
    const first = world.start('run', path);
    while ((world.emulators['pai']?.state().requests ?? 0) < 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await world.run('run', path, '--wait');
    expect(second.err).toContain(
      `waiting: pipeline "queue": another run holds it: process ${first.process.pid}`,
    );
    expect((await first.ended).exitCode).toBe(0);
    expect(second.exitCode).toBe(0);
    expect((await readSummary(world, 'queue')).counts).toMatchObject({ reused: 12, answered: 0 });
  });

  test('deadlines.run stops with exit 4, and the same command goes on until all is answered', async () => {
    // Five rounds of eight calls: more than two seconds, of which a busy machine may need one to begin.
    const world = await openWorld({ delayMs: 700 });
    await putVariants(world, 40, 'image/jpeg');
    const path = await world.writePipeline('short', `${pipeline}deadlines: { run: 2s }\n`);
    const first = await world.run('run', path);
    expect(first.exitCode).toBe(4);
    const summary = await readSummary(world, 'short');
    expect(summary.why).toBe('stopped at deadlines.run (2 s). Run again to go on.');
    expect(summary.counts.open).toBeGreaterThan(0);
    for (let exitCode = 4, times = 0; exitCode === 4; times += 1) {
      exitCode = (await world.run('run', path)).exitCode ?? -1;
      expect(exitCode === 4 || exitCode === 0).toBe(true);
      expect(times).toBeLessThan(10);
    }
    const last = await readSummary(world, 'short');
    expect(last).toMatchObject({ run: summary.run, counts: { answered: 40, open: 0 } });
    expect(world.emulators['pai']?.state().units['pai/basic']).toBe(40);
  }, 60_000);
});
