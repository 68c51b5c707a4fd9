/** The plug is pulled among submissions whose replies are on their way; the same command is run again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - { use: qiniu/video-censor, options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 1 } } }
`;

test('killed with SIGKILL twice among delayed replies, a run loses no answer and submits no Qiniu job twice', async () => {
  const world = await openWorld({ delayMs: 250 });
  await putVariants(world, 30, 'video/mp4');
  await putVariants(world, 30, 'image/jpeg');
  const path = await world.writePipeline('crash', pipeline);

  const { qiniu, pai } = world.emulators;
  let inFlight = 0;
  for (const submissions of [5, 15]) {
    const { process, ended } = world.start('run', path);
    while ((qiniu?.state().submissions ?? 0) < submissions) await sleep(5);
    process.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    inFlight += 16;
  }

  const { exitCode, err } = await world.run('run', path);
  expect(err).not.toContain('mistake');
  expect(exitCode).toBe(0);

  const folder = join(world.folder, 'reports', 'crash', 'latest');
  const summary = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8'));
  expect(summary.counts).toMatchObject({ items: 60, answered: 60, open: 0, held: 0, failed: 0 });

  const vids = Object.values(qiniu?.state().submitted ?? {});
  expect(vids).toEqual(Array(30).fill(1));

  // PAI cannot be asked: what may have been billed twice stands on the bill, and is no more than was in flight.
  const bill = JSON.parse(await readFile(join(folder, 'bill.json'), 'utf8'));
  const images = bill.skus.find((row: { sku: string }) => row.sku === 'pai/basic');
  expect(images.units_observed).toBe(30);
  expect(pai?.state().units['pai/basic']).toBeLessThanOrEqual(30 + images.units_uncertain);
  expect(images.units_uncertain).toBeLessThanOrEqual(inFlight);
}, 120_000);
