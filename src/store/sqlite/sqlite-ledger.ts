/** The memory of all runs in one SQLite file. */
import type { Spending } from '../../domain/caps.ts';
import type { Decided, DecisionRow, NewDecision } from '../../domain/decision.ts';
import type { CostQuestion, ItemUsage, JobQuestion, JobUsage, UsageRow } from '../../domain/cost.ts';
import type { Finding } from '../../domain/finding.ts';
import type { BrokenRow, Item } from '../../domain/item.ts';
import type {
  AccountPosition,
  ArchivedAnswer,
  BillRow,
  FailedRow,
  HeldRow,
  ItemRow,
  Ledger,
  Pruned,
  RunLedger,
  RunOpening,
  RunRecord,
  TaskCount,
  TroubleSelection,
} from '../../domain/ledger.ts';
import type { PriceBook } from '../../domain/pricing.ts';
import { monthOf } from '../../domain/pricing.ts';
import type { TaskState } from '../../domain/task.ts';
import { readArchivedPage } from './archive-read.ts';
import { readBillRows } from './bill-read.ts';
import { CommitQueue } from './commit-queue.ts';
import { listJobUsage, readItemUsage, readJobUsage, readUsageRows } from './cost-read.ts';
import type { Database } from './database.ts';
import { listDecisions, storeDecisions } from './decisions.ts';
import { LocalWriter } from './local-writer.ts';
import { openRun } from './opening.ts';
import { compact, measure, pruneRuns } from './prune.ts';
import { readItemPage, readLatestItems, readNamedItems, readTroubledItems } from './report-read.ts';
import type { RunRow } from './run-row.ts';
import { findRunRow, makeRunRecord, readServices } from './run-row.ts';
import type { RunWriter } from './run-writes.ts';
import { findPrevious, selectRun } from './selector.ts';
import { readSpending, SpendingBooks, unpackCaps, unpackSpending } from './spending.ts';
import { SqliteRun } from './sqlite-run.ts';
import { readPositions, Tally } from './tally.ts';
import { ThreadWriter } from './thread-writer.ts';
import {
  acknowledgeFailures,
  countAcknowledged,
  listFailed,
  listHeld,
  settleHeldKeys,
} from './trouble-desk.ts';

export class SqliteLedger implements Ledger {
  readonly #db: Database;
  readonly #tally: Tally;
  readonly #queue: CommitQueue;
  readonly #now: () => number;
  readonly #isThreaded: boolean;
  readonly #writers: RunWriter[] = [];

  /** `isThreaded`: runs are written by a thread of their own, and this connection only reads them. */
  constructor(db: Database, now: () => number, isThreaded = false) {
    this.#db = db;
    this.#isThreaded = isThreaded;
    this.#now = now;
    this.#tally = new Tally(db);
    this.#queue = new CommitQueue(db, this.#tally);
  }

