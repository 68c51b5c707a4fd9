/** A vendor's usage export beside the ledger: by day and SKU, or job by job where the export has their ids. */
import { resolve } from 'node:path';
import type { CostOutput, Places, ReconcileFlags, ReconcileResult } from '../cli/spine.ts';
import { findFolders, openBooks } from '../config/open.ts';
import { type JobQuestion, sumUsage, type UsageRow } from '../domain/cost.ts';
import { groupBy } from '../domain/group.ts';
import type { Ledger } from '../domain/ledger.ts';
import type { TextSink } from '../domain/output.ts';
import { wrongUse } from '../domain/problem.ts';
import {
  addTheirs,
  Marks,
  reconcile,
  type ReconciledRow,
  type Reconciliation,
  type TheirSums,
} from '../domain/reconcile.ts';
import { reconcileColumns } from '../report/cost/reconcile-table.ts';
import { renderCsvHeader, renderCsvRows } from '../report/table/csv.ts';
import { type ExportRow, readUsageExport } from '../source/usage-export.ts';
import { writeFileAside } from '../store/atomic-file.ts';
import { suggest } from '../domain/suggestion.ts';
import { catalogue } from '../vendors/index.ts';
import { withLedger } from './ledger.ts';
import type { Outside } from './outside.ts';

const pageRows = 1000;
const shownDifferences = 1000;

/** Throws a `Stop` (exit 2) where the account is not known, or the file cannot be read. */
export async function reconcileExport(
  outside: Outside,
  flags: ReconcileFlags,
  places: Places,
  output: Omit<CostOutput, 'html'>,
): Promise<ReconcileResult> {
  const { folder, environment } = outside;
  const folders = await findFolders(folder, places);
  const { prices, billing } = await openBooks({ configFolder: folders.config, environment, catalogue });
  return await withLedger(folders, outside, async (ledger) => {
    const usage = (await ledger.readUsage({})).filter(({ account }) => account === flags.account);
    if (usage.length === 0 && !billing.has(flags.account)) {
      const known = [...billing.keys()].join(', ');
      throw wrongUse(
        `reconcile --account ${flags.account}: there is no such account in config/accounts.yaml, and the ledger has no usage of it. Known: ${known || 'none'}.`,
      );
    }
    // Stand-ins bill nobody: only where there is nothing else, as in a rehearsal, are they looked at.
    const isLoopback = usage.length > 0 && usage.every((row) => row.isLoopback);
    const ours = usage.filter((row) => row.isLoopback === isLoopback && row.day.startsWith(flags.month));
    const path = flags.path === '-' ? '-' : resolve(folder, flags.path);
    const { timezone, currency } = prices;
    const settings = { ...flags, path, timezone, currency };
    const offered = catalogue.flatMap(({ skus: all }) => all.map(({ name }) => name));
    const skus = new Set([...prices.skus.keys(), ...usage.map(({ sku }) => sku), ...offered]);
    refuseUnknown(flags.names, skus);
    const work = async (sink: TextSink | undefined) => {
      const book = new Book(flags, skus, sink, output.csv === '-' ? 'exact' : 'people');
      await book.begin();
      const rows = readUsageExport(settings, outside.standardInput);
      const question = { account: flags.account, isLoopback, month: flags.month };
      const by = await (flags.columns.id === undefined
        ? layDays(book, rows, ours)
        : layJobs(book, rows, ours, ledger, question));
      return book.close(by, ours, prices.currency);
    };
    if (output.csv === undefined) return await work(undefined);
    if (output.csv === '-') return await work(output.stdout);
    let result: ReconcileResult | undefined;
    await writeFileAside(resolve(folder, output.csv), async (sink) => {
      result = await work(sink);
    });
    if (!result) throw new Error(`file "${output.csv}" was written, and nothing came of it`);
    return result;
  });
}

/** A misspelt name of ours would only move a difference to another line. */
function refuseUnknown(names: ReadonlyMap<string, string>, skus: ReadonlySet<string>): void {
  for (const [theirs, ours] of names) {
    if (skus.has(ours)) continue;
    throw wrongUse(
      `reconcile --map "${theirs}=${ours}": there is no SKU "${ours}".${suggest(ours, skus)} Known: ${[...skus].sort().join(', ')}.`,
    );
  }
}

