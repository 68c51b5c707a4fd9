/** The host fails under a run: its disk is full, the process is stopped for longer than its deadlines, it is started twice. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';
import { tries } from './hostile.ts';

const services =
  'source: { bucket: { storage: rehearsal, bucket: media } }\nservices: [{ use: pai/image-quality }]\n';

async function readSummary(
  folder: string,
): Promise<{ counts: Record<string, number>; units: Record<string, number> }> {
  return JSON.parse(await readFile(join(folder, 'latest', 'summary.json'), 'utf8'));
}

/** A file system of its own in memory; `undefined` where this user may mount none. */
function mountSmall(folder: string, kilobytes: number): { readonly grow: () => void } | undefined {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', [folder], { stdio: 'ignore' });
  });
  return {
    grow: () => {
      execFileSync('mount', ['-o', 'remount,size=64m', folder], { stdio: 'ignore' });
    },
  };
}

const billed = (world: OutsideWorld): number => world.emulators['pai']?.state().units['pai/basic'] ?? 0;

describe('a disk that is full', () => {
  test('during a commit of the ledger stops the run, which goes on when there is room: lost 0, twice 0', async ({
    skip,
  }) => {
    const world = await openWorld({ delayMs: 20 });
    const state = join(world.folder, 'small');
    const disk = mountSmall(state, 900);
    if (!disk) return skip('this user may not mount a small file system');
    const images = 150;
    await putVariants(world, images, 'image/jpeg');
    const path = await world.writePipeline('full', services);
    const first = await world.run('run', path, '--state', state);
    expect({ code: first.exitCode, err: first.err }).toMatchObject({ code: 3 });
    expect(first.err).toMatch(/the disk is full: .*Free some space, then run again to go on\./);
    const before = billed(world);
    expect(before).toBeLessThan(images);
    disk.grow();
    const second = await world.run('run', path, '--state', state);
    const { counts, units } = await readSummary(join(world.folder, 'reports', 'full'));
    expect(second.err).not.toContain('mistake');
    const { answered = 0, held = 0, failed = 0 } = counts;
    expect(answered + held + failed).toBe(images);
    // What was in flight when the disk was full may have been billed twice, and is told of.
    expect(billed(world)).toBeGreaterThanOrEqual(images - held);
    expect(billed(world) - (units['pai/basic'] ?? 0)).toBeLessThanOrEqual(8);
  }, 120_000);

  test('during a report leaves the report that was there, and is written when there is room', async ({
    skip,
  }) => {
    const world = await openWorld();
    await putVariants(world, 60, 'image/jpeg');
    const path = await world.writePipeline('crammed', services);
    const out = join(world.folder, 'small');
    const disk = mountSmall(out, 48);
    if (!disk) return skip('this user may not mount a small file system');
    const first = await world.run('run', path, '--out', out);
    expect({ code: first.exitCode, err: first.err }).toMatchObject({ code: 3 });
    expect(first.err).toMatch(/the disk is full/);
    disk.grow();
    expect((await world.run('report', 'crammed', '--out', out)).exitCode).toBe(0);
    const { counts } = await readSummary(join(out, 'crammed'));
    expect(counts).toMatchObject({ answered: 60, failed: 0, held: 0 });
    expect(billed(world)).toBe(60);
  }, 120_000);
});

/** Seconds for which a run stands still: `MEDIASWEEP_STOPPED=300` stops it for minutes, under the deadlines of every day. */
const stoppedFor = Number(process.env['MEDIASWEEP_STOPPED'] ?? 0);

