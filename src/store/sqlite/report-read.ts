/** Reads a run's items with their tasks for reports: three queries a page, however many items it has. */
import { isSparedByWhen, lacksAnswer } from '../../domain/cascade.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Item } from '../../domain/item.ts';
import type { ItemRow, TaskRow } from '../../domain/ledger.ts';
import type { TaskState } from '../../domain/task.ts';
import { statusOf } from '../../domain/task.ts';
import type { Basis, Usage } from '../../domain/usage.ts';
import { contentIdOf } from '../../domain/reuse.ts';
import type { Database } from './database.ts';
import { findDecisions } from './decisions.ts';
import { groupBy } from '../../domain/group.ts';
import type { ItemRow as StoredItem } from './item-facts.ts';
import { unpackItem } from './item-facts.ts';
import { unpackError } from './known.ts';
import type { RunRow, RunService } from './run-row.ts';
import { formatTime, readServices } from './run-row.ts';

interface WholeItem extends StoredItem {
  readonly id: number;
  readonly content: string | null;
}

interface StoredTask {
  readonly id: number;
  readonly item: number;
  readonly service: number;
  readonly state: TaskState;
  readonly reason: string;
  readonly sent: number;
  readonly error: string | null;
  readonly started_ms: number | null;
  readonly ended_ms: number | null;
  readonly finding: string | null;
  readonly job: string | null;
  /** JSON: of skipped tasks, what was expected of them. */
  readonly usage: string | null;
}

interface StoredEntry {
  readonly task: number;
  readonly sku: string;
  readonly basis: Basis;
  readonly units: number;
  /** As text: it may pass what a number holds exactly. */
  readonly charge: string;
}

/** Items in source order with a position above `after`. */
export function readItemPage(
  db: Database,
  run: RunRow,
  after: Uint8Array | undefined,
  limit: number,
): readonly ItemRow[] {
  const items = db.all<WholeItem>(
    `SELECT id, name, position, facts, content FROM items
     WHERE run = ? AND position ${after ? '>' : '>='} ? ORDER BY position LIMIT ?`,
    [run.seq, after ?? new Uint8Array(), limit],
  );
  return joinTasks(db, run, items);
}

/** Those of these names that the run has. */
export function readNamedItems(db: Database, run: RunRow, names: readonly string[]): readonly ItemRow[] {
  const items = db.all<WholeItem>(
    `SELECT id, name, position, facts, content FROM items
     WHERE run = ? AND name IN (SELECT value FROM json_each(?))`,
    [run.seq, JSON.stringify(names)],
  );
  return joinTasks(db, run, items);
}

/** Each of these names as the latest run that has it knows it. */
export function readLatestItems(db: Database, names: readonly string[]): readonly Item[] {
  return names.flatMap((name) => {
    const row = db.get<StoredItem>(
      `SELECT i.name, i.position, i.facts FROM runs AS r JOIN items AS i ON i.run = r.seq AND i.name = ?
       ORDER BY r.seq DESC LIMIT 1`,
      [name],
    );
    return row === undefined ? [] : [unpackItem(row)];
  });
}

