/** The memory of all runs, over a database that speaks SQL. */
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
import type { Database, WritingDatabase } from './database.ts';
import { listDecisions, storeDecisions } from './decisions.ts';
import { LocalWriter } from './local-writer.ts';
import type { Opened } from './opening.ts';
import { pruneRuns } from './prune.ts';
import { ReadAhead } from './read-ahead.ts';
import { readItemPage, readLatestItems, readNamedItems, readTroubledItems } from './report-read.ts';
import type { RunRow } from './run-row.ts';
import { findRunRow, makeRunRecord, readServices } from './run-row.ts';
import type { RunWriter } from './run-writes.ts';
import { findPrevious, selectRun } from './selector.ts';
import { readSpending, SpendingBooks, unpackCaps, unpackSpending } from './spending.ts';
import type { Office } from './session.ts';
import { claimShard, cutShards, leaveShard, listHolders, listShards, reopenShards } from './shards.ts';
import { SqlRun } from './sql-run.ts';
import { readBoard } from './pace-board.ts';
import { readPositions, Tally } from './tally.ts';
import {
  acknowledgeFailures,
  countAcknowledged,
  listFailed,
  listHeld,
  settleHeldKeys,
} from './trouble-desk.ts';

/** What a ledger stands on. */
export interface LedgerBase {
  /** Sees what is committed. */
  readonly db: Database;
  /** A connection of its own that writes, opened with the first write. */
  readonly openWriter: () => Promise<WritingDatabase>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Opens a run in a thread of its own, which then writes it; absent where runs are written here. */
  readonly openThread?: (opening: RunOpening) => Promise<{
    readonly opened: Opened;
    readonly writer: RunWriter;
  }>;
}

interface WritingRoom {
  readonly office: Office;
  readonly queue: CommitQueue;
}

export class SqlLedger implements Ledger {
  readonly #base: LedgerBase;
  readonly #db: Database;
  readonly #now: () => number;
  readonly #writers: RunWriter[] = [];
  #room: Promise<WritingRoom> | undefined;

  constructor(base: LedgerBase) {
    this.#base = base;
    this.#db = base.db;
    this.#now = base.now;
  }

