/** Opens a run: goes on with the latest one that is not finished, or begins another and closes those before it. */
import { existsSync } from 'node:fs';
import type { CanaryRecord } from '../../domain/canary.ts';
import { listCaps } from '../../domain/caps.ts';
import type { LedgerPipeline, RunOpening, RunRecord } from '../../domain/ledger.ts';
import { limitUnits, type RunPlan } from '../../domain/plan.ts';
import { wrongUse } from '../../domain/problem.ts';
import type { TaskState } from '../../domain/task.ts';
import type { Units } from '../../domain/usage.ts';
import { type Dependent, listDependents, reviveDependents, reviveOverCap } from './cascade.ts';
import type { Database, WritingDatabase } from './database.ts';
import type { RunRow, RunService } from './run-row.ts';
import { findRunRow, makeRunRecord } from './run-row.ts';
import type { Office, SessionTerms } from './session.ts';
import { isFresh } from './session.ts';
import { packCaps, unpackCaps } from './spending.ts';
import type { MovableTask } from './task-row.ts';
import { moveTask } from './task-row.ts';
import { readStored } from './stored.ts';

/** A run that began earlier is not gone on with unless someone asks for it. */
const mostAgeMs = 20 * 60 * 60 * 1000;

export interface Opened {
  readonly terms: SessionTerms;
  readonly record: RunRecord;
  readonly isResumed: boolean;
  readonly checkpoint: string | undefined;
}

/**
 * @throws `Stop` with exit 2 where going on was asked for and the pipeline's shape has changed, where another file of
 * the same name uses this ledger, or where the run has looked at more than it is limited to.
 */
export async function openRun(office: Office, opening: RunOpening): Promise<Opened> {
  const { db } = office;
  if (opening.joins !== undefined) return await joinRun(db, opening, opening.joins);
  await refuseNamesake(db, opening.pipeline);
  const old = await findResumable(db, opening);
  if (old) refuseSmallerLimit(old, opening);
  const plan = await choosePlan(db, opening, old);
  const pipeline = plan ? holdTo(opening.pipeline, plan) : opening.pipeline;
  if (old) await resumeRun(office, old, pipeline);
  const id = old ? old.id : await beginRun(db, { ...opening, pipeline });
  if (plan) db.run('UPDATE runs SET plan = ? WHERE id = ?', [JSON.stringify(plan), id]);
  const row = await findRunRow(db, id);
  if (!row) throw new Error(`run "${id}" is not in the ledger that it was just written to`);
  return {
    terms: await makeTerms(db, { ...opening, pipeline }, row),
    record: makeRunRecord(row),
    isResumed: old !== undefined,
    checkpoint: row.checkpoint ?? undefined,
  };
}

/** @throws `Stop` with exit 2 where the run was set up otherwise than its pipeline is here. */
async function joinRun(db: WritingDatabase, opening: RunOpening, run: string): Promise<Opened> {
  const row = await findRunRow(db, run);
  if (!row) throw new Error(`run "${run}" is not in the ledger`);
  const { pipeline } = opening;
  if (row.shape_hash !== pipeline.shapeHash) {
    throw wrongUse(
      `run "${run}": expected the source, access, services and accounts that it was begun with, found others in the config of this machine. Give every machine the same config.`,
    );
  }
  const terms = await makeTerms(db, opening, row);
  return {
    terms: { ...terms, caps: unpackCaps(row.caps).caps, canary: undefined },
    record: makeRunRecord(row),
    isResumed: true,
    checkpoint: row.checkpoint ?? undefined,
  };
}

/**
 * The plan that is given, else the one that the run began under. What the run had used before it came under a plan is
 * no part of that.
 *
 * @throws `Stop` where the run goes on under its own plan at other prices
 */
async function choosePlan(
  db: Database,
  opening: RunOpening,
  old: RunRow | undefined,
): Promise<RunPlan | undefined> {
  const { plan: given, pricesHash, pipeline } = opening;
  const kept = old && old.plan !== null ? (readStored(old.plan) as RunPlan) : undefined;
  if (given) {
    const base = given.sha256 === kept?.sha256 ? kept.base : old && (await readUsed(db, old.seq));
    return { ...given, ...(base && { base }) };
  }
  if (kept && old && pricesHash !== undefined && kept.prices !== pricesHash) {
    throw wrongUse(
      `${pipeline.path}: run "${old.id}" began under a plan (sha256 ${kept.sha256.slice(0, 12)}...), and the prices have changed since. Estimate what is left with --plan-out and run with that plan, or begin a new run with --new.`,
    );
  }
  return kept;
}

