/**
 * Writes the reports of a run: one pass over the ledger feeds every table at once, a page of items at a time, so that
 * memory does not grow with the run. Files appear only when they are whole.
 */
import type { ReportFolder, TextSink } from '../domain/output.ts';
import type { ReportFormat } from '../domain/settings.ts';
import { type Former, openFormer } from './former.ts';
import { type Gathering, makeGathering } from './gather/gathering.ts';
import { writePage } from './html/page.ts';
import { type JudgedItem, judgeRow } from './judged-item.ts';
import { readPages } from './pages.ts';
import type { ReportRequest, ReportSummary } from './request.ts';
import { describeFailures, makeSummary, makeTally } from './summary.ts';
import { describeCosts, describeSaved, readSaved } from './thrift.ts';
import { brokenColumns } from './table/broken-table.ts';
import { billColumns, sumAssumptions, sumBill } from './table/bill-table.ts';
import type { Column } from './table/column.ts';
import { type CsvForm, renderCsvHeader, renderCsvRows } from './table/csv.ts';
import { findingColumns, listLabels, listSegments, segmentColumns } from './table/finding-table.ts';
import { itemColumns } from './table/item-table.ts';
import { renderJsonLines, toJson } from './table/json.ts';
import { listReview, reviewColumns } from './table/review-table.ts';
import { failureColumns, isFailure, listTasks, taskColumns } from './table/task-table.ts';

/** On the page; `broken.csv` has them all. */
const mostBrokenRows = 200;
const brokenRowsAtOnce = 1000;

/** A file that grows with the pass: what stands before the rows, and the rows of one page of items. */
interface GrowingFile {
  readonly name: string;
  readonly format: ReportFormat;
  readonly begin: string;
  readonly render: (rows: readonly JudgedItem[]) => string;
}

/**
 * Writes every file that the settings ask for, and `summary.json`, `bill.csv` and `bill.json` always, into the folder.
 * Verdicts are made here, from the ledger's findings and the policy given. Throws what the ledger or the folder throws;
 * files that were there before then stay. Where `isBalanced` is false the run's tasks are not all accounted for.
 */
export async function writeReports(request: ReportRequest): Promise<ReportSummary> {
  const { run, ledger, folder, reports, prices } = request;
  const gathering = makeGathering(request);
  const former = request.previous && openFormer(request.previous, request);
  const growing = listGrowingFiles(request).filter((file) => reports.formats.includes(file.format));
  await writeTogether(folder, growing, (sinks) => passOver(request, gathering, growing, sinks, former));

  const taskCounts = await ledger.countTasks(run.id);
  const tally = makeTally(run, taskCounts, gathering.tasks(), gathering.verdicts());
  const record = (await request.conclude?.(tally)) ?? run;
  const bill = await ledger.readBill(run.id, prices);
  const total = sumBill(bill);
  const spending = await ledger.readSpending(run.id);
  const { bookings } = request;
  const billed = gathering.failureBill.sum();
  const change = await former?.conclude(record, total);
  const costs = describeCosts(total.charge, tally.verdicts, gathering.serviceCosts.list());
  const saved = await readSaved(request, gathering);
  const summary = makeSummary(record, tally, total, prices.currency, spending, {
    bookings,
    billed,
    saved: saved && describeSaved(saved),
    change,
  });

  const form: CsvForm = reports.excel ? 'people' : 'exact';
  await writeText(
    folder,
    'bill.csv',
    renderCsvHeader(billColumns, form) + renderCsvRows(billColumns, bill, form),
  );
  await writeText(
    folder,
    'bill.json',
    renderDocument({
      run: record.id,
      pipeline: record.pipeline,
      skus: bill.map((row) => toJson(billColumns, row)),
      total: { charge: summary.charge, currency: summary.currency, complete: summary.complete },
      assumptions: sumAssumptions(bill),
      booking: bookings ?? {},
      billedFailures: describeFailures(billed),
      ...(costs && { costs }),
      ...(summary.saved && { saved: summary.saved }),
    }),
  );
  // Also where no row is broken: those that an earlier session of the run could not use may have been mended.
  await writeBroken(request, form);
  const files = [...growing.map((file) => file.name), 'bill.csv', 'bill.json', 'broken.csv'];
  if (reports.formats.includes('html')) {
    const broken = await ledger.readBroken(run.id, mostBrokenRows);
    const content = {
      request,
      run: record,
      tally,
      gathering,
      taskCounts,
      bill,
      total,
      broken,
      spending,
      months: (await request.readMonths?.()) ?? [],
      change,
      saved,
    };
    await folder.write('report.html', (sink) => writePage(sink, content));
    files.push('report.html');
  }
  await writeText(folder, 'summary.json', renderDocument(summary));
  return {
    ...tally,
    run: record,
    summary,
    bill,
    assumptions: sumAssumptions(bill),
    causes: gathering.causes.list(),
    skips: taskCounts.filter(({ state, count }) => state === 'skipped' && count > 0),
    files: [...files, 'summary.json'],
  };
}