/** Counts what is found, keeps the first differences, and passes every row on. */
class Book {
  readonly #flags: ReconcileFlags;
  readonly #skus: ReadonlySet<string>;
  readonly #sink: TextSink | undefined;
  readonly #form: 'people' | 'exact';
  readonly #counts: Record<Reconciliation, number> = {
    matched: 0,
    differs: 0,
    'theirs-only': 0,
    'ours-only': 0,
  };
  readonly #differences: ReconciledRow[] = [];
  readonly #unknown = new Set<string>();
  #theirs: TheirSums = {};
  #ignored = 0;
  #otherMonths = 0;

  constructor(
    flags: ReconcileFlags,
    skus: ReadonlySet<string>,
    sink: TextSink | undefined,
    form: 'people' | 'exact',
  ) {
    this.#flags = flags;
    this.#skus = skus;
    this.#sink = sink;
    this.#form = form;
  }

  async begin(): Promise<void> {
    await this.#sink?.write(renderCsvHeader(reconcileColumns, this.#form));
  }

  /** Our name of the row's SKU; undefined for a row that is left out. */
  take(row: ExportRow): string | undefined {
    const { month, ignored, names } = this.#flags;
    if (ignored.includes(row.sku)) {
      this.#ignored += 1;
      return undefined;
    }
    if (row.date !== undefined && !row.date.startsWith(month)) {
      this.#otherMonths += 1;
      return undefined;
    }
    this.#theirs = addTheirs(this.#theirs, row);
    const sku = names.get(row.sku) ?? row.sku;
    if (!this.#skus.has(sku) && this.#unknown.size < 100) this.#unknown.add(row.sku);
    return sku;
  }

  async add(rows: readonly ReconciledRow[]): Promise<void> {
    for (const row of rows) {
      this.#counts[row.is] += 1;
      if (row.is !== 'matched' && this.#differences.length < shownDifferences) this.#differences.push(row);
    }
    if (rows.length > 0) await this.#sink?.write(renderCsvRows(reconcileColumns, rows, this.#form));
  }

  close(by: ReconcileResult['by'], ours: readonly UsageRow[], currency: string): ReconcileResult {
    const { account, month } = this.#flags;
    return {
      account,
      month,
      currency,
      by,
      counts: { ...this.#counts },
      differences: this.#differences,
      totals: { theirs: this.#theirs, ours: sumUsage(ours) },
      ignoredRows: this.#ignored,
      otherMonths: this.#otherMonths,
      unknownNames: [...this.#unknown],
    };
  }

  get tolerance() {
    return this.#flags.tolerance;
  }

  get month(): string {
    return this.#flags.month;
  }
}

/** Days and SKUs are few, however many rows the export has. */
async function layDays(
  book: Book,
  pages: AsyncIterable<readonly ExportRow[]>,
  ours: readonly UsageRow[],
): Promise<'day' | 'month'> {
  const theirs = new Map<string, TheirSums>();
  let hasDays = false;
  for await (const rows of pages) {
    for (const row of rows) {
      const sku = book.take(row);
      if (sku === undefined) continue;
      const when = row.date ?? book.month;
      if (when.length === 10) hasDays = true;
      const key = JSON.stringify([when, sku]);
      theirs.set(key, addTheirs(theirs.get(key), row));
    }
  }
  const isOfMonth = !hasDays && theirs.size > 0;
  const known = groupBy(ours, ({ day, sku }) => JSON.stringify([isOfMonth ? book.month : day, sku]));
  const keys = [...new Set([...theirs.keys(), ...known.keys()])].sort();
  await book.add(
    keys.map((key) => {
      const [when, sku] = JSON.parse(key) as [string, string];
      const rows = known.get(key);
      return reconcile({ when, sku }, theirs.get(key), rows && sumUsage(rows), book.tolerance);
    }),
  );
  return isOfMonth ? 'month' : 'day';
}

/** Job by job, in pages on both sides: what is matched is remembered in a bit for each attempt and SKU. */
async function layJobs(
  book: Book,
  pages: AsyncIterable<readonly ExportRow[]>,
  ours: readonly UsageRow[],
  ledger: Ledger,
  question: JobQuestion,
): Promise<'id'> {
  const marks = new Map<string, Marks>();
  const markOf = (sku: string) => {
    const found = marks.get(sku) ?? new Marks();
    marks.set(sku, found);
    return found;
  };
  for await (const page of pages) {
    for (let start = 0; start < page.length; start += pageRows) {
      const taken = page.slice(start, start + pageRows).flatMap((row) => {
        const sku = book.take(row);
        return sku === undefined ? [] : [{ row, sku, id: row.id ?? '' }];
      });
      const known = groupBy(
        await ledger.readJobUsage(question, [...new Set(taken.map(({ id }) => id))]),
        ({ job, sku }) => JSON.stringify([job, sku]),
      );
      const rows = taken.map(({ row, sku, id }): ReconciledRow => {
        const key = { when: row.date ?? book.month, sku, id };
        const usage = known.get(JSON.stringify([id, sku]));
        const isFirst = usage?.every(({ attempt }) => markOf(sku).mark(attempt)) ?? true;
        if (isFirst) return reconcile(key, row, usage && sumUsage(usage), book.tolerance);
        return { ...key, is: 'theirs-only', theirs: row, note: 'listed more than once' };
      });
      await book.add(rows);
    }
  }
  await addUnlisted(book, ours, ledger, question, marks);
  return 'id';
}

async function addUnlisted(
  book: Book,
  ours: readonly UsageRow[],
  ledger: Ledger,
  question: JobQuestion,
  marks: ReadonlyMap<string, Marks>,
): Promise<void> {
  const ofJobs = new Map<string, number>();
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Awaited<ReturnType<Ledger['listJobUsage']>> = await ledger.listJobUsage(
      question,
      after,
      pageRows,
    );
    for (const { sku, observed, estimated } of page.rows) {
      ofJobs.set(sku, (ofJobs.get(sku) ?? 0) + observed + estimated);
    }
    const unlisted = page.rows.filter(({ sku, attempt }) => marks.get(sku)?.has(attempt) !== true);
    await book.add(
      unlisted.map((usage) =>
        reconcile({ when: book.month, sku: usage.sku, id: usage.job }, undefined, usage, book.tolerance),
      ),
    );
    after = page.last;
  }
  for (const [sku, rows] of groupBy(ours, (row) => row.sku)) {
    const sums = sumUsage(rows);
    const rest = sums.observed + sums.estimated - (ofJobs.get(sku) ?? 0);
    if (rest <= 0) continue;
    const note = `${rest} units of calls that had no job, or of pruned runs: an id tells nothing of them; reconcile by day`;
    await book.add([{ when: book.month, sku, is: 'ours-only', note }]);
  }
}
