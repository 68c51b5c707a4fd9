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
import { readStored } from './stored.ts';

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
export async function readItemPage(
  db: Database,
  run: RunRow,
  after: Uint8Array | undefined,
  limit: number,
): Promise<readonly ItemRow[]> {
  const items = await db.all<WholeItem>(
    `SELECT id, name, position, facts, content FROM items
     WHERE run = ? AND position ${after ? '>' : '>='} ? ORDER BY position LIMIT ?`,
    [run.seq, after ?? new Uint8Array(), limit],
  );
  return await joinTasks(db, run, items);
}

/** Those of these names that the run has. */
export async function readNamedItems(
  db: Database,
  run: RunRow,
  names: readonly string[],
): Promise<readonly ItemRow[]> {
  const items = await db.all<WholeItem>(
    `SELECT id, name, position, facts, content FROM items
     WHERE run = ? AND name IN NAMES(?)`,
    [run.seq, names],
  );
  return await joinTasks(db, run, items);
}

/** Each of these names as the latest run that has it knows it. */
export async function readLatestItems(db: Database, names: readonly string[]): Promise<readonly Item[]> {
  const found = await db.each<StoredItem>(
    `SELECT i.name, i.position, i.facts FROM runs AS r JOIN items AS i ON i.run = r.seq AND SAME(i.name, ?)
     ORDER BY r.seq DESC LIMIT 1`,
    names.map((name) => [name]),
  );
  return found.flatMap(([row]) => (row === undefined ? [] : [unpackItem(row)]));
}

async function joinTasks(
  db: Database,
  run: RunRow,
  items: readonly WholeItem[],
): Promise<readonly ItemRow[]> {
  const ids = items.map((item) => item.id);
  const tasks = await db.all<StoredTask>(
    `SELECT t.id, t.item, t.service, t.state, t.reason, t.sent, t.error, t.started_ms, t.ended_ms, n.finding, a.job,
       CASE WHEN t.state = 'skipped' THEN t.usage END AS usage
     FROM tasks AS t LEFT JOIN answers AS n ON n.id = t.answer LEFT JOIN attempts AS a ON a.id = t.attempt
     WHERE t.item IN LIST(?) ORDER BY t.item, t.service`,
    [ids],
  );
  const entries = await db.all<StoredEntry>(
    `SELECT e.task, e.sku, e.basis, sum(e.units) AS units, CAST(sum(e.charge) AS TEXT) AS charge
     FROM tasks AS t JOIN entries AS e ON e.task = t.id
     WHERE t.item IN LIST(?) AND e.run = ? GROUP BY e.task, e.sku, e.basis`,
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
  const decisions = await findDecisions(db, contents);
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
export async function readTroubledItems(
  db: Database,
  run: RunRow,
  after: Uint8Array | undefined,
  limit: number,
): Promise<readonly Item[]> {
  const rows = await db.all<StoredItem & { readonly id: number }>(
    `SELECT i.id, i.name, i.position, i.facts FROM items AS i WHERE i.run = ? AND i.position ${after ? '>' : '>='} ? AND EXISTS (
       SELECT 1 FROM tasks AS t WHERE t.item = i.id AND t.state IN ('failed', 'held'))
     ORDER BY i.position LIMIT ?`,
    [run.seq, after ?? new Uint8Array(), limit],
  );
  const troubled = await db.all<Pick<StoredTask, 'item' | 'service' | 'state' | 'reason'>>(
    `SELECT item, service, state, reason FROM tasks
     WHERE item IN LIST(?) AND state IN ('failed', 'held', 'skipped') ORDER BY item, service`,
    [rows.map(({ id }) => id)],
  );
  const tasks = groupBy(troubled, ({ item }) => item);
  const services = readServices(run);
  return rows.map((row) => {
    const wanted = (tasks.get(row.id) ?? []).filter(
      ({ state, reason }) => state !== 'skipped' || lacksAnswer(reason),
    );
    return { ...unpackItem(row), onlyServices: wanted.map(({ service }) => services[service]?.name ?? '') };
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
    finding: task.finding === null ? undefined : (readStored(task.finding) as Finding),
    ...sumEntries(entries),
    ...(task.usage !== null &&
      isSparedByWhen(task.reason) && { spared: (readStored(task.usage) as Usage).units }),
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
