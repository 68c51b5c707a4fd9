/** `report --again`: findings come out of the archived replies once more, and nobody is called or charged. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { openWorld, type OutsideWorld, putLibrary } from '../support/outside-world.ts';

const Database = await loadDriver();

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - { use: pai/image-labels }
  - { use: pai/watermark-removal }
  - { use: pai/video-quality, batch: 3 }
  - { use: pai/video-labels }
  - { use: qiniu/video-censor, options: { ops: [{ op: politician }, { op: pulp }], vframe: { mode: 0, interval: 2 } } }
  - { use: qiniu/video-censor, as: at-once, delivery: sync, options: { ops: [{ op: terror }] } }
`;

async function readReports(world: OutsideWorld): Promise<Record<string, string>> {
  const folder = join(world.folder, 'reports', 'archived', 'latest');
  const names = (await readdir(folder)).sort();
  const read = async (name: string) => [name, await readFile(join(folder, name), 'utf8')] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

test('writes equal reports where nothing was learnt, and mends findings of any form and order', async () => {
  const world = await openWorld({ jobMs: 100 }, { switches: { pai: { batchOrder: 'reversed' } } });
  await putLibrary(world);
  const path = await world.writePipeline('archived', pipeline);
  const first = await world.run('run', path);
  expect({ exitCode: first.exitCode, err: first.err }).toMatchObject({ exitCode: 0 });
  const before = await readReports(world);
  const requests = () => Object.values(world.emulators).map((emulator) => emulator.state().requests);
  const requestsBefore = requests();

  const again = await world.run('report', 'archived', '--again');
  expect(again.exitCode).toBe(0);
  expect(again.err).toMatch(/56 answers read again: 0 findings changed\./);
  expect(await readReports(world)).toEqual(before);

  // What an older version might have read wrongly.
  const ledger = join(world.folder, '.mediasweep', 'ledger.db');
  const db = new Database(ledger);
  const wrong = JSON.stringify({ labels: [], segments: [], metrics: { wrong: 1 } });
  db.prepare(`UPDATE answers SET finding = ? WHERE finding NOT LIKE '%artifact%'`).run(wrong);
  db.close();
  // Its seal would tell that somebody else has changed it.
  await rm(`${ledger}.seal`);
  expect((await world.run('report', 'archived')).exitCode).toBe(0);
  expect((await readReports(world))['tasks.jsonl']).toContain('"wrong":1');
  const mended = await world.run('report', 'archived', '--again', '--json');
  expect(JSON.parse(mended.out).derived).toEqual({ answers: 56, changed: 42, kept: 0 });
  expect(await readReports(world)).toEqual(before);
  expect(requests()).toEqual(requestsBefore);

  // An archive without the whole reply proves nothing: the finding stays.
  const cut = new Database(ledger);
  cut.prepare('UPDATE replies SET is_truncated = 1').run();
  cut.close();
  await rm(`${ledger}.seal`);
  const kept = await world.run('report', 'archived', '--again', '--json');
  expect(JSON.parse(kept.out).derived).toEqual({ answers: 56, changed: 0, kept: 56 });
  expect(await readReports(world)).toEqual(before);
});