function joinTasks(db: Database, run: RunRow, items: readonly WholeItem[]): readonly ItemRow[] {
  const ids = JSON.stringify(items.map((item) => item.id));
  const tasks = db.all<StoredTask>(
    `SELECT t.id, t.item, t.service, t.state, t.reason, t.sent, t.error, t.started_ms, t.ended_ms, n.finding, a.job,
       CASE WHEN t.state = 'skipped' THEN t.usage END AS usage
     FROM tasks AS t LEFT JOIN answers AS n ON n.id = t.answer LEFT JOIN attempts AS a ON a.id = t.attempt
     WHERE t.item IN (SELECT value FROM json_each(?)) ORDER BY t.item, t.service`,
    [ids],
  );
  const entries = db.all<StoredEntry>(
    `SELECT e.task, e.sku, e.basis, sum(e.units) AS units, CAST(sum(e.charge) AS TEXT) AS charge
     FROM tasks AS t JOIN entries AS e ON e.task = t.id
     WHERE t.item IN (SELECT value FROM json_each(?)) AND e.run = ? GROUP BY e.task, e.sku, e.basis`,
    [ids, run.seq],
  );
  const tasksByItem = groupBy(tasks, (task) => task.item);
  const entriesByTask = groupBy(entries, (entry) => entry.task);
  const services = readServices(run);
  const unpacked = items.map(unpackItem);
  // What an older ledger did not keep is made of what it kept of the item.
  const contents = items.map(
    ({ content }, index) => content ?? contentIdOf(unpacked[index] as Item, 'content'),
  );
  const decisions = findDecisions(db, contents);
  return items.map((item, index) => ({
    item: unpacked[index] as Item,
    content: contents[index] ?? '',
    decision: decisions.get(contents[index] ?? ''),
    tasks: (tasksByItem.get(item.id) ?? []).map((task) =>
      makeTaskRow(task, services[task.service], entriesByTask.get(task.id) ?? []),
    ),
  }));
}

/**
 * Items with failed or held tasks in source order, each for the services of these tasks, and for those that were skipped for
 * want of their answers.
 */
export function readTroubledItems(
  db: Database,
  run: RunRow,
  after: Uint8Array | undefined,
  limit: number,
): readonly Item[] {
  const rows = db.all<StoredItem & { readonly tasks: string }>(
    `SELECT i.name, i.position, i.facts, (
       SELECT json_group_array(json_array(t.service, t.state, t.reason)) FROM tasks AS t
       WHERE t.item = i.id AND t.state IN ('failed', 'held', 'skipped')) AS tasks
     FROM items AS i WHERE i.run = ? AND i.position ${after ? '>' : '>='} ? AND EXISTS (
       SELECT 1 FROM tasks AS t WHERE t.item = i.id AND t.state IN ('failed', 'held'))
     ORDER BY i.position LIMIT ?`,
    [run.seq, after ?? new Uint8Array(), limit],
  );
  const services = readServices(run);
  return rows.map((row) => {
    const tasks = JSON.parse(row.tasks) as readonly (readonly [number, TaskState, string])[];
    const wanted = tasks.filter(([, state, reason]) => state !== 'skipped' || lacksAnswer(reason));
    return { ...unpackItem(row), onlyServices: wanted.map(([place]) => services[place]?.name ?? '') };
  });
}

function makeTaskRow(
  task: StoredTask,
  service: RunService | undefined,
  entries: readonly StoredEntry[],
): TaskRow {
  return {
    service: service?.name ?? '',
    account: service?.account ?? '',
    state: task.state,
    status: statusOf(task.state),
    reason: task.reason,
    finding: task.finding === null ? undefined : (JSON.parse(task.finding) as Finding),
    ...sumEntries(entries),
    ...(task.usage !== null &&
      isSparedByWhen(task.reason) && { spared: (JSON.parse(task.usage) as Usage).units }),
    attempts: task.sent,
    job: task.job ?? undefined,
    error: task.error === null ? undefined : unpackError(task.error),
    startedAt: task.started_ms === null ? undefined : formatTime(task.started_ms),
    endedAt: task.ended_ms === null ? undefined : formatTime(task.ended_ms),
  };
}

/** The basis is that of the units given; only where there are none is it `uncertain`. */
function sumEntries(entries: readonly StoredEntry[]): Pick<TaskRow, 'units' | 'basis' | 'charge'> {
  const units: Record<string, number> = {};
  let charge = 0n;
  let basis: Basis | undefined;
  for (const entry of entries) {
    charge += BigInt(entry.charge);
    if (entry.basis === 'uncertain') {
      basis ??= 'uncertain';
      continue;
    }
    units[entry.sku] = (units[entry.sku] ?? 0) + entry.units;
    basis = basis === 'estimated' ? basis : entry.basis;
  }
  return { units, basis, charge };
}
