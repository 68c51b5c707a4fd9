/** A task as the ledger's table has it, and the one way in which its state changes. */
import type { EndState, Task, TaskState } from '../../domain/task.ts';
import type { Usage } from '../../domain/usage.ts';
import type { ItemRow } from './item-facts.ts';
import { unpackItem } from './item-facts.ts';
import type { Office } from './session.ts';
import { readStored } from './stored.ts';

/** What must be known of a task to move it. */
export interface MovableTask {
  readonly id: number;
  readonly run: number;
  readonly service: number;
  readonly state: TaskState;
  readonly reason: string;
}

export interface Move {
  readonly state: TaskState;
  readonly reason?: string;
  /** JSON; absent for none. */
  readonly error?: string | null;
  readonly answer?: number | null;
  /** Absent where it stays. */
  readonly attempt?: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  /** Added to what is there. */
  readonly tries?: number;
  readonly sent?: number;
  readonly resends?: number;
}

/** What moving a task takes. */
export type MovingOffice = Pick<Office, 'db' | 'tally' | 'ahead'>;

/** Moves a task that goes on. One that comes to its end is moved by `endTask`, since others may wait for it. */
export function moveTask(
  office: MovingOffice,
  task: MovableTask,
  move: Move & { readonly state: Exclude<TaskState, EndState> },
): void {
  changeTask(office, task, move);
}

/** For `moveTask` and `endTask` alone. */
export function changeTask({ db, tally, ahead }: MovingOffice, task: MovableTask, move: Move): void {
  const reason = move.reason ?? '';
  db.run(
    `UPDATE tasks SET state = ?, reason = ?, error = ?, answer = ?, attempt = coalesce(?, attempt),
       started_ms = coalesce(started_ms, ?), ended_ms = ?,
       tries = tries + ?, sent = sent + ?, resends = resends + ? WHERE id = ?`,
    [
      move.state,
      reason,
      move.error ?? null,
      move.answer ?? null,
      move.attempt ?? null,
      move.startedMs ?? null,
      move.endedMs ?? null,
      move.tries ?? 0,
      move.sent ?? 0,
      move.resends ?? 0,
      task.id,
    ],
  );
  ahead.forgetTask(task.id);
  tally.count(task.run, task.service, task.state, task.reason, -1);
  tally.count(task.run, task.service, move.state, reason, 1);
}

/** A task with its item and key, ready to be handed out. */
export interface ReadyRow extends ItemRow {
  readonly id: number;
  readonly service: number;
  readonly key: string;
  readonly usage: string;
  readonly tries: number;
  readonly resends: number;
}

/** For a query over `tasks AS t`, `items AS i` and `keys AS k`. */
export const readyColumns =
  't.id, t.service, k.key, t.usage, t.tries, t.resends, i.name, i.position, i.facts';

export function makeTask(row: ReadyRow, services: readonly string[]): Task {
  return {
    id: row.id,
    item: unpackItem(row),
    service: services[row.service] ?? '',
    reuseKey: row.key,
    usage: readStored(row.usage) as Usage,
    attempts: row.tries,
    resends: row.resends,
  };
}
