/** What a run writes, over SQL. */
import type {
  Attempt,
  Intent,
  IntentRequest,
  Known,
  PlannedItem,
  PlanPage,
  RunLedger,
  RunRecord,
  Transition,
} from '../../domain/ledger.ts';
import type { CanaryFigures, CanaryRecord } from '../../domain/canary.ts';
import type { Spending } from '../../domain/caps.ts';
import type { PaceOffice } from '../../domain/pace.ts';
import type { BillingFacts, Nano } from '../../domain/pricing.ts';
import { chargeUnits, priceOf } from '../../domain/pricing.ts';
import type { TaskRange } from '../../domain/shard.ts';
import type { Task } from '../../domain/task.ts';
import type { Units } from '../../domain/usage.ts';
import type { AttemptRow } from './attempt-row.ts';
import { attemptColumns, makeAttempt } from './attempt-row.ts';
import { readCanaryFigures, readCanaryNames, readReadyCanary } from './canary.ts';
import { findKnown } from './known.ts';
import type { Intended } from './intend.ts';
import type { Opened } from './opening.ts';
import { readMedia } from './media.ts';
import { SqlPaceOffice } from './pace-board.ts';
import type { ReadyTask } from './plan.ts';
import { readWaitedFor } from './reopen.ts';
import type { RunWriter } from './run-writes.ts';
import type { ReadingSession } from './session.ts';
import { isLoopback } from './session.ts';
import { loadPosition } from './tally.ts';
import type { ReadyRow } from './task-row.ts';
import { makeTask, readyColumns } from './task-row.ts';
import type { WrittenTransition } from './transition.ts';

export class SqlRun implements RunLedger {
  readonly isResumed: boolean;
  readonly checkpoint?: string | undefined;
  readonly #session: ReadingSession;
  readonly #writer: RunWriter;
  #record: RunRecord;

  constructor({ record, isResumed, checkpoint }: Opened, session: ReadingSession, writer: RunWriter) {
    this.#session = session;
    this.#writer = writer;
    this.#record = record;
    this.isResumed = isResumed;
    this.checkpoint = checkpoint;
  }

  get record(): RunRecord {
    return this.#record;
  }

  get spending(): Spending {
    return this.#writer.spending;
  }

