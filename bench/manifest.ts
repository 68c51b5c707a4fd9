/** Manifest rows per second, from bytes to items, against csv-parse alone over the same file. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse';
import { openSource } from '../src/source/open-source.ts';
import { openObjectStorage } from '../src/wire/s3.ts';
import { openBenchPipeline } from './filled-ledger.ts';
import { type Comparison, compare } from './measure.ts';
import { makeProject } from './project.ts';

export async function benchManifest(rows: number, pairs: number): Promise<readonly Comparison[]> {
  const project = await makeProject({ count: rows, port: 9 });
  const pipeline = await openBenchPipeline(project.folder);
  const measure = async (count: () => Promise<number>) => {
    const begin = performance.now();
    const counted = await count();
    if (counted !== rows) throw new Error(`expected ${rows} rows, found ${counted}`);
    return rows / ((performance.now() - begin) / 1000);
  };
  try {
    return [
      await compare(
        `a CSV manifest of ${rows} rows`,
        'rows/s',
        'csv-parse alone',
        pairs,
        () => measure(() => readAsItems(pipeline)),
        () => measure(() => readAlone(join(project.folder, 'pipelines', 'media.csv'))),
      ),
    ];
  } finally {
    await project.remove();
  }
}

async function readAsItems(pipeline: Awaited<ReturnType<typeof openBenchPipeline>>): Promise<number> {
  const storage = openObjectStorage(pipeline.storages);
  let items = 0;
  for await (const page of openSource(pipeline, { storage, nowMs: Date.now() })) items += page.items.length;
  storage.close();
  return items;
}

async function readAlone(path: string): Promise<number> {
  let records = -1;
  for await (const _record of createReadStream(path).pipe(parse({ bom: true }))) records += 1;
  return records;
}
