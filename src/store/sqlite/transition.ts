/**
 * What happens to an open attempt. In `intent` it may have been sent, in `accepted` the vendor knows it as a job; every
 * other transition closes it, and what comes for a closed attempt is late and changes nothing.
 *
 * An end (`answered`, `failed`, `held`) belongs to the reuse key: it settles the attempt's own task, also one of a run
 * that was superseded, and in the same commit all tasks of any run that wait on the key. Otherwise (`again`, `resend`,
 * `unsent`) its own task goes back to planned, and those that wait are released by `releaseWaiting`.
 */
import type { RunState, Transition } from '../../domain/ledger.ts';
import type { Usage } from '../../domain/usage.ts';
import { Archive } from './archive.ts';
import type { Booking } from './booking.ts';
import { bookRest, bookUncertain, bookUsage } from './booking.ts';
import { endTask } from './cascade.ts';
import type { Settlement } from './known.ts';
import { makeUnknownFate, packError, settleFailed, settleHeld } from './known.ts';
import { release, unpackReservation } from './reserve.ts';
import type { Session } from './session.ts';
import type { MovableTask, Move } from './task-row.ts';
import { moveTask } from './task-row.ts';

interface OpenRow {
  readonly id: number;
  readonly key: number;
  readonly run: number;
  readonly account: string;
  readonly is_loopback: number;
  readonly attempt_state: 'intent' | 'accepted';
  readonly intended_ms: number;
  readonly task: number;
  readonly task_run: number;
  readonly service: number;
  readonly state: MovableTask['state'];
  readonly reason: string;
  readonly usage: string;
  readonly reserved: string | null;
  readonly is_marked: number;
  /** When it failed first, for one that was opened again. */
  readonly failed_ms: number | null;
  readonly task_run_state: RunState;
}

/** A transition with its attempt's id in the attempt's place. */
export type WrittenTransition = {
  readonly [Is in Transition['is']]: Omit<Extract<Transition, { is: Is }>, 'attempt'> & {
    readonly attempt: number;
  };
}[Transition['is']];

/** An open attempt on its way to its next state. */
interface Step {
  readonly session: Session;
  readonly row: OpenRow;
  readonly task: MovableTask;
  readonly booking: Booking;
  readonly archive: Archive;
}

export function applyTransitions(session: Session, transitions: readonly WrittenTransition[]): void {
  const archive = new Archive(session);
  for (const transition of transitions) {
    const row = findOpen(session, transition.attempt);
    if (row) applyTransition(makeStep(session, row, archive), transition);
  }
}

function findOpen({ db }: Session, attempt: number): OpenRow | undefined {
  return db.get<OpenRow>(
    `SELECT a.id, a.key, a.run, a.account, a.is_loopback, a.state AS attempt_state, a.intended_ms, a.reserved,
       t.id AS task, t.run AS task_run, t.service, t.state, t.reason, t.usage,
       k.failed_ms IS NOT NULL OR k.held IS NOT NULL OR k.acknowledged_ms IS NOT NULL AS is_marked,
       a.failed_ms, r.state AS task_run_state
     FROM attempts AS a JOIN tasks AS t ON t.id = a.task JOIN keys AS k ON k.id = a.key
       JOIN runs AS r ON r.seq = t.run
     WHERE a.id = ? AND a.state IN ('intent', 'accepted')`,
    [attempt],
  );
}

function makeStep(session: Session, row: OpenRow, archive: Archive): Step {
  const { id, run, account, intended_ms: intendedAtMs } = row;
  return {
    session,
    row,
    archive,
    task: { id: row.task, run: row.task_run, service: row.service, state: row.state, reason: row.reason },
    booking: {
      run,
      account,
      isLoopback: row.is_loopback === 1,
      task: row.task,
      attempt: id,
      intendedAtMs,
      reservation: unpackReservation(row.reserved),
    },
  };
}

function applyTransition(step: Step, transition: WrittenTransition): void {
  switch (transition.is) {
    case 'accepted':
      return accept(step, transition);
    case 'answered':
      return answer(step, transition);
    case 'again':
      return tryAgain(step, transition);
    case 'failed':
      return fail(step, transition);
    case 'unsent':
      return forget(step, transition);
    case 'resend':
      return resend(step, transition);
    case 'held':
      return hold(step, transition);
  }
}

/** The first job that is named stays: a second one for the same attempt would be another submission's. */
function accept(
  { session, row, task, archive }: Step,
  { job, reply }: Extract<WrittenTransition, { is: 'accepted' }>,
): void {
  if (row.attempt_state === 'accepted') return;
  session.db.run(
    `UPDATE attempts SET state = 'accepted', job = ?, accepted_ms = ?, accepted_reply = ? WHERE id = ?`,
    [job, session.now(), archive.store(reply), row.id],
  );
  moveTask(session, task, { state: 'accepted' });
}

function answer(step: Step, { finding, usage, reply }: Extract<WrittenTransition, { is: 'answered' }>): void {
  const { session, row, task, archive } = step;
  const { db } = session;
  const nowMs = session.now();
  const id = db.insert('answers', {
    key: row.key,
    run: row.run,
    attempt: row.id,
    at_ms: nowMs,
    finding: JSON.stringify(finding),
  });
  book(step, usage);
  closeAttempt(step, { state: 'answered', error: null, reply: archive.store(reply) });
  if (row.is_marked === 1) {
    db.run(
      'UPDATE keys SET failed_ms = NULL, failure = NULL, held = NULL, acknowledged_ms = NULL WHERE id = ?',
      [row.key],
    );
  }
  endTask(session, task, { state: 'answered', answer: id, endedMs: nowMs });
  settleWaiting(step, { state: 'reused', reason: '', answer: id, error: null });
}

