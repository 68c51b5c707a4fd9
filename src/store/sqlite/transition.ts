/**
 * What happens to an open attempt. In `intent` it may have been sent, in `accepted` the vendor knows it as a job; every
 * other transition closes it, and what comes for a closed attempt is late and changes nothing.
 *
 * An end (`answered`, `failed`, `held`) belongs to the reuse key: it settles the attempt's own task, also one of a run
 * that was superseded, and in the same commit all tasks of any run that wait on the key. Otherwise (`again`, `resend`,
 * `unsent`) its own task goes back to planned, and those that wait are released by `releaseWaiting`.
 */
import type { Transition } from '../../domain/ledger.ts';
import type { Usage } from '../../domain/usage.ts';
import { Archive } from './archive.ts';
import type { Booking } from './booking.ts';
import { bookUncertain, bookUsage } from './booking.ts';
import type { Settlement } from './known.ts';
import { makeUnknownFate, packError, settleFailed, settleHeld } from './known.ts';
import { release, unpackReservation } from './reserve.ts';
import type { Session } from './session.ts';
import type { MovableTask } from './task-row.ts';
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
}

/** An open attempt on its way to its next state. */
interface Step {
  readonly session: Session;
  readonly row: OpenRow;
  readonly task: MovableTask;
  readonly booking: Booking;
  readonly archive: Archive;
}

export function applyTransitions(session: Session, transitions: readonly Transition[]): void {
  const archive = new Archive(session);
  for (const transition of transitions) {
    const row = findOpen(session, transition.attempt.id);
    if (row) applyTransition(makeStep(session, row, archive), transition);
  }
}

function findOpen({ db }: Session, attempt: number): OpenRow | undefined {
  return db.get<OpenRow>(
    `SELECT a.id, a.key, a.run, a.account, a.is_loopback, a.state AS attempt_state, a.intended_ms, a.reserved,
       t.id AS task, t.run AS task_run, t.service, t.state, t.reason, t.usage,
       k.failed_ms IS NOT NULL OR k.held IS NOT NULL AS is_marked
     FROM attempts AS a JOIN tasks AS t ON t.id = a.task JOIN keys AS k ON k.id = a.key
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

function applyTransition(step: Step, transition: Transition): void {
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
  { job, reply }: Extract<Transition, { is: 'accepted' }>,
): void {
  if (row.attempt_state === 'accepted') return;
  session.db.run(
    `UPDATE attempts SET state = 'accepted', job = ?, accepted_ms = ?, accepted_reply = ? WHERE id = ?`,
    [job, session.now(), archive.store(reply), row.id],
  );
  moveTask(session, task, { state: 'accepted' });
}

function answer(step: Step, { finding, usage, reply }: Extract<Transition, { is: 'answered' }>): void {
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
  bookUsage(session, step.booking, usage);
  closeAttempt(step, { state: 'answered', error: null, reply: archive.store(reply) });
  if (row.is_marked === 1) {
    db.run('UPDATE keys SET failed_ms = NULL, failure = NULL, held = NULL WHERE id = ?', [row.key]);
  }
  moveTask(session, task, { state: 'answered', answer: id, endedMs: nowMs });
  settleWaiting(step, { state: 'reused', reason: '', answer: id, error: null });
}

function fail(
  step: Step,
  { refusal, isRemembered, booked, reply }: Extract<Transition, { is: 'failed' }>,
): void {
  const { session, row, archive } = step;
  const error = packError(refusal);
  if (booked) bookUsage(session, step.booking, booked);
  closeAttempt(step, { state: 'failed', error, reply: archive.store(reply) });
  if (isRemembered) {
    session.db.run('UPDATE keys SET failed_ms = ?, failure = ? WHERE id = ?', [
      session.now(),
      error,
      row.key,
    ]);
  }
  settleAll(step, settleFailed(error));
}

function hold(step: Step, { cause }: Extract<Transition, { is: 'held' }>): void {
  const { session, row } = step;
  const error = makeUnknownFate(cause);
  bookUncertain(session, step.booking, JSON.parse(row.usage) as Usage);
  closeAttempt(step, { state: 'held', error, reply: null });
  session.db.run('UPDATE keys SET held = ? WHERE id = ?', [row.id, row.key]);
  settleAll(step, settleHeld(error));
}

function tryAgain(
  step: Step,
  { refusal, costsAttempt, booked, reply }: Extract<Transition, { is: 'again' }>,
): void {
  const { session, task, archive } = step;
  const error = packError(refusal);
  if (booked) bookUsage(session, step.booking, booked);
  closeAttempt(step, { state: 'again', error, reply: archive.store(reply) });
  moveTask(session, task, { state: 'planned', error, tries: Number(costsAttempt) });
}

function resend(step: Step, { cause }: Extract<Transition, { is: 'resend' }>): void {
  const { session, row, task } = step;
  const error = makeUnknownFate(cause);
  bookUncertain(session, step.booking, JSON.parse(row.usage) as Usage);
  closeAttempt(step, { state: 'resend', error, reply: null });
  moveTask(session, task, { state: 'planned', error, resends: 1 });
}

/** A job that the vendor took was sent, whatever a late report says. */
function forget(
  { session, row, task, booking }: Step,
  { cause }: Extract<Transition, { is: 'unsent' }>,
): void {
  if (row.attempt_state === 'accepted') return;
  release(session, booking, booking.reservation);
  session.db.run('DELETE FROM attempts WHERE id = ?', [row.id]);
  session.db.run('UPDATE keys SET submissions = submissions - 1 WHERE id = ?', [row.key]);
  const error = packError({ class: 'not-sent', code: '', message: cause });
  moveTask(session, task, { state: 'planned', error, sent: -1 });
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

function settleAll(step: Step, settlement: Settlement): void {
  moveTask(step.session, step.task, { ...settlement, endedMs: step.session.now() });
  settleWaiting(step, settlement);
}

/** A run that disregards the answers of others sends its own; failed and held it takes like everyone. */
function settleWaiting({ session, row }: Step, settlement: Settlement): void {
  const waiting = session.db.all<MovableTask & { readonly is_fresh: number }>(
    `SELECT t.id, t.run, t.service, t.state, t.reason, r.is_fresh FROM tasks AS t JOIN runs AS r ON r.seq = t.run
     WHERE t.key = ? AND t.state = 'waiting'`,
    [row.key],
  );
  for (const task of waiting) {
    const sendsItsOwn = settlement.state === 'reused' && task.is_fresh === 1 && task.run !== row.run;
    if (sendsItsOwn) moveTask(session, task, { state: 'planned' });
    else moveTask(session, task, { ...settlement, endedMs: session.now() });
  }
}