function listGrowingFiles(request: ReportRequest): readonly GrowingFile[] {
  const { run, policy, services, reports } = request;
  const form: CsvForm = reports.excel ? 'people' : 'exact';
  const csv = <Row>(
    name: string,
    columns: readonly Column<Row>[],
    how: CsvForm,
    list: (row: JudgedItem) => readonly Row[],
  ): GrowingFile => ({
    name,
    format: 'csv',
    begin: renderCsvHeader(columns, how),
    render: (rows) => renderCsvRows(columns, rows.flatMap(list), how),
  });
  return [
    csv('items.csv', itemColumns(services), form, (row) => [row]),
    csv('findings.csv', findingColumns, form, (row) => listLabels(policy, row)),
    csv('segments.csv', segmentColumns, form, listSegments),
    csv('review.csv', reviewColumns, form, (row) => listReview(row, run.id)),
    csv('failures.csv', failureColumns, 'exact', (row) => listTasks(row).filter(isFailure)),
    {
      name: 'tasks.jsonl',
      format: 'jsonl',
      begin: '',
      render: (rows) => renderJsonLines(taskColumns, rows.flatMap(listTasks)),
    },
  ];
}

/** Opens the files inside one another, so that none of them takes its place before the pass is over. */
async function writeTogether(
  folder: ReportFolder,
  files: readonly GrowingFile[],
  fill: (sinks: readonly TextSink[]) => Promise<void>,
  open: readonly TextSink[] = [],
): Promise<void> {
  const [next, ...rest] = files;
  if (next === undefined) return fill(open);
  await folder.write(next.name, (sink) => writeTogether(folder, rest, fill, [...open, sink]));
}

async function passOver(
  request: ReportRequest,
  gathering: Gathering,
  files: readonly GrowingFile[],
  sinks: readonly TextSink[],
  former: Former | undefined,
): Promise<void> {
  for (const [index, file] of files.entries()) await sinks[index]?.write(file.begin);
  for await (const page of readPages(request.ledger, request.run.id)) {
    const judged = page.map((row) => judgeRow(request.policy, row));
    const rows = former ? await former.compare(judged) : judged;
    for (const row of rows) gathering.add(row);
    for (const [index, file] of files.entries()) {
      const text = file.render(rows);
      if (text !== '') await sinks[index]?.write(text);
    }
  }
}

async function writeBroken({ run, ledger, folder }: ReportRequest, form: CsvForm): Promise<void> {
  await folder.write('broken.csv', async (sink) => {
    await sink.write(renderCsvHeader(brokenColumns, form));
    for (let after = -1; ; ) {
      const rows = await ledger.readBroken(run.id, brokenRowsAtOnce, after);
      const last = rows.at(-1);
      if (!last) return;
      await sink.write(renderCsvRows(brokenColumns, rows, form));
      after = last.line;
    }
  });
}

function writeText(folder: ReportFolder, name: string, text: string): Promise<void> {
  return folder.write(name, (sink) => sink.write(text));
}

function renderDocument(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