  async openRun(opening: RunOpening): Promise<RunLedger> {
    const { openThread } = this.#base;
    const { opened, writer } = openThread ? await openThread(opening) : await this.#openHere(opening);
    this.#writers.push(writer);
    return new SqlRun(opened, { ...opened.terms, db: this.#db }, writer);
  }

  async #openHere(opening: RunOpening): Promise<{ readonly opened: Opened; readonly writer: RunWriter }> {
    const { office, queue } = await this.#openRoom();
    return await LocalWriter.open(office, queue, opening);
  }

  /** Where this process writes what no run's own thread does. */
  #openRoom(): Promise<WritingRoom> {
    this.#room ??= this.#base.openWriter().then((db) => {
      const tally = new Tally(db);
      const ahead = new ReadAhead(db);
      const office = { db, tally, ahead, now: this.#now };
      return { office, queue: new CommitQueue(office) };
    });
    return this.#room;
  }

  async #write<Result>(weight: number, work: (office: Office) => Promise<Result>): Promise<Result> {
    const { office, queue } = await this.#openRoom();
    return await queue.write(weight, () => work(office));
  }

  async findRun(selector: string): Promise<RunRecord | undefined> {
    const row = await selectRun(this.#db, selector);
    return row && makeRunRecord(row);
  }

  async listRuns(limit: number, pipeline?: string): Promise<readonly RunRecord[]> {
    const rows =
      pipeline === undefined
        ? await this.#db.all<RunRow>('SELECT * FROM runs ORDER BY seq DESC LIMIT ?', [limit])
        : await this.#db.all<RunRow>('SELECT * FROM runs WHERE pipeline = ? ORDER BY seq DESC LIMIT ?', [
            pipeline,
            limit,
          ]);
    return rows.map(makeRunRecord);
  }

  async readItems(run: string, after: Uint8Array | undefined, limit: number): Promise<readonly ItemRow[]> {
    const row = await findRunRow(this.#db, run);
    return row ? await readItemPage(this.#db, row, after, limit) : [];
  }

  async readNamed(run: string, ids: readonly string[]): Promise<readonly ItemRow[]> {
    const row = await findRunRow(this.#db, run);
    return row ? await readNamedItems(this.#db, row, ids) : [];
  }

  async readLatest(ids: readonly string[]): Promise<readonly Item[]> {
    return await readLatestItems(this.#db, ids);
  }

  async findPrevious(run: string): Promise<RunRecord | undefined> {
    const row = await findRunRow(this.#db, run);
    const previous = row && (await findPrevious(this.#db, row));
    return previous && makeRunRecord(previous);
  }

  async readTroubled(run: string, after: Uint8Array | undefined, limit: number): Promise<readonly Item[]> {
    const row = await findRunRow(this.#db, run);
    return row ? await readTroubledItems(this.#db, row, after, limit) : [];
  }

  async countTasks(run: string): Promise<readonly TaskCount[]> {
    const row = await findRunRow(this.#db, run);
    if (!row) return [];
    const services = readServices(row);
    const counts = await this.#db.all<{ service: number; state: TaskState; reason: string; count: number }>(
      `SELECT service, state, reason, count FROM task_counts
       WHERE run = ? AND count <> 0 ORDER BY service, state, reason`,
      [row.seq],
    );
    return counts.map((count) => ({ ...count, service: services[count.service]?.name ?? '' }));
  }

  async readBill(run: string, prices: PriceBook): Promise<readonly BillRow[]> {
    const row = await findRunRow(this.#db, run);
    return row ? await readBillRows(this.#db, row, prices) : [];
  }

  async readPositions(): Promise<readonly AccountPosition[]> {
    return await readPositions(this.#db);
  }

  async readUsage(question: CostQuestion): Promise<readonly UsageRow[]> {
    return await readUsageRows(this.#db, question);
  }

  async readItemUsage(question: CostQuestion, afterId: number, limit: number): Promise<readonly ItemUsage[]> {
    return await readItemUsage(this.#db, question, afterId, limit);
  }

  async readJobUsage(question: JobQuestion, jobs: readonly string[]): Promise<readonly JobUsage[]> {
    return await readJobUsage(this.#db, question, jobs);
  }

  async listJobUsage(...given: Parameters<Ledger['listJobUsage']>): ReturnType<Ledger['listJobUsage']> {
    return await listJobUsage(this.#db, ...given);
  }

  async readBroken(run: string, limit: number, afterLine = -1): Promise<readonly BrokenRow[]> {
    const row = await findRunRow(this.#db, run);
    if (!row) return [];
    return await this.#db.all<BrokenRow>(
      'SELECT line, message FROM broken WHERE run = ? AND line > ? ORDER BY line LIMIT ?',
      [row.seq, afterLine, limit],
    );
  }

  async listHeld(selection: TroubleSelection): Promise<readonly HeldRow[]> {
    return await listHeld(this.#db, selection);
  }

  settleHeld(selection: TroubleSelection, how: 'resend' | 'forget'): Promise<readonly string[]> {
    return this.#write(1, (office) => settleHeldKeys(office, selection, how));
  }

  async listFailed(selection: TroubleSelection): Promise<readonly FailedRow[]> {
    return await listFailed(this.#db, selection);
  }

  acknowledgeFailed(selection: TroubleSelection): Promise<readonly string[]> {
    return this.#write(1, ({ db, now }) => acknowledgeFailures(db, selection, now()));
  }

  async countAcknowledged(run: string): Promise<number> {
    const row = await findRunRow(this.#db, run);
    return row ? await countAcknowledged(this.#db, row.seq) : 0;
  }

  async prune(beforeMs: number): Promise<Pruned> {
    const { office } = await this.#openRoom();
    const bytesBefore = await office.db.measure();
    const pruned = await this.#write(1, ({ db, now }) => pruneRuns(db, beforeMs, now()));
    await office.db.compact();
    return { ...pruned, bytesBefore, bytesAfter: await office.db.measure() };
  }

  async readSpending(run: string): Promise<Spending> {
    const row = await findRunRow(this.#db, run);
    if (row && row.spending !== null) return unpackSpending(row.spending);
    const { caps, currency, timezone } = unpackCaps(row?.caps ?? null);
    const { seq = 0, pipeline = '' } = row ?? {};
    const month = monthOf(this.#now(), timezone);
    return await readSpending(new SpendingBooks(this.#db), { run: seq, pipeline, month, currency, caps });
  }

  async readArchived(run: string, afterTask: number, limit: number): Promise<readonly ArchivedAnswer[]> {
    const row = await findRunRow(this.#db, run);
    return row ? await readArchivedPage(this.#db, row, afterTask, limit) : [];
  }

  async replaceFindings(findings: ReadonlyMap<number, Finding>): Promise<void> {
    await this.#write(findings.size, async ({ db }) => {
      for (const [id, finding] of findings) {
        db.run('UPDATE answers SET finding = ? WHERE id = ?', [JSON.stringify(finding), id]);
      }
    });
  }

  decide(decisions: readonly NewDecision[], by: string): Promise<Decided> {
    return this.#write(decisions.length, ({ db, now }) => storeDecisions(db, decisions, by, now()));
  }

  async listDecisions(selection: TroubleSelection): Promise<readonly DecisionRow[]> {
    return await listDecisions(this.#db, selection);
  }

  cutShards(run: string, least: number, isLast: boolean): Promise<number> {
    return this.#write(1, ({ db }) => cutShards(db, run, least, isLast));
  }

  reopenShards(run: string, withHalted: boolean): Promise<number> {
    return this.#write(1, ({ db }) => reopenShards(db, run, withHalted));
  }

  claimShard(claim: Parameters<Ledger['claimShard']>[0]): ReturnType<Ledger['claimShard']> {
    return this.#write(1, ({ db }) => claimShard(db, claim));
  }

  leaveShard(leaving: Parameters<Ledger['leaveShard']>[0]): Promise<void> {
    return this.#write(1, ({ db }) => leaveShard(db, leaving));
  }

  readPaceBoard(limit: string): ReturnType<Ledger['readPaceBoard']> {
    return readBoard(this.#db, limit);
  }

  listShards(run: string): ReturnType<Ledger['listShards']> {
    return listShards(this.#db, run);
  }

  listHolders(pipeline: string): ReturnType<Ledger['listHolders']> {
    return listHolders(this.#db, pipeline);
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close();
    const room = await this.#room;
    await room?.queue.close();
    await room?.office.db.close();
    await this.#db.close();
  }
}