test(
  'a process that is stopped for longer than its deadlines and leases goes on: lost 0, and another run goes its way or is told why not',
  async () => {
    const world = await openWorld({ delayMs: 300 });
    const images = 24;
    await putVariants(world, images, 'image/jpeg');
    const text = stoppedFor > 0 ? services : `${services}deadlines: { call: 2s }\n`;
    // While it is stopped it keeps its places at the vendor, so it may not have all, and its items, so the other has others.
    const half = text.replace('pai/image-quality', 'pai/image-quality, limits: { concurrency: 4 }');
    const path = await world.writePipeline('stopped', half);
    const other = await world.writePipeline(
      'beside',
      `${text}reuse: { by: never }\nselect: { include: ["**/0002[0-9].*"] }\n`,
    );
    const running = world.start('run', path);
    for (let turn = 0; turn < 3000 && billed(world) < 5; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    onTestFinished(() => {
      running.process.kill('SIGKILL');
    });
    running.process.kill('SIGSTOP');
    const [beside] = await Promise.all([
      world.run('run', other),
      // Longer than the calls in flight may take, and than turns and places are leased for.
      new Promise((resolve) => setTimeout(resolve, Math.max(3, stoppedFor) * 1000)),
    ]);
    // Stopped in the middle of a commit it keeps the ledger locked, which the other is told of after a while.
    const isLockedOut = beside.exitCode === 3 && beside.err.includes('another process keeps it locked');
    expect({ isFine: beside.exitCode === 0 || isLockedOut, err: beside.err }).toMatchObject({ isFine: true });
    running.process.kill('SIGCONT');
    const { exitCode, err } = await running.ended;
    expect(err).not.toContain('mistake');
    expect([0, 1]).toContain(exitCode);
    const { counts, units } = await readSummary(join(world.folder, 'reports', 'stopped'));
    const { answered = 0, reused = 0, held = 0, failed = 0, open = 0 } = counts;
    expect({ sum: answered + reused + held + failed, open }).toEqual({ sum: images, open: 0 });
    const again = isLockedOut ? await world.run('run', other) : beside;
    expect(again.exitCode).toBe(0);
    const { units: ours } = await readSummary(join(world.folder, 'reports', 'beside'));
    const told = (units['pai/basic'] ?? 0) + (ours['pai/basic'] ?? 0);
    // Whose answer was lost to the deadline may have been billed, at most as many as are in flight at once.
    expect(billed(world) - told).toBeGreaterThanOrEqual(0);
    expect(billed(world) - told).toBeLessThanOrEqual(4);
    // The long form is run to read its figures.
    if (stoppedFor > 0) {
      const figures = { stoppedFor, exitCode, counts, billed: billed(world), told, isLockedOut };
      process.stdout.write(`${JSON.stringify(figures)}\n`);
    }
  },
  120_000 + stoppedFor * 1000,
);

/** A process that stands ready to run the program's commands in the folder of a world. */
async function standReady(world: OutsideWorld): Promise<(...words: string[]) => Promise<PairEnd>> {
  const script = join(import.meta.dirname, 'standing-program.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    cwd: world.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: world.folder, ...world.environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async (...words) => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
    const { value } = (await lines.next()) as { readonly value?: string };
    assert(value !== undefined);
    return JSON.parse(value) as PairEnd;
  };
}

interface PairEnd {
  readonly exitCode: number;
  readonly err: string;
}

test('two runs started at once, fifty times: one does the work, the other ends with 6, and nothing is paid twice', async () => {
  const world = await openWorld({ delayMs: 60 });
  const path = await world.writePipeline('twins', services);
  const processes = await Promise.all([standReady(world), standReady(world)]);
  const times = tries(50).numRuns;
  let refused = 0;
  for (let time = 1; time <= times; time += 1) {
    await world.put(`media/${time}.jpg`, await image(time), 'image/jpeg');
    const pair = await Promise.all(processes.map((start) => start('run', path, '--new')));
    const codes = pair.map(({ exitCode }) => exitCode).toSorted((one, other) => one - other);
    expect({ codes, pair }).toMatchObject({ codes: [0, expect.toBeOneOf([0, 6])] });
    if (codes[1] === 6) {
      refused += 1;
      assert(pair.some(({ err }) => err.includes('another run holds it')));
    }
    expect(billed(world)).toBe(time);
  }
  // The second may come when the first has ended; then there is nothing left to pay for.
  expect(refused).toBeGreaterThan(times / 2);
  expect(world.emulators['pai']?.state().submissions).toBe(times);
}, 600_000);

async function image(number: number): Promise<Buffer> {
  const bytes = await readFile(join(import.meta.dirname, '..', 'fixtures', 'pai', 'picture.jpg'));
  return Buffer.concat([bytes, Buffer.from(`image ${number}`)]);
}
