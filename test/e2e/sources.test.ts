/** Manifests through the command line: packed in a bucket, and our own reports given back as one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putLibrary, putVariants } from '../support/outside-world.ts';

const services = 'services: [{ use: pai/image-quality }, { use: pai/image-labels }]\n';

async function readReport(world: OutsideWorld, name: string, file: string): Promise<string> {
  return await readFile(join(world.folder, 'reports', name, 'latest', file), 'utf8');
}

test('a packed manifest of JSON lines in a bucket is run, its broken row told by its line', async () => {
  const world = await openWorld();
  const library = await putLibrary(world);
  const keys = library.filter(({ mediaType }) => mediaType.startsWith('image/')).map(({ path }) => path);
  const rows = [
    ...keys.map((key) => JSON.stringify({ key })),
    '{"key":',
    JSON.stringify({ key: 'absent.jpg' }),
  ];
  await world.put('lists/rows.jsonl.gz', gzipSync(rows.join('\n')), 'application/gzip');
  const source =
    'source: { jsonl: { path: s3://rehearsal/media/lists/rows.jsonl.gz, storage: rehearsal, bucket: media } }\n';
  const ended = await world.run('run', await world.writePipeline('listed', source + services));
  expect(ended.exitCode).toBe(0);
  const { counts } = JSON.parse(await readReport(world, 'listed', 'summary.json'));
  expect(counts).toMatchObject({ items: keys.length, broken: 2, answered: 2 * keys.length });
  expect(ended.out + ended.err).toContain('expected a JSON object. Correct the row.');

  const strict = source.replace(' } }', ', maxBrokenRows: 1 } }');
  const stopped = await world.run('run', await world.writePipeline('strict', strict + services));
  expect(stopped.exitCode).toBe(2);
  expect(stopped.out + stopped.err).toContain(
    'too many broken rows: expected at most 1 (maxBrokenRows), found 2.',
  );
});

test('failures.csv given back as a manifest asks again for what failed and nothing else', async () => {
  const world = await openWorld();
  await putVariants(world, 2, 'image/jpeg');
  await world.put('broken/x.jpg', Buffer.from('no picture'), 'image/jpeg');
  const source = 'source: { bucket: { storage: rehearsal, bucket: media, parallel: 16 } }\n';
  const first = await world.run('run', await world.writePipeline('first', source + services));
  expect(first.exitCode).toBe(1);
  const failures = (await readReport(world, 'first', 'failures.csv')).trimEnd().split('\r\n').slice(1);
  expect(failures.map((row) => row.split(',')[2])).toEqual(['broken/x.jpg', 'broken/x.jpg']);

  const again = 'source: { csv: { path: ../reports/first/latest/failures.csv, storage: rehearsal } }\n';
  const second = await world.run('run', await world.writePipeline('second', again + services));
  expect(second.exitCode).toBe(1);
  const { counts } = JSON.parse(await readReport(world, 'second', 'summary.json'));
  expect(counts).toMatchObject({ items: 1, notApplicable: 0, failed: 2 });
});

test('failures.csv of links that were cut is refused row by row, instead of being paid for on bare links', async () => {
  const world = await openWorld();
  const link = `http://127.0.0.1:${world.environment['MEDIASWEEP_S3_PORT']}/media/absent.jpg`;
  await writeFile(join(world.folder, 'pipelines', 'links.csv'), `url\n${link}?Expires=1&Signature=hidden\n`);
  const source = 'source: { csv: { path: links.csv, allowPrivateAddresses: true } }\n';
  const first = await world.run('run', await world.writePipeline('first', source + services));
  expect(first.exitCode).toBe(1);
  expect(await readReport(world, 'first', 'failures.csv')).toContain(
    `${link},,,${link},pai/image-quality,failed`,
  );
  const again = 'source: { csv: { path: ../reports/first/latest/failures.csv } }\n';
  const second = await world.run('run', await world.writePipeline('second', again + services));
  const { counts } = JSON.parse(await readReport(world, 'second', 'summary.json'));
  expect(counts).toMatchObject({ items: 0, broken: 1 });
  expect(second.out + second.err).toContain(
    'url: cut in the report since it may be signed: run that pipeline with --only-failed RUN.',
  );
});
