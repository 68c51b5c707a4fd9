/** What earlier sessions closed without knowing its end is opened again, and what dead runs elsewhere left is found. */
import type { Attempt } from '../../domain/ledger.ts';
import type { Usage } from '../../domain/usage.ts';
import type { AttemptRow } from './attempt-row.ts';
import { attemptColumns, makeAttempt } from './attempt-row.ts';
import { unbookUncertain } from './booking.ts';
import { reviveDependents } from './cascade.ts';
import { hold, openBooksOf, unpackReservation } from './reserve.ts';
import type { ReadingSession, Session } from './session.ts';
import { isLoopback } from './session.ts';
import type { MovableTask } from './task-row.ts';
import { moveTask } from './task-row.ts';
import { readStored } from './stored.ts';

interface AskableRow {
  readonly id: number;
  readonly key: number;
  readonly run: number;
  readonly account: string;
  readonly is_loopback: number;
  readonly state: 'held' | 'failed';
  readonly job: string | null;
  readonly intended_ms: number;
  readonly task: number;
  readonly usage: string;
  readonly reserved: string | null;
}

/**
 * Held calls become intents of unknown fate again, overdue jobs accepted ones; their keys lose the mark, so that tasks
 * wait for the end. Only those that still are what their key remembers, and only of accounts that are what they were.
 */
export async function reopenAskable(
  session: Session,
  services: readonly { readonly service: string; readonly account: string }[],
): Promise<number> {
  const { db, pipeline } = session;
  const asked = services.map(({ service, account }) =>
    spellUse(service, account, Number(isLoopback(pipeline, account))),
  );
  const rows = await db.all<AskableRow>(
    `SELECT a.id, a.key, a.run, a.account, a.is_loopback, a.state, a.job, a.intended_ms, a.task, a.reserved, t.usage
     FROM attempts AS a INDEXED BY attempts_askable JOIN runs AS r ON r.seq = a.run
       JOIN keys AS k ON k.id = a.key JOIN tasks AS t ON t.id = a.task
     WHERE a.can_ask = 1 AND r.pipeline = ?
       AND length(a.service) || ':' || a.service || a.is_loopback || a.account IN LIST(?)
       AND (a.state = 'held' AND k.held = a.id OR a.state = 'failed' AND k.failure = a.error)
       AND NOT EXISTS (SELECT 1 FROM attempts AS o WHERE o.key = a.key AND o.state IN ('intent', 'accepted'))
     ORDER BY a.id`,
    [pipeline.name, asked],
  );
  for (const row of rows) await reopen(session, row);
  return rows.length;
}

/** As the statement above spells a use of a service: no two of them alike. */
function spellUse(service: string, account: string, loopback: number): string {
  return `${Array.from(service).length}:${service}${loopback}${account}`;
}

async function reopen(session: Session, row: AskableRow): Promise<void> {
  const { db } = session;
  const state = row.job === null ? 'intent' : 'accepted';
  db.run('UPDATE attempts SET state = ?, can_ask = 0, closed_ms = NULL WHERE id = ?', [state, row.id]);
  db.run('UPDATE keys SET held = NULL, failed_ms = NULL, failure = NULL WHERE id = ?', [row.key]);
  if (row.state === 'held') {
    const { run, task, account, is_loopback, intended_ms: intendedAtMs } = row;
    const reservation = unpackReservation(row.reserved);
    const isApart = is_loopback === 1;
    const booking = {
      run,
      // Only what this pipeline sent is reopened.
      pipeline: session.pipeline.name,
      task,
      attempt: row.id,
      account,
      isLoopback: isApart,
      intendedAtMs,
      reservation,
    };
    const usage = readStored(row.usage) as Usage;
    await openBooksOf(session, booking, reservation, Object.keys(usage.units));
    unbookUncertain(session, booking, usage);
    hold(session, booking, reservation);
  } else {
    // What it used is booked already and counts as spent: it holds nothing besides.
    db.run('UPDATE attempts SET reserved = NULL WHERE id = ?', [row.id]);
  }
  // Its own task, and those of the run that goes on: the others have been reported as they were.
  const tasks = await db.all<MovableTask>(
    `SELECT id, run, service, state, reason FROM tasks
     WHERE key = ? AND state IN ('failed', 'held') AND (id = ? OR run = ?)`,
    [row.key, row.task, session.run],
  );
  for (const task of tasks) {
    moveTask(session, task, { state: task.id === row.task ? state : 'waiting' });
    if (task.run === session.run) await reviveDependents(session, session.dependents, task);
  }
}

/** Open attempts of other pipelines that tasks of this run wait for. */
export async function readWaitedFor(
  { db, run, pipeline }: ReadingSession,
  limit: number,
): Promise<readonly { readonly owner: string; readonly attempt: Attempt }[]> {
  const rows = await db.all<AttemptRow & { readonly owner: string }>(
    `SELECT DISTINCT ${attemptColumns}, r.pipeline AS owner FROM tasks AS w
       JOIN attempts AS a ON a.key = w.key AND a.state IN ('intent', 'accepted')
       JOIN runs AS r ON r.seq = a.run JOIN keys AS k ON k.id = a.key JOIN tasks AS t ON t.id = a.task
     WHERE w.run = ? AND w.state = 'waiting' AND w.state IN ('planned', 'waiting', 'over-cap') AND r.pipeline <> ?
     ORDER BY a.id LIMIT ?`,
    [run, pipeline.name, limit],
  );
  return rows.map((row) => ({ owner: row.owner, attempt: makeAttempt(row) }));
}
