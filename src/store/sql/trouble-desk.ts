/** What people look at and settle between runs: held calls and remembered failures, by reuse key. */
import type { FailedRow, HeldRow, TroubleSelection } from '../../domain/ledger.ts';
import type { Usage } from '../../domain/usage.ts';
import type { Database, WritingDatabase } from './database.ts';
import { forgetUncertain } from './booking.ts';
import { packError, unpackError } from './known.ts';
import type { Office } from './session.ts';
import { formatTime, readServices } from './run-row.ts';
import { readStored } from './stored.ts';

/** A troubled key with its latest task that failed or is held. */
interface TroubledRow {
  readonly key: number;
  readonly reuse_key: string;
  readonly item: string | null;
  readonly tasks: number;
  readonly service: number | null;
  readonly run: string | null;
  readonly pipeline: string | null;
  readonly services: string | null;
}

/**
 * The keys of a selection. A word is a reuse key, an item's id, or a pattern over ids; ids of all troubled tasks count,
 * since the same content may go by several names.
 */
async function selectKeys<Row>(
  db: Database,
  state: 'held' | 'failed',
  columns: string,
  from: string,
  selection: TroubleSelection,
): Promise<readonly (Row & TroubledRow)[]> {
  const mark = state === 'held' ? 'k.held' : 'k.failure';
  const troubled = `FROM tasks AS t WHERE t.key = k.id AND t.state IN ('failed', 'held')`;
  const chosen =
    selection === undefined
      ? ''
      : `AND (k.key IN LIST(?) OR EXISTS (
           SELECT 1 FROM tasks AS t JOIN items AS i ON i.id = t.item
           WHERE t.key = k.id AND t.state IN ('failed', 'held') AND MATCHES(i.name, ?)))`;
  return await db.all<Row & TroubledRow>(
    `SELECT k.id AS key, k.key AS reuse_key, i.name AS item, t.service, r.id AS run, r.pipeline, r.services,
       (SELECT count(*) ${troubled}) AS tasks, ${columns}
     FROM keys AS k INDEXED BY keys_troubled ${from}
       LEFT JOIN tasks AS t ON t.id = (SELECT max(t.id) ${troubled})
       LEFT JOIN items AS i ON i.id = t.item LEFT JOIN runs AS r ON r.seq = t.run
     WHERE (k.held IS NOT NULL OR k.failure IS NOT NULL) AND ${mark} IS NOT NULL ${chosen} ORDER BY k.id`,
    selection === undefined ? [] : [selection, selection],
  );
}

interface HeldColumns {
  readonly sent_by: string;
  readonly account: string;
  readonly error: string | null;
  readonly usage: string | null;
  readonly intended_ms: number;
  readonly can_ask: number;
}

export async function listHeld(db: Database, selection: TroubleSelection): Promise<readonly HeldRow[]> {
  const rows = await selectKeys<HeldColumns>(
    db,
    'held',
    'a.service AS sent_by, a.account, a.error, a.intended_ms, a.can_ask, t.usage',
    'JOIN attempts AS a ON a.id = k.held',
    selection,
  );
  return rows.map((row) => ({
    reuseKey: row.reuse_key,
    item: row.item ?? '',
    tasks: row.tasks,
    service: row.sent_by,
    account: row.account,
    pipeline: row.pipeline ?? '',
    run: row.run ?? '',
    cause: row.error === null ? '' : unpackError(row.error).message,
    sentAt: formatTime(row.intended_ms),
    units: row.usage === null ? {} : (readStored(row.usage) as Usage).units,
    isAskedAgain: row.can_ask === 1,
  }));
}

/**
 * `resend` lets the next run send the call again; `forget` remembers it as a failure of a class of its own, and takes it for
 * one that was not billed.
 */
export async function settleHeldKeys(
  office: Office,
  selection: TroubleSelection,
  how: 'resend' | 'forget',
): Promise<readonly string[]> {
  const { db } = office;
  const rows = await selectKeys<{ readonly attempt: number; readonly error: string | null }>(
    db,
    'held',
    'a.id AS attempt, a.error',
    'JOIN attempts AS a ON a.id = k.held',
    selection,
  );
  for (const { key, attempt, error } of rows) {
    db.run('UPDATE attempts SET can_ask = 0 WHERE id = ?', [attempt]);
    if (how === 'resend') {
      db.run(
        'UPDATE keys SET held = NULL, failed_ms = NULL, failure = NULL, acknowledged_ms = NULL WHERE id = ?',
        [key],
      );
      continue;
    }
    await forgetUncertain(office, attempt);
    const cause = error === null ? '' : `: ${unpackError(error).message}`;
    const failure = packError({
      class: 'forgotten',
      code: '',
      message: `held, and forgotten by a person${cause}`,
    });
    db.run('UPDATE keys SET held = NULL, failed_ms = ?, failure = ?, acknowledged_ms = NULL WHERE id = ?', [
      office.now(),
      failure,
      key,
    ]);
  }
  return rows.map((row) => row.reuse_key);
}

interface FailedColumns {
  readonly failure: string;
  readonly failed_ms: number;
  readonly acknowledged_ms: number | null;
}

export async function listFailed(db: Database, selection: TroubleSelection): Promise<readonly FailedRow[]> {
  const rows = await selectKeys<FailedColumns>(
    db,
    'failed',
    'k.failure, k.failed_ms, k.acknowledged_ms',
    '',
    selection,
  );
  return rows.map((row) => {
    const service =
      row.services === null ? undefined : readServices({ services: row.services })[row.service ?? 0];
    return {
      reuseKey: row.reuse_key,
      item: row.item ?? '',
      tasks: row.tasks,
      service: service?.name ?? '',
      account: service?.account ?? '',
      pipeline: row.pipeline ?? '',
      run: row.run ?? '',
      error: unpackError(row.failure),
      failedAt: formatTime(row.failed_ms),
      ...(row.acknowledged_ms !== null && { acknowledgedAt: formatTime(row.acknowledged_ms) }),
    };
  });
}

export async function acknowledgeFailures(
  db: WritingDatabase,
  selection: TroubleSelection,
  nowMs: number,
): Promise<readonly string[]> {
  const failed = await selectKeys<FailedColumns>(db, 'failed', 'k.acknowledged_ms', '', selection);
  const rows = failed.filter((row) => row.acknowledged_ms === null);
  for (const { key } of rows) db.run('UPDATE keys SET acknowledged_ms = ? WHERE id = ?', [nowMs, key]);
  return rows.map((row) => row.reuse_key);
}

/** Failed tasks of the run whose key's remembered failure was acknowledged. */
export async function countAcknowledged(db: Database, run: number): Promise<number> {
  const row = await db.get<{ count: number }>(
    `SELECT count(*) AS count FROM tasks AS t JOIN keys AS k ON k.id = t.key
     WHERE t.run = ? AND t.state = 'failed' AND t.state IN ('failed', 'held')
       AND k.failure IS NOT NULL AND k.acknowledged_ms IS NOT NULL`,
    [run],
  );
  return row?.count ?? 0;
}