  async openRun(opening: RunOpening): Promise<RunLedger> {
    const office = { db: this.#db, tally: this.#tally, now: this.#now };
    if (this.#isThreaded) {
      const { opened, writer } = await ThreadWriter.open(this.#db.path, opening, this.#now);
      this.#writers.push(writer);
      return new SqliteRun(opened, { ...office, ...opened.terms }, writer);
    }
    const opened = await this.#queue.write(1, () => openRun(office, opening));
    const session = { ...office, ...opened.terms };
    return new SqliteRun(opened, session, new LocalWriter(session, this.#queue));
  }

  async findRun(selector: string): Promise<RunRecord | undefined> {
    const row = selectRun(this.#db, selector);
    return row && makeRunRecord(row);
  }

  async listRuns(limit: number, pipeline?: string): Promise<readonly RunRecord[]> {
    const rows =
      pipeline === undefined
        ? this.#db.all<RunRow>('SELECT * FROM runs ORDER BY seq DESC LIMIT ?', [limit])
        : this.#db.all<RunRow>('SELECT * FROM runs WHERE pipeline = ? ORDER BY seq DESC LIMIT ?', [
            pipeline,
            limit,
          ]);
    return rows.map(makeRunRecord);
  }

  async readItems(run: string, after: Uint8Array | undefined, limit: number): Promise<readonly ItemRow[]> {
    const row = findRunRow(this.#db, run);
    return row ? readItemPage(this.#db, row, after, limit) : [];
  }

  async readNamed(run: string, ids: readonly string[]): Promise<readonly ItemRow[]> {
    const row = findRunRow(this.#db, run);
    return row ? readNamedItems(this.#db, row, ids) : [];
  }

  async readLatest(ids: readonly string[]): Promise<readonly Item[]> {
    return readLatestItems(this.#db, ids);
  }

  async findPrevious(run: string): Promise<RunRecord | undefined> {
    const row = findRunRow(this.#db, run);
    const previous = row && findPrevious(this.#db, row);
    return previous && makeRunRecord(previous);
  }

  async readTroubled(run: string, after: Uint8Array | undefined, limit: number): Promise<readonly Item[]> {
    const row = findRunRow(this.#db, run);
    return row ? readTroubledItems(this.#db, row, after, limit) : [];
  }

  async countTasks(run: string): Promise<readonly TaskCount[]> {
    const row = findRunRow(this.#db, run);
    if (!row) return [];
    const services = readServices(row);
    return this.#db
      .all<{ service: number; state: TaskState; reason: string; count: number }>(
        `SELECT service, state, reason, count FROM task_counts
         WHERE run = ? AND count <> 0 ORDER BY service, state, reason`,
        [row.seq],
      )
      .map((count) => ({ ...count, service: services[count.service]?.name ?? '' }));
  }

  async readBill(run: string, prices: PriceBook): Promise<readonly BillRow[]> {
    const row = findRunRow(this.#db, run);
    return row ? readBillRows(this.#db, row, prices) : [];
  }

  async readPositions(): Promise<readonly AccountPosition[]> {
    return readPositions(this.#db);
  }

  async readUsage(question: CostQuestion): Promise<readonly UsageRow[]> {
    return readUsageRows(this.#db, question);
  }

  async readItemUsage(question: CostQuestion, afterId: number, limit: number): Promise<readonly ItemUsage[]> {
    return readItemUsage(this.#db, question, afterId, limit);
  }

  async readJobUsage(question: JobQuestion, jobs: readonly string[]): Promise<readonly JobUsage[]> {
    return readJobUsage(this.#db, question, jobs);
  }

  async listJobUsage(...given: Parameters<Ledger['listJobUsage']>): ReturnType<Ledger['listJobUsage']> {
    return listJobUsage(this.#db, ...given);
  }

  async readBroken(run: string, limit: number, afterLine = -1): Promise<readonly BrokenRow[]> {
    const row = findRunRow(this.#db, run);
    if (!row) return [];
    return this.#db.all<BrokenRow>(
      'SELECT line, message FROM broken WHERE run = ? AND line > ? ORDER BY line LIMIT ?',
      [row.seq, afterLine, limit],
    );
  }

  async listHeld(selection: TroubleSelection): Promise<readonly HeldRow[]> {
    return listHeld(this.#db, selection);
  }

  settleHeld(selection: TroubleSelection, how: 'resend' | 'forget'): Promise<readonly string[]> {
    const office = { db: this.#db, tally: this.#tally, now: this.#now };
    return this.#queue.write(1, () => settleHeldKeys(office, selection, how));
  }

  async listFailed(selection: TroubleSelection): Promise<readonly FailedRow[]> {
    return listFailed(this.#db, selection);
  }

  acknowledgeFailed(selection: TroubleSelection): Promise<readonly string[]> {
    return this.#queue.write(1, () => acknowledgeFailures(this.#db, selection, this.#now()));
  }

  async countAcknowledged(run: string): Promise<number> {
    const row = findRunRow(this.#db, run);
    return row ? countAcknowledged(this.#db, row.seq) : 0;
  }

  async prune(beforeMs: number): Promise<Pruned> {
    const bytesBefore = measure(this.#db);
    const pruned = await this.#queue.write(1, () => pruneRuns(this.#db, beforeMs, this.#now()));
    compact(this.#db);
    return { ...pruned, bytesBefore, bytesAfter: measure(this.#db) };
  }

  async readSpending(run: string): Promise<Spending> {
    const row = findRunRow(this.#db, run);
    if (row && row.spending !== null) return unpackSpending(row.spending);
    const { caps, currency, timezone } = unpackCaps(row?.caps ?? null);
    const { seq = 0, pipeline = '' } = row ?? {};
    const month = monthOf(this.#now(), timezone);
    return readSpending(new SpendingBooks(this.#db), { run: seq, pipeline, month, currency, caps });
  }

  async readArchived(run: string, afterTask: number, limit: number): Promise<readonly ArchivedAnswer[]> {
    const row = findRunRow(this.#db, run);
    return row ? readArchivedPage(this.#db, row, afterTask, limit) : [];
  }

  async replaceFindings(findings: ReadonlyMap<number, Finding>): Promise<void> {
    await this.#queue.write(findings.size, () => {
      for (const [id, finding] of findings) {
        this.#db.run('UPDATE answers SET finding = ? WHERE id = ?', [JSON.stringify(finding), id]);
      }
    });
  }

  decide(decisions: readonly NewDecision[], by: string): Promise<Decided> {
    return this.#queue.write(decisions.length, () => storeDecisions(this.#db, decisions, by, this.#now()));
  }

  async listDecisions(selection: TroubleSelection): Promise<readonly DecisionRow[]> {
    return listDecisions(this.#db, selection);
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close();
    this.#queue.close();
    this.#db.close();
  }
}
