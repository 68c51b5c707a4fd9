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
import { bookRest, bookUncertain, bookUsage } from './booking.ts';
import { endTask } from './cascade.ts';
import type { Settlement } from './known.ts';
import { makeUnknownFate, packError, settleFailed, settleHeld } from './known.ts';
import type { OpenRow, WaitingTask } from './read-ahead.ts';
import { openBooksOf, release, unpackReservation } from './reserve.ts';
import type { Session } from './session.ts';
import { after, inTurn, type Soon } from './soon.ts';
import type { MovableTask, Move } from './task-row.ts';
import { moveTask } from './task-row.ts';
import { readStored } from './stored.ts';

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

export function applyTransitions(session: Session, transitions: readonly WrittenTransition[]): Soon<void> {
  const archive = new Archive(session);
  return inTurn(transitions, (transition) =>
    after(session.ahead.readOpen(transition.attempt), (row) => {
      if (!row) return undefined;
      const step = makeStep(session, row, archive);
      const { reservation } = step.booking;
      const opened = openBooksOf(session, step.booking, reservation, listBooked(transition, row));
      return after(opened, () =>
        after(applyTransition(step, transition), () => session.ahead.forgetKey(row.key)),
      );
    }),
  );
}

function makeStep(session: Session, row: OpenRow, archive: Archive): Step {
  const { id, run, pipeline, account, intended_ms: intendedAtMs } = row;
  return {
    session,
    row,
    archive,
    task: { id: row.task, run: row.task_run, service: row.service, state: row.state, reason: row.reason },
    booking: {
      run,
      pipeline,
      account,
      isLoopback: row.is_loopback === 1,
      task: row.task,
      attempt: id,
      intendedAtMs,
      reservation: unpackReservation(row.reserved),
    },
  };
}

/** SKUs that the transition may book. */
function listBooked(transition: WrittenTransition, row: OpenRow): readonly string[] {
  switch (transition.is) {
    case 'answered':
      return Object.keys(transition.usage.units);
    case 'again':
    case 'failed':
      return Object.keys(transition.booked?.units ?? {});
    case 'resend':
    case 'held':
      return Object.keys((readStored(row.usage) as Usage).units);
    case 'accepted':
    case 'unsent':
      return [];
  }
}

function applyTransition(step: Step, transition: WrittenTransition): Soon<void> {
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

function answer(
  step: Step,
  { finding, usage, reply }: Extract<WrittenTransition, { is: 'answered' }>,
): Soon<void> {
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
  return after(book(step, usage), () => {
    closeAttempt(step, { state: 'answered', error: null, reply: archive.store(reply) });
    if (row.is_marked === 1) {
      db.run(
        'UPDATE keys SET failed_ms = NULL, failure = NULL, held = NULL, acknowledged_ms = NULL WHERE id = ?',
        [row.key],
      );
    }
    const ended = endTask(session, task, { state: 'answered', answer: id, endedMs: nowMs });
    return after(ended, () => settleWaiting(step, { state: 'reused', reason: '', answer: id, error: null }));
  });
}

async function fail(
  step: Step,
  { refusal, isRemembered, isAskable, booked, reply }: Extract<WrittenTransition, { is: 'failed' }>,
): Promise<void> {
  const { session, row, archive } = step;
  const error = packError(refusal);
  if (booked) await book(step, booked);
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
  await settleAll(step, settleFailed(error), failedMs >= session.failedSinceMs);
}

async function hold(
  step: Step,
  { cause, isAskable }: Extract<WrittenTransition, { is: 'held' }>,
): Promise<void> {
  const { session, row } = step;
  const error = makeUnknownFate(cause);
  bookUncertain(session, step.booking, readStored(row.usage) as Usage);
  closeAttempt(step, { state: 'held', error, reply: null });
  session.db.run('UPDATE keys SET held = ? WHERE id = ?', [row.id, row.key]);
  if (isAskable === true) session.db.run('UPDATE attempts SET can_ask = 1 WHERE id = ?', [row.id]);
  await settleAll(step, settleHeld(error));
}

async function tryAgain(
  step: Step,
  { refusal, costsAttempt, booked, reply }: Extract<WrittenTransition, { is: 'again' }>,
): Promise<void> {
  const error = packError(refusal);
  if (booked) await book(step, booked);
  closeAttempt(step, { state: 'again', error, reply: step.archive.store(reply) });
  await putBack(step, error, { tries: Number(costsAttempt) });
}

async function resend(step: Step, { cause }: Extract<WrittenTransition, { is: 'resend' }>): Promise<void> {
  const { session, row } = step;
  const error = makeUnknownFate(cause);
  bookUncertain(session, step.booking, readStored(row.usage) as Usage);
  closeAttempt(step, { state: 'resend', error, reply: null });
  await putBack(step, error, { resends: 1 });
}

/** A job that the vendor took was sent, whatever a late report says. */
async function forget(step: Step, { cause }: Extract<WrittenTransition, { is: 'unsent' }>): Promise<void> {
  const { session, row, booking } = step;
  if (row.attempt_state === 'accepted') return;
  release(session, booking, booking.reservation);
  session.db.run('DELETE FROM attempts WHERE id = ?', [row.id]);
  session.db.run('UPDATE keys SET submissions = submissions - 1 WHERE id = ?', [row.key]);
  const error = packError({ class: 'not-sent', code: '', message: cause });
  await putBack(step, error, { sent: -1 });
}

/** The attempt's own task may be sent again; one of a run that has come to its end stays as a failure of that run. */
async function putBack(
  { session, row, task }: Step,
  error: string,
  counts: Pick<Move, 'tries' | 'sent' | 'resends'>,
): Promise<void> {
  if (row.task_run_state !== 'finished') moveTask(session, task, { state: 'planned', error, ...counts });
  else await endTask(session, task, { ...settleFailed(error), endedMs: session.now(), ...counts });
}

function book({ session, row, booking }: Step, usage: Usage): Soon<void> {
  return row.failed_ms === null ? bookUsage(session, booking, usage) : bookRest(session, booking, usage);
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

async function settleAll(step: Step, settlement: Settlement, counts = true): Promise<void> {
  await endTask(step.session, step.task, { ...settlement, endedMs: step.session.now() });
  await settleWaiting(step, settlement, counts);
}

/**
 * A run that disregards the answers of others sends its own; failed and held it takes like everyone. Where the settlement
 * does not count for this run, a failure too old to be remembered, its tasks are sent anew.
 */
function settleWaiting({ session, row }: Step, settlement: Settlement, counts = true): Soon<void> {
  const settle = (task: WaitingTask) => {
    const sendsItsOwn = settlement.state === 'reused' && task.is_fresh === 1 && task.run !== row.run;
    const isDisregarded = !counts && task.run === session.run;
    if (sendsItsOwn || isDisregarded) return moveTask(session, task, { state: 'planned' });
    return endTask(session, task, { ...settlement, endedMs: session.now() });
  };
  return after(session.ahead.readWaiting(row.key), (waiting) => inTurn(waiting, settle));
}
