/**
 * Report rows per second from the ledger: every row of every table that is written, read, judged and gathered on its way,
 * against csv-stringify alone, which writes the same rows into as many files from memory.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { ReportFormat } from '../src/domain/settings.ts';
import { describeServices } from '../src/report/services.ts';
import { writeReports } from '../src/report/write-reports.ts';
import { openReportFolder } from '../src/store/report-folder.ts';
import { type Filled, fillLedger } from './filled-ledger.ts';
import { type Comparison, compare } from './measure.ts';
import { makeProject } from './project.ts';

const rowsAtOnce = 500;

/** Rows of one file. */
type Table = readonly (readonly unknown[])[];

/** Images with a row each, and a tenth as many videos with ten. */
export async function benchReports(items: number, pairs: number): Promise<readonly Comparison[]> {
  return [
    ...(await benchLibrary(items, 'images with one number each', 'pai/image-quality', pairs)),
    ...(await benchLibrary(items / 10, 'videos with labels and segments', 'qiniu/video-censor', pairs)),
  ];
}

async function benchLibrary(
  count: number,
  about: string,
  use: string,
  pairs: number,
): Promise<readonly Comparison[]> {
  const project = await makeProject({ count, port: 9, use });
  const filled = await fillLedger(project.folder);
  const alone = join(project.folder, 'alone');
  const comparisons: Comparison[] = [];
  try {
    for (const [format, read] of [
      ['csv', readCsvTables],
      ['jsonl', readLines],
    ] as const) {
      await writeFormat(filled, project.folder, format);
      const tables = await read(join(project.folder, 'reports', 'bench', filled.run.record.id));
      const rows = tables.reduce((sum, table) => sum + table.length, 0);
      comparisons.push(
        await compare(
          `${rows} rows of ${format === 'csv' ? 'all CSV tables' : 'tasks.jsonl'}, of ${count} ${about}, from the ledger`,
          'rows/s',
          'csv-stringify over the same rows',
          pairs,
          async () => rows / (await time(() => writeFormat(filled, project.folder, format))),
          async () => rows / (await time(() => writeAlone(alone, tables))),
        ),
      );
    }
    return comparisons;
  } finally {
    await filled.ledger.close();
    await project.remove();
  }
}

async function readCsvTables(folder: string): Promise<readonly Table[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.csv') && name !== 'bill.csv');
  const read = async (name: string) => parse(await readFile(join(folder, name)), { bom: true }) as string[][];
  return await Promise.all(names.map(read));
}

async function readLines(folder: string): Promise<readonly Table[]> {
  const lines = (await readFile(join(folder, 'tasks.jsonl'), 'utf8')).trimEnd().split('\n');
  return [lines.map((line) => Object.values(JSON.parse(line) as object) as unknown[])];
}

async function writeFormat(
  { pipeline, ledger, run }: Filled,
  root: string,
  format: ReportFormat,
): Promise<void> {
  await writeReports({
    run: run.record,
    services: describeServices(pipeline),
    policy: pipeline.policy,
    reports: { ...pipeline.reports, formats: [format] },
    prices: pipeline.prices,
    ledger,
    folder: openReportFolder(join(root, 'reports'), 'bench', run.record.id),
  });
}

/** With the options that the tables need, so that the same bytes come of it. */
async function writeAlone(path: string, tables: readonly Table[]): Promise<void> {
  for (const [index, rows] of tables.entries()) {
    const file = createWriteStream(`${path}-${index}`);
    for (let from = 0; from < rows.length; from += rowsAtOnce) {
      const page = rows.slice(from, from + rowsAtOnce) as unknown[][];
      const text = stringify(page, { record_delimiter: 'windows', quoted_match: /[\r\n]/ });
      if (!file.write(text)) await once(file, 'drain');
    }
    file.end();
    await finished(file);
    await rm(`${path}-${index}`);
  }
}

/** Seconds. */
async function time(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}
