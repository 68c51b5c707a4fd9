/** `access: { mode: inline }` through the command line: images of a store that the vendor cannot reach. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';
import { openWorld, putLibrary } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
select: { kinds: [image] }
access: { mode: inline }
services: [{ use: pai/image-quality }]
`;

test('every image goes with its call, and neither it nor a link to the store is kept anywhere', async () => {
  const world = await openWorld();
  const library = (await putLibrary(world)).filter(({ mediaType }) => mediaType.startsWith('image/'));
  await world.put('large.jpg', Buffer.alloc(11 * 1024 * 1024, 1), 'image/jpeg');
  const path = await world.writePipeline('inline', pipeline);
  const { exitCode, err } = await world.run('run', path);
  expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
  const base64 = library.map(({ bytes }) => Buffer.from(bytes).toString('base64'));
  const refs = base64.map((text) => `sha256:${createHash('sha256').update(text).digest('hex')}`);
  expect(Object.keys(world.emulators['pai']?.state().submitted ?? {}).sort()).toEqual(refs.sort());
  const folder = join(world.folder, 'reports', 'inline', 'latest');
  const { counts } = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8'));
  expect(counts).toMatchObject({ answered: library.length, skipped: 1, failed: 0 });
  const tasks = await readFile(join(folder, 'tasks.jsonl'), 'utf8');
  expect(tasks).toMatch(
    /too-large-inline: access inline takes images of at most 10,000,000 bytes, and this one has 11,534,336/,
  );
  const state = join(world.folder, '.mediasweep');
  const kept = await Promise.all(
    (await readdir(state, { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFile(join(state, name))),
  );
  expect(kept.length).toBeGreaterThan(0);
  const needle = base64[0]?.slice(100, 160) ?? '';
  expect([needle.length, Buffer.concat(kept).includes(needle)]).toEqual([60, false]);
});

test('an object that is gone fails by itself, unsent and unpaid; a lost store stops the account', async () => {
  const world = await openWorld();
  await putLibrary(world);
  const rows = ['key,etag,size', 'images/no-such.jpg,abc,1000', 'images/nor-this.jpg,abd,1000'];
  await writeFile(join(world.folder, 'pipelines', 'list.csv'), `${rows.join('\n')}\n`);
  const source = 'source: { csv: { path: list.csv, storage: rehearsal, bucket: media } }';
  const path = await world.writePipeline('gone', pipeline.replace(/source: .*/, source));
  const environment = { ...world.environment, MEDIASWEEP_S3_PORT: '1' };
  const lost = await runCommand(['run', path], { folder: world.folder, environment });
  expect(lost.exitCode).toBe(3);
  expect(lost.out + lost.err).toMatch(/account "pai-rehearsal" halted: .*storage "rehearsal"/);
  const gone = await world.run('run', path);
  expect(gone.exitCode).toBe(1);
  const failures = await readFile(join(world.folder, 'reports', 'gone', 'latest', 'failures.csv'), 'utf8');
  expect(failures.match(/media-unreadable,,nothing was sent: the object does not exist/g)).toHaveLength(2);
  expect(world.emulators['pai']?.state().requests).toBe(0);
});

test('a service that cannot take it is refused, with those that can', async () => {
  const world = await openWorld();
  const services =
    'services: [{ use: pai/image-quality }, { use: qiniu/video-censor, options: { ops: [{ op: pulp }] } }, { use: pai/video-quality }, { use: pai/post-labels }]';
  const path = await world.writePipeline('refused', pipeline.replace(/services: .*/, services));
  const { exitCode, out, err } = await world.run('check', path);
  expect(exitCode).toBe(2);
  const told = [...(out + err).matchAll(/services\[(\d)\]\.use: (\S+) takes no media inside a call/g)];
  expect(told.map(([, index, name]) => [index, name])).toEqual([
    ['1', 'qiniu/video-censor'],
    ['2', 'pai/video-quality'],
  ]);
  expect(out + err).toMatch(/expected a service that takes it: pai\/image-quality, pai\/face-attributes/);
});