  sharePace(tools: Parameters<RunLedger['sharePace']>[0]): PaceOffice {
    const { db, pipeline } = this.#session;
    return new SqlPaceOffice({ ...tools, db, process: pipeline.name, writer: this.#writer });
  }

  async addBilling(account: string, facts: Readonly<Record<string, BillingFacts>>): Promise<void> {
    if (!this.#session.billing.has(account)) this.#session.billing.set(account, facts);
    await this.#writer.write('addBilling', { account, facts });
  }

  async readKnown(reuseKeys: readonly string[], contentIds: readonly string[]): Promise<Known> {
    const settledKeys = new Set<string>();
    for (const [index, known] of (await findKnown(this.#session, reuseKeys)).entries()) {
      const reuseKey = reuseKeys[index];
      if (reuseKey === undefined || !known) continue;
      if ((known.answer ?? known.failure ?? known.held) !== null) settledKeys.add(reuseKey);
    }
    return { settledKeys, media: await readMedia(this.#session.db, contentIds) };
  }

  async plan(page: PlanPage): Promise<readonly Task[]> {
    const { ready, record } = await this.#writer.write('plan', page);
    this.#record = record;
    return ready.map((one) => makePlannedTask(page, one));
  }

  async readReady(
    service: string,
    afterId: number,
    limit: number,
    within?: 'canary' | TaskRange,
  ): Promise<readonly Task[]> {
    const { db, run, services } = this.#session;
    if (within === 'canary') return await readReadyCanary(this.#session, service, afterId, limit);
    const rows = await db.all<ReadyRow>(
      `SELECT ${readyColumns} FROM tasks AS t JOIN items AS i ON i.id = t.item JOIN keys AS k ON k.id = t.key
       WHERE t.run = ? AND t.state = 'planned' AND t.state IN ('planned', 'waiting', 'over-cap')
         AND t.service = ? AND t.id > ? AND t.id <= ? ORDER BY t.id LIMIT ?`,
      [
        run,
        services.indexOf(service),
        Math.max(afterId, within?.afterTask ?? 0),
        within?.lastTask ?? Number.MAX_SAFE_INTEGER,
        limit,
      ],
    );
    return rows.map((row) => makeTask(row, services));
  }

  async readCanaryNames(): Promise<ReadonlySet<string>> {
    return await readCanaryNames(this.#session);
  }

  async readCanaryFigures(beganMs: number): Promise<CanaryFigures> {
    return await readCanaryFigures(this.#session, beganMs);
  }

  async noteCanary(record: CanaryRecord): Promise<void> {
    this.#record = await this.#writer.write('noteCanary', record);
  }

  async intend(request: IntentRequest): Promise<readonly Intent[]> {
    const tasks = request.tasks.map(({ task: { id, usage }, linkHash }) => ({
      id,
      units: usage.units,
      linkHash,
    }));
    const intended = await this.#writer.write('intend', { ...request, tasks });
    return intended.map((one, index) =>
      one.is === 'intended' ? { is: one.is, attempt: this.#makeAttempt(request, index, one) } : one,
    );
  }

  transition(transitions: readonly Transition[]): Promise<readonly Task[]> {
    const steps = transitions.map((one): WrittenTransition => ({ ...one, attempt: one.attempt.id }));
    return this.#writer.write('transition', steps);
  }

  async readOrphans(
    afterId: number,
    limit: number,
    within?: 'other-runs' | TaskRange,
  ): Promise<readonly Attempt[]> {
    const { db, pipeline, run, firstAttempt } = this.#session;
    if (typeof within === 'object') return await this.#readShardOrphans(afterId, limit, within);
    const others = pipeline.services.map(({ account }) => `${Number(!account.isLoopback)} ${account.name}`);
    const rows = await db.all<AttemptRow>(
      `SELECT ${attemptColumns} FROM attempts AS a INDEXED BY attempts_open JOIN runs AS r ON r.seq = a.run
         JOIN keys AS k ON k.id = a.key JOIN tasks AS t ON t.id = a.task
       WHERE a.state IN ('intent', 'accepted') AND r.pipeline = ? AND a.id > ? AND a.id < ?
         AND a.is_loopback || ' ' || a.account NOT IN LIST(?) AND a.run <> ?
       ORDER BY a.id LIMIT ?`,
      [pipeline.name, afterId, firstAttempt, others, within === 'other-runs' ? run : 0, limit],
    );
    return rows.map(makeAttempt);
  }

  /** All that are open, however young: whoever asks holds the shard, and has not begun. */
  async #readShardOrphans(afterId: number, limit: number, { afterTask, lastTask }: TaskRange) {
    const { db, run } = this.#session;
    const rows = await db.all<AttemptRow>(
      `SELECT ${attemptColumns} FROM attempts AS a INDEXED BY attempts_open JOIN runs AS r ON r.seq = a.run
         JOIN keys AS k ON k.id = a.key JOIN tasks AS t ON t.id = a.task
       WHERE a.state IN ('intent', 'accepted') AND a.run = ? AND a.id > ? AND a.task > ? AND a.task <= ?
       ORDER BY a.id LIMIT ?`,
      [run, afterId, afterTask, lastTask, limit],
    );
    return rows.map(makeAttempt);
  }

  reopenAskable(
    services: readonly { readonly service: string; readonly account: string }[],
  ): Promise<number> {
    return this.#writer.write('reopenAskable', services);
  }

  async readWaitedFor(
    limit: number,
  ): Promise<readonly { readonly owner: string; readonly attempt: Attempt }[]> {
    return await readWaitedFor(this.#session, limit);
  }

  async readKnownJobs(account: string, jobs: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#session.db.each(
      'SELECT 1 AS known FROM attempts WHERE job = ? AND account = ? LIMIT 1',
      jobs.map((job) => [job, account]),
    );
    return new Set(jobs.filter((_, index) => (found[index] ?? []).length > 0));
  }

  releaseWaiting(): Promise<{ readonly released: number; readonly waiting: number }> {
    return this.#writer.write('releaseWaiting', undefined);
  }

  async quote(account: string, units: Units, atMs: number): Promise<Nano | undefined> {
    const { db, pipeline, billing } = this.#session;
    const payer = { account, isLoopback: isLoopback(pipeline, account) };
    let sum = 0n;
    for (const [sku, count] of Object.entries(units)) {
      const charge = chargeUnits(
        priceOf(pipeline.prices, sku),
        billing.get(account)?.[sku],
        await loadPosition(db, payer, sku),
        count,
        atMs,
      );
      if (!charge.isComplete) return undefined;
      sum += charge.amount;
    }
    return sum;
  }

  async end(end: Parameters<RunLedger['end']>[0]): Promise<RunRecord> {
    this.#record = await this.#writer.write('end', end);
    return this.#record;
  }

  #makeAttempt(request: IntentRequest, index: number, made: Extract<Intended, { is: 'intended' }>): Attempt {
    const { service, account, isBatch, atMs: intendedAtMs, tasks } = request;
    const { task, linkHash } = tasks[index] as IntentRequest['tasks'][number];
    const { id, number, ref, call, position } = made;
    return {
      id,
      task: task.id,
      run: this.#session.runId,
      service,
      account,
      reuseKey: task.reuseKey,
      number,
      ref,
      call,
      position,
      linkHash,
      isBatch,
      isLoopback: isLoopback(this.#session.pipeline, account),
      usage: task.usage,
      resends: task.resends,
      intendedAtMs,
      state: 'intent',
    };
  }
}

function makePlannedTask({ items }: PlanPage, ready: ReadyTask): Task {
  const { item, tasks } = items[ready.item] as PlannedItem;
  const { service, reuseKey, usage } = tasks[ready.task] as PlannedItem['tasks'][number];
  const { id, name, tries: attempts, resends } = ready;
  return { id, item: { ...item, id: name }, service, reuseKey, usage, attempts, resends };
}
