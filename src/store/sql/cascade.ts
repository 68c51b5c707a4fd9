/**
 * Tasks whose service has a `when` wait in `pending` for the task of another service on the same item. Whatever ends that
 * task decides about them in the same commit: they go ahead, or end skipped.
 */
import { type CascadeStep, decideWhen, lacksAnswer } from '../../domain/cascade.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Condition } from '../../domain/policy.ts';
import type { EndState, Task, TaskState } from '../../domain/task.ts';
import type { Database } from './database.ts';
import { after, type Soon } from './soon.ts';
import { bindKnown, type Known, knownColumns, settleKey } from './known.ts';
import { readServices } from './run-row.ts';
import type { Session } from './session.ts';
import {
  changeTask,
  makeTask,
  type MovableTask,
  type Move,
  type MovingOffice,
  moveTask,
  type ReadyRow,
  readyColumns,
} from './task-row.ts';
import { readStored } from './stored.ts';

/** A service of a run that waits for another one; both are places in the run's services. */
export interface Dependent {
  readonly service: number;
  readonly awaited: number;
  readonly when: Condition;
}

export function listDependents(
  services: readonly { readonly name: string; readonly when?: Condition | undefined }[],
): readonly Dependent[] {
  return services.flatMap(({ when }, service) => {
    const awaited = services.findIndex(({ name }) => name === when?.service);
    return when && awaited >= 0 ? [{ service, awaited, when }] : [];
  });
}

/** Moves a task to its end, and with it those on the same item that waited for it. */
export function endTask(
  session: Session,
  task: MovableTask,
  move: Move & { readonly state: EndState },
): Soon<void> {
  changeTask(session, task, move);
  const isFree = task.run === session.run && session.dependents.length === 0;
  return isFree ? undefined : settleDependents(session, task, move);
}

async function settleDependents(
  session: Session,
  task: MovableTask,
  move: Move & { readonly state: EndState },
): Promise<void> {
  for (const { service, awaited, when } of await findDependents(session, task.run)) {
    if (awaited !== task.service) continue;
    const pending = await session.db.get<MovableTask>(
      `SELECT d.id, d.run, d.service, d.state, d.reason FROM tasks AS t JOIN tasks AS d ON d.item = t.item
       WHERE t.id = ? AND d.service = ? AND d.state = 'pending'`,
      [task.id, service],
    );
    if (pending) await settlePending(session, pending, await judgeWhen(session.db, when, move));
  }
}

/** What an awaited task that has come to this state means for `when`; undefined where there is none. */
export async function judgeWhen(
  db: Database,
  when: Condition,
  other: { readonly state: TaskState; readonly answer?: number | null | undefined } | undefined,
): Promise<CascadeStep> {
  if (other?.answer === null || other?.answer === undefined) return decideWhen(when, other);
  const row = await db.get<{ finding: string }>('SELECT finding FROM answers WHERE id = ?', [other.answer]);
  const finding = row && (readStored(row.finding) as Finding);
  return decideWhen(when, { state: other.state, finding });
}

async function settlePending(session: Session, task: MovableTask, step: CascadeStep): Promise<void> {
  const endedMs = session.now();
  if (step.next === 'skip') await endTask(session, task, { state: 'skipped', reason: step.reason, endedMs });
  if (step.next !== 'go') return;
  // What another run knows of the key is for that run to say, when its task is sent.
  if (task.run !== session.run) return moveTask(session, task, { state: 'planned' });
  const known = await session.db.get<Known>(
    `SELECT ${knownColumns} FROM tasks AS t JOIN keys AS k ON k.id = t.key WHERE t.id = ?`,
    [...bindKnown(session), task.id],
  );
  if (!known) throw new Error(`task ${task.id} is not in the ledger`);
  session.ahead.forgetKey(known.key);
  const end = await settleKey(session.db, known);
  if (end) return await endTask(session, task, { ...end, endedMs });
  moveTask(session, task, { state: known.open === null ? 'planned' : 'waiting' });
  if (known.open === null) session.released.push(task.id);
}

