/** The doctor through the command line: a real store, the vendors' stand-ins, and not one paid call. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putLibrary } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - use: qiniu/video-censor
    options: { ops: [{ op: politician }] }
`;

test('a world in order is told so, and nothing was paid', async () => {
  const world = await openWorld();
  await putLibrary(world);
  const path = await world.writePipeline('nightly', pipeline);
  const ended = await world.run('doctor', path);
  expect(ended.err).toBe('');
  expect(ended.exitCode).toBe(0);
  expect(ended.out).toMatch(
    /^ok +storage rehearsal +bucket "media" reached \(region \S+, path style\) and signature accepted; lists in order, pages go on, StartAfter works$/m,
  );
  expect(ended.out).toMatch(/^ok +links \(presigned\) +the link to ".+" can be read$/m);
  expect(ended.out.match(/^ok +account \S+ +signature accepted \(no paid call made\)/gm)).toHaveLength(2);
  expect(ended.out).toMatch(/^(ok|warn) +disk +.+ free at /m);
  expect(Object.values(world.emulators).map((emulator) => emulator.state().submissions)).toEqual([0, 0]);
  const all = await world.run('doctor', '--json');
  expect(JSON.parse(all.out).diagnoses.length).toBe(ended.out.trimEnd().split('\n').length);
});

test('wrong keys of a storage and of an account are both told, with exit 2', async () => {
  const world = await openWorld();
  const path = await world.writePipeline('nightly', pipeline);
  for (const name of ['accounts', 'storages']) {
    const file = join(world.folder, 'config', `${name}.yaml`);
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      text.replace(/(secretAccessKey|secretKey|token): ("[^"]*"|[^\s,}]+)/g, '$1: wrong-key-of-test'),
    );
  }
  const ended = await world.run('doctor', path);
  expect(ended.exitCode).toBe(2);
  expect(ended.out).toMatch(
    /^fail +storage rehearsal +.*the credentials were refused.*Check accessKeyId and secretAccessKey/m,
  );
  expect(ended.out).toMatch(
    /^fail +account \S+ +refused: ".+" \(401, bad-signature\)\. Check accessKey and secretKey of this account\.$/m,
  );
  expect(ended.out + ended.err).not.toContain('wrong-key-of-test');
});
