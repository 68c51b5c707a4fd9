/** What a run writes, over SQLite. */
import type {
  Attempt,
  Intent,
  IntentRequest,
  Known,
  PlanPage,
  RunLedger,
  RunRecord,
  Transition,
} from '../../domain/ledger.ts';
import type { Spending } from '../../domain/caps.ts';
import type { MediaFacts } from '../../domain/item.ts';
import type { Nano } from '../../domain/pricing.ts';
import { chargeUnits, monthOf, priceOf } from '../../domain/pricing.ts';
import type { Task } from '../../domain/task.ts';
import type { Units } from '../../domain/usage.ts';
import type { AttemptRow } from './attempt-row.ts';
import { attemptColumns, makeAttempt } from './attempt-row.ts';
import type { CommitQueue } from './commit-queue.ts';
import { intendCall } from './intend.ts';
import { findKnown } from './known.ts';
import type { Opened } from './opening.ts';
import { planPage } from './plan.ts';
import { releaseWaiting } from './release.ts';
import { readWaitedFor, reopenAskable } from './reopen.ts';
import { findRunRow, makeRunRecord } from './run-row.ts';
import type { Session } from './session.ts';
import { isLoopback } from './session.ts';
import { packSpending, readSpending } from './spending.ts';
import { loadPosition } from './tally.ts';
import type { ReadyRow } from './task-row.ts';
import { makeTask, readyColumns } from './task-row.ts';
import { applyTransitions } from './transition.ts';

export class SqliteRun implements RunLedger {
  readonly isResumed: boolean;
  readonly checkpoint?: string | undefined;
  readonly #session: Session;
  readonly #queue: CommitQueue;
  #record: RunRecord;

  constructor({ session, record, isResumed, checkpoint }: Opened, queue: CommitQueue) {
    this.#session = session;
    this.#queue = queue;
    this.#record = record;
    this.isResumed = isResumed;
    this.checkpoint = checkpoint;
  }

  get record(): RunRecord {
    return this.#record;
  }

  get spending(): Spending {
    const { run, pipeline, caps, tally, now } = this.#session;
    const { currency, timezone } = pipeline.prices;
    const month = monthOf(now(), timezone);
    return readSpending(tally.spending, { run, pipeline: pipeline.name, month, currency, caps });
  }

  async readKnown(reuseKeys: readonly string[], contentIds: readonly string[]): Promise<Known> {
    const settledKeys = new Set<string>();
    for (const reuseKey of reuseKeys) {
      const known = findKnown(this.#session, reuseKey);
      if (known && (known.answer ?? known.failure ?? known.held) !== null) settledKeys.add(reuseKey);
    }
    const media = new Map<string, MediaFacts>();
    for (const contentId of contentIds) {
      const row = this.#session.db.get<{ facts: string }>('SELECT facts FROM media WHERE content = ?', [
        contentId,
      ]);
      if (row) media.set(contentId, JSON.parse(row.facts) as MediaFacts);
    }
    return { settledKeys, media };
  }

  async plan(page: PlanPage): Promise<readonly Task[]> {
    const weight = 1 + page.items.reduce((rows, item) => rows + 1 + item.tasks.length, page.broken.length);
    const [tasks, record] = await this.#queue.write(weight, () => {
      const ready = planPage(this.#session, page);
      return [ready, this.#readRecord()] as const;
    });
    this.#record = record;
    return tasks;
  }

  async readReady(service: string, afterId: number, limit: number): Promise<readonly Task[]> {
    const { db, run, services } = this.#session;
    const rows = db.all<ReadyRow>(
      `SELECT ${readyColumns} FROM tasks AS t JOIN items AS i ON i.id = t.item JOIN keys AS k ON k.id = t.key
       WHERE t.run = ? AND t.state = 'planned' AND t.state IN ('planned', 'waiting', 'over-cap')
         AND t.service = ? AND t.id > ? ORDER BY t.id LIMIT ?`,
      [run, services.indexOf(service), afterId, limit],
    );
    return rows.map((row) => makeTask(row, services));
  }

  intend(request: IntentRequest): Promise<readonly Intent[]> {
    return this.#queue.write(request.tasks.length, () => intendCall(this.#session, request));
  }

  transition(transitions: readonly Transition[]): Promise<void> {
    return this.#queue.write(transitions.length, () => applyTransitions(this.#session, transitions));
  }

  async readOrphans(afterId: number, limit: number): Promise<readonly Attempt[]> {
    const { db, pipeline, firstAttempt } = this.#session;
    const others = pipeline.services.map(({ account }) => [account.name, Number(!account.isLoopback)]);
    const rows = db.all<AttemptRow>(
      `SELECT ${attemptColumns} FROM attempts AS a INDEXED BY attempts_open JOIN runs AS r ON r.seq = a.run
         JOIN keys AS k ON k.id = a.key JOIN tasks AS t ON t.id = a.task
       WHERE a.state IN ('intent', 'accepted') AND r.pipeline = ? AND a.id > ? AND a.id < ?
         AND json_array(a.account, a.is_loopback) NOT IN (SELECT value FROM json_each(?))
       ORDER BY a.id LIMIT ?`,
      [
        pipeline.name,
        afterId,
        firstAttempt,
        JSON.stringify(others.map((pair) => JSON.stringify(pair))),
        limit,
      ],
    );
    return rows.map(makeAttempt);
  }

  reopenAskable(
    services: readonly { readonly service: string; readonly account: string }[],
  ): Promise<number> {
    return this.#queue.write(1, () => reopenAskable(this.#session, services));
  }

  async readWaitedFor(
    limit: number,
  ): Promise<readonly { readonly owner: string; readonly attempt: Attempt }[]> {
    return readWaitedFor(this.#session, limit);
  }

  async readKnownJobs(account: string, jobs: readonly string[]): Promise<ReadonlySet<string>> {
    const isKnown = (job: string) =>
      this.#session.db.get('SELECT 1 FROM attempts WHERE job = ? AND account = ? LIMIT 1', [job, account]);
    return new Set(jobs.filter(isKnown));
  }

  releaseWaiting(): Promise<{ readonly released: number; readonly waiting: number }> {
    return this.#queue.write(1, () => releaseWaiting(this.#session));
  }

  async quote(account: string, units: Units, atMs: number): Promise<Nano | undefined> {
    const { db, pipeline, billing } = this.#session;
    const payer = { account, isLoopback: isLoopback(pipeline, account) };
    let sum = 0n;
    for (const [sku, count] of Object.entries(units)) {
      const charge = chargeUnits(
        priceOf(pipeline.prices, sku),
        billing.get(account)?.[sku],
        loadPosition(db, payer, sku),
        count,
        atMs,
      );
      if (!charge.isComplete) return undefined;
      sum += charge.amount;
    }
    return sum;
  }

  async end({ state, exitCode, why, atMs }: Parameters<RunLedger['end']>[0]): Promise<RunRecord> {
    this.#record = await this.#queue.write(1, () => {
      this.#session.db.run(
        'UPDATE runs SET state = ?, exit_code = ?, why = ?, ended_ms = ?, spending = ? WHERE seq = ?',
        [state, exitCode, why, atMs, packSpending(this.spending), this.#session.run],
      );
      return this.#readRecord();
    });
    return this.#record;
  }

  #readRecord(): RunRecord {
    const row = findRunRow(this.#session.db, this.#session.runId);
    if (!row) throw new Error(`run "${this.#session.runId}" is not in the ledger any more`);
    return makeRunRecord(row);
  }
}
