/** Report rows per second from the ledger, against the packages alone with the same rows at hand. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
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

export async function benchReports(items: number, pairs: number): Promise<readonly Comparison[]> {
  const project = await makeProject({ count: items, port: 9 });
  const filled = await fillLedger(project.folder);
  const measure = async (format: ReportFormat) => {
    const begin = performance.now();
    await writeFormat(filled, project.folder, format);
    return items / ((performance.now() - begin) / 1000);
  };
  const alone = join(project.folder, 'alone');
  try {
    await writeFormat(filled, project.folder, 'csv');
    await writeFormat(filled, project.folder, 'jsonl');
    const folder = join(project.folder, 'reports', 'bench', filled.run.record.id);
    const records = parse(await readFile(join(folder, 'items.csv')), { bom: true }) as string[][];
    const lines = (await readFile(join(folder, 'tasks.jsonl'), 'utf8')).trimEnd().split('\n');
    const rows = lines.map((line) => Object.values(JSON.parse(line) as object) as unknown[]);
    return [
      await compare(
        `items.csv and the other tables of a run of ${items} items, from the ledger`,
        'rows/s',
        'csv-stringify over the rows of items.csv',
        pairs,
        () => measure('csv'),
        () => measureAlone(alone, records, (page) => stringify(page, { record_delimiter: 'windows' })),
      ),
      await compare(
        `tasks.jsonl of a run of ${items} items, from the ledger`,
        'rows/s',
        'csv-stringify over the same rows',
        pairs,
        () => measure('jsonl'),
        () => measureAlone(alone, rows, (page) => stringify(page, { record_delimiter: 'windows' })),
      ),
    ];
  } finally {
    await filled.ledger.close();
    await project.remove();
  }
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

async function measureAlone<Row>(
  path: string,
  rows: readonly Row[],
  render: (page: Row[]) => string,
): Promise<number> {
  const begin = performance.now();
  const file = createWriteStream(path);
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    if (!file.write(render(rows.slice(from, from + rowsAtOnce)))) await once(file, 'drain');
  }
  file.end();
  await finished(file);
  const seconds = (performance.now() - begin) / 1000;
  await rm(path);
  return rows.length / seconds;
}
