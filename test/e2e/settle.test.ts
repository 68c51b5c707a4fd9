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
