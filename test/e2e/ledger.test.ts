/** The ledger in bad days: damaged, restored, and pruned, through the command line. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
`;

test('a ledger in which one bit has changed is refused, and restored from the automatic backup: what that knew is not paid for again', async () => {
  const world = await openWorld();
  await putVariants(world, 3, 'image/jpeg');
  const path = await world.writePipeline('keep', pipeline);
  expect((await world.run('run', path)).exitCode).toBe(0);
  const state = join(world.folder, '.mediasweep');
  const file = join(state, 'ledger.db');
  const backups = (await readdir(join(state, 'backups'))).filter((name) => name.endsWith('.db'));
  expect(backups).toHaveLength(1);
  // What came after the backup is in the ledger alone.
  await putVariants(world, 5, 'image/jpeg');
  expect((await world.run('run', path)).exitCode).toBe(0);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(5);
  const bytes = await readFile(file);
  const at = bytes.indexOf('pai/image-quality');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
  const refused = await world.run('run', path);
  expect(refused.exitCode).toBe(3);
  expect(refused.err).toMatch(
    /ledger ".*ledger\.db": the file is damaged: bytes \d+ to \d+ are not what they were left as\. .*`mediasweep ledger restore` takes the newest backup/,
  );
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(5);
  const restored = await world.run('ledger', 'restore');
  expect([restored.exitCode, restored.out]).toEqual([0, expect.stringMatching(/^restored from .*backups/)]);
  expect((await world.run('run', path)).exitCode).toBe(0);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(7);
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