function fail(
  step: Step,
  { refusal, isRemembered, isAskable, booked, reply }: Extract<WrittenTransition, { is: 'failed' }>,
): void {
  const { session, row, archive } = step;
  const error = packError(refusal);
  if (booked) book(step, booked);
  closeAttempt(step, { state: 'failed', error, reply: archive.store(reply) });
  // A job that is read once more, and still has not ended, failed when it did first.
  const failedMs = isAskable === true && row.failed_ms !== null ? row.failed_ms : session.now();
  if (isAskable === true) {
    session.db.run('UPDATE attempts SET can_ask = 1, failed_ms = ? WHERE id = ?', [failedMs, row.id]);
  }
  if (isRemembered) {
    session.db.run(
      `UPDATE keys SET failed_ms = ?, failure = ?,
         acknowledged_ms = CASE WHEN ? THEN acknowledged_ms END WHERE id = ?`,
      [failedMs, error, Number(isAskable === true && row.failed_ms !== null), row.key],
    );
  }
  settleAll(step, settleFailed(error), failedMs >= session.failedSinceMs);
}

function hold(step: Step, { cause, isAskable }: Extract<WrittenTransition, { is: 'held' }>): void {
  const { session, row } = step;
  const error = makeUnknownFate(cause);
  bookUncertain(session, step.booking, JSON.parse(row.usage) as Usage);
  closeAttempt(step, { state: 'held', error, reply: null });
  session.db.run('UPDATE keys SET held = ? WHERE id = ?', [row.id, row.key]);
  if (isAskable === true) session.db.run('UPDATE attempts SET can_ask = 1 WHERE id = ?', [row.id]);
  settleAll(step, settleHeld(error));
}

function tryAgain(
  step: Step,
  { refusal, costsAttempt, booked, reply }: Extract<WrittenTransition, { is: 'again' }>,
): void {
  const error = packError(refusal);
  if (booked) book(step, booked);
  closeAttempt(step, { state: 'again', error, reply: step.archive.store(reply) });
  putBack(step, error, { tries: Number(costsAttempt) });
}

function resend(step: Step, { cause }: Extract<WrittenTransition, { is: 'resend' }>): void {
  const { session, row } = step;
  const error = makeUnknownFate(cause);
  bookUncertain(session, step.booking, JSON.parse(row.usage) as Usage);
  closeAttempt(step, { state: 'resend', error, reply: null });
  putBack(step, error, { resends: 1 });
}

/** A job that the vendor took was sent, whatever a late report says. */
function forget(step: Step, { cause }: Extract<WrittenTransition, { is: 'unsent' }>): void {
  const { session, row, booking } = step;
  if (row.attempt_state === 'accepted') return;
  release(session, booking, booking.reservation);
  session.db.run('DELETE FROM attempts WHERE id = ?', [row.id]);
  session.db.run('UPDATE keys SET submissions = submissions - 1 WHERE id = ?', [row.key]);
  const error = packError({ class: 'not-sent', code: '', message: cause });
  putBack(step, error, { sent: -1 });
}

/** The attempt's own task may be sent again; one of a run that has come to its end stays as a failure of that run. */
function putBack(
  { session, row, task }: Step,
  error: string,
  counts: Pick<Move, 'tries' | 'sent' | 'resends'>,
): void {
  if (row.task_run_state !== 'finished') moveTask(session, task, { state: 'planned', error, ...counts });
  else endTask(session, task, { ...settleFailed(error), endedMs: session.now(), ...counts });
}

function book({ session, row, booking }: Step, usage: Usage): void {
  if (row.failed_ms === null) bookUsage(session, booking, usage);
  else bookRest(session, booking, usage);
}

/** What the attempt held of the caps is given back in the commit that books what it used. */
function closeAttempt(
  { session, row, booking }: Step,
  end: {
    readonly state: 'answered' | 'failed' | 'held' | 'again' | 'resend';
    readonly error: string | null;
    readonly reply: number | null;
  },
): void {
  release(session, booking, booking.reservation);
  session.db.run('UPDATE attempts SET state = ?, error = ?, closed_ms = ?, reply = ? WHERE id = ?', [
    end.state,
    end.error,
    session.now(),
    end.reply,
    row.id,
  ]);
}

function settleAll(step: Step, settlement: Settlement, counts = true): void {
  endTask(step.session, step.task, { ...settlement, endedMs: step.session.now() });
  settleWaiting(step, settlement, counts);
}

/**
 * A run that disregards the answers of others sends its own; failed and held it takes like everyone. Where the settlement
 * does not count for this run, a failure too old to be remembered, its tasks are sent anew.
 */
function settleWaiting({ session, row }: Step, settlement: Settlement, counts = true): void {
  const waiting = session.db.all<MovableTask & { readonly is_fresh: number }>(
    `SELECT t.id, t.run, t.service, t.state, t.reason, r.is_fresh FROM tasks AS t JOIN runs AS r ON r.seq = t.run
     WHERE t.key = ? AND t.state = 'waiting'`,
    [row.key],
  );
  for (const task of waiting) {
    const sendsItsOwn = settlement.state === 'reused' && task.is_fresh === 1 && task.run !== row.run;
    const isDisregarded = !counts && task.run === session.run;
    if (sendsItsOwn || isDisregarded) moveTask(session, task, { state: 'planned' });
    else endTask(session, task, { ...settlement, endedMs: session.now() });
  }
}