async function readUsed(db: Database, run: number): Promise<Units> {
  const rows = await db.all<{ sku: string; units: number }>(
    `SELECT sku, sum(spent_units + reserved_units) AS units FROM spending
     WHERE scope = 'run' AND name = ? GROUP BY sku`,
    [String(run)],
  );
  return Object.fromEntries(rows.map(({ sku, units }) => [sku, units]));
}

function holdTo(pipeline: LedgerPipeline, plan: RunPlan): LedgerPipeline {
  return { ...pipeline, caps: { ...pipeline.caps, plan: limitUnits(plan) } };
}

/** What was planned is sent, whatever is looked at now. */
function refuseSmallerLimit(old: RunRow, { limit, pipeline }: RunOpening): void {
  if (limit === undefined || old.items <= limit) return;
  throw wrongUse(
    `${pipeline.path}: --limit ${limit}: run "${old.id}", which this would go on with, has looked at ${old.items} items already. Leave --limit away to go on with it, or begin a new run of ${limit} with --new.`,
  );
}

/** Two files of one name would go on with each other's runs. A file that was moved is no other file. */
async function refuseNamesake(db: Database, { name, path }: LedgerPipeline): Promise<void> {
  const last = await db.get<{ path: string }>(
    'SELECT path FROM runs WHERE pipeline = ? ORDER BY seq DESC LIMIT 1',
    [name],
  );
  if (!last || last.path === path || !existsSync(last.path)) return;
  throw wrongUse(
    `${path}: expected one file of the name "${name}" on this ledger, found "${last.path}" too. Rename one of them, or give it another ledger with --state.`,
  );
}

export async function findResumable(db: Database, opening: RunOpening): Promise<RunRow | undefined> {
  if (opening.startNew) return undefined;
  const { pipeline, nowMs, isFresh: asksFresh, onlyFailed } = opening;
  const row = await db.get<RunRow>(
    `SELECT * FROM runs WHERE pipeline = ? AND state IN ('running', 'stopped') ORDER BY seq DESC LIMIT 1`,
    [pipeline.name],
  );
  if (!row || row.only_failed !== (onlyFailed ?? null)) return undefined;
  if (asksFresh === true && row.is_fresh === 0) return undefined;
  if (row.shape_hash === pipeline.shapeHash) {
    return opening.resumeAnyAge || nowMs - row.started_ms < mostAgeMs ? row : undefined;
  }
  if (opening.resumeAnyAge) throw refuseChanged(row, pipeline);
  return undefined;
}

function refuseChanged(row: RunRow, pipeline: LedgerPipeline): Error {
  const before: unknown = readStored(row.written);
  const changed = ['source', 'select', 'access', 'services'].filter(
    (key) => readPart(before, key) !== readPart(pipeline.written, key),
  );
  const names = changed.length === 0 ? 'something that these parts use' : changed.join(', ');
  return wrongUse(
    `${pipeline.path}: run "${row.id}" cannot be gone on with: expected the source, select, access and services that it began with, found a change in ${names}. Put it back, or begin a new run with --new.`,
  );
}

function readPart(written: unknown, key: string): string | undefined {
  if (typeof written !== 'object' || written === null) return undefined;
  return JSON.stringify((written as Readonly<Record<string, unknown>>)[key]);
}

/** Where listing begins anew, what it counts begins anew too. */
async function resumeRun(office: Office, row: RunRow, pipeline: LedgerPipeline): Promise<void> {
  const { db, tally } = office;
  const packed = packPipeline(pipeline, row.asked_fresh === 1);
  const columns = Object.keys(packed).map((column) => `${column} = ?`);
  db.run(
    `UPDATE runs SET state = 'running', path = ?, ended_ms = NULL, exit_code = NULL, why = NULL, spending = NULL, ${columns.join()} WHERE seq = ?`,
    [pipeline.path, ...Object.values(packed), row.seq],
  );
  if (row.checkpoint === null) {
    db.run(`UPDATE runs SET listing = 'partial', unselected = 0, broken = 0 WHERE seq = ?`, [row.seq]);
    db.run('DELETE FROM broken WHERE run = ?', [row.seq]);
  }
  const dependents = listDependents(pipeline.services);
  await releaseSettled(office, row.seq, dependents);
  await reviveOverCap(office, row.seq, dependents);
  const idle = await db.all<{ service: number; state: TaskState; reason: string; count: number }>(
    `SELECT service, state, reason, count FROM task_counts
     WHERE run = ? AND state IN ('waiting', 'over-cap') AND count > 0`,
    [row.seq],
  );
  if (idle.length === 0) return;
  for (const { service, state, reason, count } of idle) {
    tally.count(row.seq, service, state, reason, -count);
    tally.count(row.seq, service, 'planned', '', count);
  }
  db.run(
    `UPDATE tasks SET state = 'planned', reason = '', ended_ms = NULL
     WHERE run = ? AND state IN ('waiting', 'over-cap') AND state IN ('planned', 'waiting', 'over-cap')`,
    [row.seq],
  );
}

