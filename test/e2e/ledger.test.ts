/** The ledger in bad days: damaged, restored, and pruned, through the command line. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
`;

test('a damaged ledger says how to restore, and the backup of the run before knows what was paid for', async () => {
  const world = await openWorld();
  await putVariants(world, 3, 'image/jpeg');
  const path = await world.writePipeline('keep', pipeline);
  expect((await world.run('run', path)).exitCode).toBe(0);
  const state = join(world.folder, '.mediasweep');
  expect((await readdir(join(state, 'backups'))).length).toBe(1);
  await writeFile(join(state, 'ledger.db'), 'x'.repeat(20_000));
  const refused = await world.run('run', path);
  expect(refused.exitCode).toBe(3);
  expect(refused.err).toContain('`mediasweep ledger restore` takes the newest backup');
  const restored = await world.run('ledger', 'restore');
  expect([restored.exitCode, restored.out]).toEqual([0, expect.stringMatching(/^restored from .*backups/)]);
  expect((await world.run('run', path)).exitCode).toBe(0);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(3);
});

test('a pruned run cannot be reported any more, and its answers are still reused', async () => {
  const world = await openWorld();
  await putVariants(world, 3, 'image/jpeg');
  const path = await world.writePipeline('old', pipeline);
  await world.run('run', path);
  await world.run('run', path);
  const pruned = JSON.parse((await world.run('ledger', 'prune', '--keep', '1ms', '--json')).out);
  expect(pruned).toMatchObject({ runs: 1, items: 3, tasks: 3, replies: 3 });
  const refused = await world.run('report', 'old~1');
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toContain(
    'its items and tasks were taken out of the ledger by `mediasweep ledger prune`',
  );
  expect((await world.run('report', 'old')).exitCode).toBe(0);
  expect((await world.run('run', path)).exitCode).toBe(0);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(3);
});
