/** Reports and artifacts straight into a bucket: the same bytes as on the disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putLibrary } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media, prefix: ugc/ } }
services:
  - { use: pai/image-labels }
  - { use: pai/watermark-removal }
`;

test('a run writes its reports into a bucket, as they would be on the disk, and latest names it', async () => {
  const world = await openWorld();
  await putLibrary(world);
  const path = await world.writePipeline('nightly', pipeline);
  const place = 's3://rehearsal/media/audit/报告';
  const ended = await world.run('run', path, '--out', place, '--json');
  expect({ exitCode: ended.exitCode, err: ended.err }).toMatchObject({ exitCode: 0 });
  const { run, folder, files } = JSON.parse(ended.out) as { run: string; folder: string; files: string[] };
  expect(folder).toBe(`${place}/nightly/${run}`);

  const written = await world.readBucket('audit/报告/nightly/');
  expect(String(written.get('latest'))).toBe(`${run}\n`);
  const artifacts = [...written.keys()].filter((key) => key.startsWith('artifacts/'));
  expect(artifacts.length).toBeGreaterThan(0);
  const tasks = String(written.get(`${run}/tasks.jsonl`));
  for (const artifact of artifacts) expect(tasks).toContain(artifact);
  expect(await readdir(world.folder)).not.toContain('reports');

  expect((await world.run('report', 'nightly')).exitCode).toBe(0);
  const onDisk = join(world.folder, 'reports', 'nightly', run);
  expect((await readdir(onDisk)).sort()).toEqual(files.toSorted());
  for (const name of files) {
    expect([name, written.get(`${run}/${name}`)]).toEqual([name, await readFile(join(onDisk, name))]);
  }

  const doctor = await world.run('doctor', path, '--out', place);
  expect(doctor.out).toContain(`${place} can be written`);
});

test('output that cannot be written ends a run before anything is spent, and says what is wrong', async () => {
  const world = await openWorld();
  await putLibrary(world);
  const path = await world.writePipeline('nightly', pipeline);
  const refusals = [
    ['s3://rehearsal', '--out "s3://rehearsal": expected s3://storage/bucket/prefix'],
    ['s3://rehersal/media/audit', 'there is no storage "s3://rehersal/media/audit" in config/storages.yaml.'],
    [
      's3://rehearsal/elsewhere/audit',
      'writing "audit/nightly/latest" in bucket "elsewhere": there is no such bucket',
    ],
  ] as const;
  for (const [place, message] of refusals) {
    const { exitCode, err } = await world.run('run', path, '--out', place);
    expect([exitCode, err]).toEqual([2, expect.stringContaining(message)]);
  }
  expect(Object.values(world.emulators).map((emulator) => emulator.state().requests)).toEqual([0, 0]);
});