/** Held tasks that a person has settled since are planned again; what was decided stands at their reuse key. */
async function releaseSettled(office: Office, run: number, dependents: readonly Dependent[]): Promise<void> {
  const settled = await office.db.all<MovableTask>(
    `SELECT t.id, t.run, t.service, t.state, t.reason FROM tasks AS t JOIN keys AS k ON k.id = t.key
     WHERE t.run = ? AND t.state = 'held' AND t.state IN ('failed', 'held') AND k.held IS NULL`,
    [run],
  );
  for (const task of settled) {
    moveTask(office, task, { state: 'planned' });
    await reviveDependents(office, dependents, task);
  }
}

async function beginRun(db: WritingDatabase, opening: RunOpening): Promise<string> {
  const { pipeline, nowMs, isFresh: asksFresh = false, onlyFailed = null, canary } = opening;
  db.run(`UPDATE runs SET state = 'superseded' WHERE pipeline = ? AND state IN ('running', 'stopped')`, [
    pipeline.name,
  ]);
  const id = await chooseId(db, pipeline.name, nowMs);
  db.insert('runs', {
    id,
    pipeline: pipeline.name,
    path: pipeline.path,
    state: 'running',
    started_ms: nowMs,
    asked_fresh: Number(asksFresh),
    only_failed: onlyFailed,
    canary: canary ? JSON.stringify({ state: 'waiting', items: canary.items }) : null,
    ...packPipeline(pipeline, asksFresh),
  });
  return id;
}

/** `20261120T020000Z-nightly`, with `-2` and so on behind it where that is taken. */
async function chooseId(db: Database, pipeline: string, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const base = `${stamp}-${pipeline}`;
  let id = base;
  for (let next = 2; await findRunRow(db, id); next += 1) id = `${base}-${next}`;
  return id;
}

/** The columns of a run that say under which pipeline it goes on. */
function packPipeline(pipeline: LedgerPipeline, asksFresh: boolean) {
  const services = pipeline.services.map(
    ({ name, account, when }): RunService => ({
      name,
      account: account.name,
      vendor: account.vendor.name,
      ...(when && { when }),
    }),
  );
  const units = pipeline.services
    .flatMap((use) => use.account.vendor.skus)
    .map((sku) => [sku.name, sku.unit] as const);
  return {
    hash: pipeline.hash,
    shape_hash: pipeline.shapeHash,
    services: JSON.stringify(services),
    sku_units: JSON.stringify(Object.fromEntries(units)),
    written: JSON.stringify(pipeline.written ?? null),
    is_fresh: Number(asksFresh || isFresh(pipeline)),
    caps: packCaps({ ...pipeline.prices, caps: listCaps(pipeline) }),
  };
}

/** Since when answers of other runs, and remembered failures, count; for a run that is not there yet without `row`. */
export function reachBack(
  pipeline: Pick<LedgerPipeline, 'reuse'>,
  nowMs: number,
  row?: Pick<RunRow, 'is_fresh' | 'only_failed' | 'started_ms'>,
): Pick<SessionTerms, 'answeredSinceMs' | 'failedSinceMs'> {
  const { maxAgeMs, retryFailedAfterMs } = pipeline.reuse;
  const oldestMs = maxAgeMs === undefined ? Number.MIN_SAFE_INTEGER : nowMs - maxAgeMs;
  const isDisregarding = row ? row.is_fresh === 1 : isFresh(pipeline);
  return {
    answeredSinceMs: isDisregarding ? Number.MAX_SAFE_INTEGER : oldestMs,
    failedSinceMs: !row || row.only_failed === null ? nowMs - retryFailedAfterMs : row.started_ms + 1,
  };
}

async function makeTerms(
  db: WritingDatabase,
  { pipeline, nowMs, billing }: RunOpening,
  row: RunRow,
): Promise<SessionTerms> {
  const items = await db.get<{ last: number | null }>('SELECT max(id) AS last FROM items');
  const canary = row.canary === null ? undefined : (readStored(row.canary) as CanaryRecord);
  return {
    run: row.seq,
    runId: row.id,
    pipeline,
    services: pipeline.services.map((use) => use.name),
    billing: new Map(billing),
    caps: listCaps(pipeline),
    ...reachBack(pipeline, nowMs, row),
    dependents: listDependents(pipeline.services),
    released: [],
    reading: { firstItem: (items?.last ?? 0) + 1 },
    firstAttempt: await db.nextId('attempts'),
    ...(canary?.state === 'waiting' && { canary: { items: canary.items } }),
  };
}