async function findDependents(session: Session, run: number): Promise<readonly Dependent[]> {
  if (run === session.run) return session.dependents;
  const row = await session.db.get<{ services: string }>('SELECT services FROM runs WHERE seq = ?', [run]);
  return row ? listDependents(readServices(row)) : [];
}

/** Tasks of this run that conditions let go since the last time, as they may be sent. */
export function takeReleased(session: Session): Soon<readonly Task[]> {
  const ids = session.released.splice(0);
  if (ids.length === 0) return [];
  const found = session.db.all<ReadyRow>(
    `SELECT ${readyColumns} FROM tasks AS t JOIN items AS i ON i.id = t.item JOIN keys AS k ON k.id = t.key
     WHERE t.id IN LIST(?) AND t.state = 'planned' ORDER BY t.id`,
    [ids],
  );
  return after(found, (rows) => rows.map((row) => makeTask(row, session.services)));
}

/** A task that comes back from its end takes those with it that were skipped for want of its answer. */
export async function reviveDependents(
  office: MovingOffice,
  dependents: readonly Dependent[],
  task: Pick<MovableTask, 'id' | 'service'>,
): Promise<void> {
  for (const { service, awaited } of dependents) {
    if (awaited !== task.service) continue;
    const skipped = await office.db.get<MovableTask>(
      `SELECT d.id, d.run, d.service, d.state, d.reason FROM tasks AS t JOIN tasks AS d ON d.item = t.item
       WHERE t.id = ? AND d.service = ? AND d.state = 'skipped'`,
      [task.id, service],
    );
    if (!skipped || !lacksAnswer(skipped.reason)) continue;
    moveTask(office, skipped, { state: 'pending' });
    await reviveDependents(office, dependents, skipped);
  }
}

const pageRows = 500;

/**
 * Pending tasks of this run whose awaited task has come to an end all the same are decided about: nothing may wait for
 * what has happened already.
 */
export async function settleMissed(session: Session): Promise<void> {
  for (const { service, awaited, when } of session.dependents) {
    for (let after = 0; ; ) {
      const missed = await session.db.all<
        MovableTask & { readonly other: TaskState; readonly answer: number | null }
      >(
        `SELECT d.id, d.run, d.service, d.state, d.reason, t.state AS other, t.answer
         FROM tasks AS d JOIN tasks AS t ON t.item = d.item AND t.service = ?
         WHERE d.run = ? AND d.service = ? AND d.state = 'pending' AND d.id > ?
           AND t.state IN ('answered', 'reused', 'skipped', 'over-cap', 'held', 'failed')
         ORDER BY d.id LIMIT ?`,
        [awaited, session.run, service, after, pageRows],
      );
      for (const task of missed) {
        const other = { state: task.other, answer: task.answer };
        await settlePending(session, task, await judgeWhen(session.db, when, other));
      }
      if (missed.length < pageRows) break;
      after = missed.at(-1)?.id ?? 0;
    }
  }
}

/** Tasks that a cap kept back are planned again: what was skipped for want of their answers waits for them anew. */
export async function reviveOverCap(
  office: MovingOffice,
  run: number,
  dependents: readonly Dependent[],
): Promise<void> {
  for (const service of new Set(dependents.map(({ awaited }) => awaited))) {
    for (let after = 0; ; ) {
      const overCap = await office.db.all<Pick<MovableTask, 'id' | 'service'>>(
        `SELECT id, service FROM tasks WHERE run = ? AND state = 'over-cap'
           AND state IN ('planned', 'waiting', 'over-cap') AND service = ? AND id > ? ORDER BY id LIMIT ?`,
        [run, service, after, pageRows],
      );
      for (const task of overCap) await reviveDependents(office, dependents, task);
      if (overCap.length < pageRows) break;
      after = overCap.at(-1)?.id ?? 0;
    }
  }
}
