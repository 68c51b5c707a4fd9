/** Makes the attempts of one call: what it answers as `intended` may be sent once this is durable, and nothing else may. */
import type { IntentRequest } from '../../domain/ledger.ts';
import { attemptRef } from '../../domain/reuse.ts';
import type { TaskState } from '../../domain/task.ts';
import type { Units } from '../../domain/usage.ts';
import { endTask } from './cascade.ts';
import { after, inTurn, type Soon } from './soon.ts';
import { settleKey } from './known.ts';
import type { KnownTask } from './read-ahead.ts';
import type { Reservation, Spender } from './reserve.ts';
import { packReservation, reserve } from './reserve.ts';
import type { Session } from './session.ts';
import { isLoopback } from './session.ts';
import { moveTask } from './task-row.ts';

/** A request for intents as far as the ledger's tables need it. */
export interface IntendedCall extends Omit<IntentRequest, 'tasks'> {
  readonly tasks: readonly { readonly id: number; readonly units: Units; readonly linkHash: string }[];
}

/** As `Intent`, with what of the attempt was decided here. */
export type Intended =
  | {
      readonly is: 'intended';
      readonly id: number;
      readonly number: number;
      readonly ref: string;
      readonly call: number;
      readonly position: number;
    }
  | { readonly is: 'settled'; readonly state: TaskState }
  | { readonly is: 'waiting' }
  | { readonly is: 'crowded' };

/** One answer per task of the request, in its order; those that do not fit under a cap drop out. */
export function intendCall(session: Session, request: IntendedCall): Soon<readonly Intended[]> {
  const intended: Intended[] = [];
  const call: CallSoFar = { first: undefined, count: 0 };
  const intend = (task: IntendedTask) =>
    after(intendTask(session, request, task, call), (intent) => {
      if (intent.is === 'intended') {
        call.first ??= intent.call;
        call.count += 1;
      }
      intended.push(intent);
    });
  return after(inTurn(request.tasks, intend), () => intended);
}

type IntendedTask = IntendedCall['tasks'][number];

/** What of a call is intended already. */
interface CallSoFar {
  first: number | undefined;
  count: number;
}

function intendTask(
  session: Session,
  request: IntendedCall,
  task: IntendedTask,
  call: Readonly<CallSoFar>,
): Soon<Intended> {
  return after(session.ahead.readTask(session, task.id), (known) =>
    after(
      refuseIntent(session, known, request.atMs),
      (refused) => refused ?? reserveTask(session, request, known, task, call),
    ),
  );
}

function reserveTask(
  session: Session,
  request: IntendedCall,
  known: KnownTask,
  task: IntendedTask,
  call: Readonly<CallSoFar>,
): Soon<Intended> {
  return after(reserve(session, makeSpender(session, request, known.run), task.units), (reserved) => {
    if (reserved.fits) {
      const { reservation } = reserved;
      return addAttempt(session, request, known, { task, reservation, ...call });
    }
    if (reserved.isCrowded && mayWait(request, call)) return { is: 'crowded' };
    const ended = endTask(session, known, {
      state: 'over-cap',
      reason: reserved.cap,
      endedMs: request.atMs,
    });
    return after(ended, () => ({ is: 'settled', state: 'over-cap' }));
  });
}

function mayWait({ mayWait: may }: IntendedCall, call: { readonly count: number }): boolean {
  return may === true || (may === false && call.count > 0);
}

function makeSpender({ pipeline }: Session, { account, atMs }: IntendedCall, run: number): Spender {
  return {
    run,
    pipeline: pipeline.name,
    account,
    isLoopback: isLoopback(pipeline, account),
    intendedAtMs: atMs,
  };
}

/** Another task or process may have been first, and a task that is handed in twice is sent once. */
function refuseIntent(session: Session, known: KnownTask, atMs: number): Soon<Intended | undefined> {
  const { state, answer, held, failure, open } = known;
  const isFree = answer === null && held === null && failure === null && open === null;
  return isFree && (state === 'planned' || state === 'waiting')
    ? undefined
    : settleIntent(session, known, atMs);
}

async function settleIntent(session: Session, known: KnownTask, atMs: number): Promise<Intended | undefined> {
  if (known.state === 'intent' || known.state === 'accepted') return { is: 'waiting' };
  if (known.state !== 'planned' && known.state !== 'waiting') return { is: 'settled', state: known.state };
  const end = await settleKey(session.db, known);
  if (end) {
    await endTask(session, known, { ...end, endedMs: atMs });
    return { is: 'settled', state: end.state };
  }
  if (known.open !== null) {
    if (known.state === 'planned') {
      session.ahead.forgetKey(known.key);
      moveTask(session, known, { state: 'waiting' });
    }
    return { is: 'waiting' };
  }
  return undefined;
}

function addAttempt(
  session: Session,
  request: IntendedCall,
  known: KnownTask,
  element: {
    readonly task: IntendedTask;
    readonly reservation: Reservation;
    readonly first: number | undefined;
    readonly count: number;
  },
): Extract<Intended, { is: 'intended' }> {
  const { service, account, isBatch, atMs } = request;
  const { task, reservation, first, count: position } = element;
  const number = known.submissions + 1;
  const ref = attemptRef(account, known.reuse_key, number);
  const id = session.db.insert('attempts', {
    key: known.key,
    number,
    ref,
    call: first ?? null,
    position,
    run: known.run,
    task: task.id,
    service,
    account,
    is_loopback: Number(isLoopback(session.pipeline, account)),
    link_hash: task.linkHash,
    is_batch: Number(isBatch),
    state: 'intent',
    intended_ms: atMs,
    reserved: packReservation(reservation),
  });
  session.ahead.forgetKey(known.key);
  session.db.run('UPDATE keys SET submissions = ? WHERE id = ?', [number, known.key]);
  moveTask(session, known, { state: 'intent', attempt: id, sent: 1, startedMs: atMs });
  return { is: 'intended', id, number, ref, call: first ?? id, position };
}
