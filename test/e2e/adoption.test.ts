/** What a killed run leaves at the vendor is taken up by whoever needs it: another pipeline, or the same one changed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';

const source = 'source: { bucket: { storage: rehearsal, bucket: media } }\n';
const videos = `${source}services: [{ use: qiniu/video-censor, options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 1 } } }]\n`;
const images = `${source}services: [{ use: pai/image-quality }]\n`;

async function killAfter(world: OutsideWorld, path: string, submissions: number): Promise<void> {
  const { process, ended } = world.start('run', path);
  while ((world.emulators['qiniu']?.state().submissions ?? 0) < submissions)
    await new Promise((resolve) => setTimeout(resolve, 5));
  process.kill('SIGKILL');
  await ended;
}

async function readCounts(world: OutsideWorld, name: string) {
  const path = join(world.folder, 'reports', name, 'latest', 'summary.json');
  return JSON.parse(await readFile(path, 'utf8')).counts;
}

const submitted = (world: OutsideWorld) => Object.values(world.emulators['qiniu']?.state().submitted ?? {});

test('another pipeline over the same media adopts the jobs of a killed run, and pays for nothing twice', async () => {
  const world = await openWorld({ delayMs: 200, jobMs: 1500 });
  await putVariants(world, 8, 'video/mp4');
  await killAfter(world, await world.writePipeline('one', videos), 5);
  const { exitCode, err } = await world.run('run', await world.writePipeline('two', videos));
  expect([exitCode, err]).toEqual([0, expect.not.stringContaining('warn')]);
  const counts = await readCounts(world, 'two');
  expect(counts.answered + counts.reused).toBe(8);
  expect(counts.reused).toBeGreaterThan(0);
  expect(submitted(world)).toEqual(Array(8).fill(1));
}, 120_000);

test('a job for a service that the pipeline no longer uses is still read to its end', async () => {
  const world = await openWorld({ jobMs: 1500 });
  await putVariants(world, 3, 'video/mp4');
  await putVariants(world, 2, 'image/jpeg');
  const path = await world.writePipeline('changed', videos);
  await killAfter(world, path, 3);
  await world.writePipeline('changed', images);
  expect((await world.run('run', path)).exitCode).toBe(0);
  await world.writePipeline('changed', videos);
  expect((await world.run('run', path)).exitCode).toBe(0);
  expect(await readCounts(world, 'changed')).toMatchObject({ answered: 0, reused: 3 });
  expect(submitted(world)).toEqual([1, 1, 1]);
}, 120_000);
