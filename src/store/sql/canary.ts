/** The canary of a run: the items with the lowest lots of those that have tasks to send, kept up to date by planning. */
import type { CanaryFigures, CanaryRecord, CanaryUsage } from '../../domain/canary.ts';
import { drawLot } from '../../domain/lot.ts';
import type { Task, TaskState } from '../../domain/task.ts';
import type { WritingDatabase } from './database.ts';
import type { ReadingSession, Session } from './session.ts';
import type { Soon } from './soon.ts';
import { loadPosition } from './tally.ts';
import { makeTask, type ReadyRow, readyColumns } from './task-row.ts';

/** A lot as an integer that SQLite holds. */
const lots = 2 ** 48;

/**
 * Draws among the items of a page. Whoever has a lower lot than the highest that was drawn takes its place, so that those
 * who are there in the end are the same in whatever order the items come.
 */
export function drawCanary(
  { db, run, canary }: Pick<Session, 'db' | 'run' | 'canary'>,
  items: readonly DrawnItem[],
): Soon<void> {
  return canary && items.length > 0 ? draw(db, run, canary.items, items) : undefined;
}

interface DrawnItem {
  readonly id: number;
  readonly name: string;
}

async function draw(
  db: WritingDatabase,
  run: number,
  count: number,
  items: readonly DrawnItem[],
): Promise<void> {
  const drawn = await db.all<{ lot: number; item: number }>(
    'SELECT lot, item FROM canary WHERE run = ? ORDER BY lot, item',
    [run],
  );
  for (const { id: item, name } of items) {
    const lot = Math.floor(drawLot(name, 'canary') * lots);
    const highest = drawn.at(-1);
    if (drawn.length >= count && highest && lot >= highest.lot) continue;
    db.run('INSERT INTO canary VALUES (?, ?, ?)', [run, lot, item]);
    const place = drawn.findIndex((one) => one.lot > lot);
    drawn.splice(place < 0 ? drawn.length : place, 0, { lot, item });
    const out = drawn.length > count ? drawn.pop() : undefined;
    if (out) db.run('DELETE FROM canary WHERE run = ? AND lot = ? AND item = ?', [run, out.lot, out.item]);
  }
}

export function noteCanary({ db, run }: Pick<Session, 'db' | 'run'>, record: CanaryRecord): void {
  db.run('UPDATE runs SET canary = ? WHERE seq = ?', [JSON.stringify(record), run]);
}

export async function readCanaryNames({
  db,
  run,
}: Pick<ReadingSession, 'db' | 'run'>): Promise<ReadonlySet<string>> {
  const rows = await db.all<{ name: string }>(
    'SELECT i.name FROM canary AS c JOIN items AS i ON i.id = c.item WHERE c.run = ?',
    [run],
  );
  return new Set(rows.map(({ name }) => name));
}

/** As `readReady` of the run, by way of the canary's items, lest a million parked tasks be looked through for a few. */
export async function readReadyCanary(
  { db, run, services }: Pick<ReadingSession, 'db' | 'run' | 'services'>,
  service: string,
  afterId: number,
  limit: number,
): Promise<readonly Task[]> {
  const rows = await db.all<ReadyRow>(
    `SELECT ${readyColumns} FROM canary AS c CROSS JOIN tasks AS t ON t.item = c.item
       CROSS JOIN items AS i ON i.id = t.item CROSS JOIN keys AS k ON k.id = t.key
     WHERE c.run = ? AND t.state = 'planned' AND t.service = ? AND t.id > ? ORDER BY t.id LIMIT ?`,
    [run, services.indexOf(service), afterId, limit],
  );
  return rows.map((row) => makeTask(row, services));
}

/** Tasks that ended since `beganMs` by a call, what was charged for the canary's items in this run, and what waits. */
export async function readCanaryFigures(
  { db, run, services }: ReadingSession,
  beganMs: number,
): Promise<CanaryFigures> {
  const items = await db.get<{ count: number }>('SELECT count(*) AS count FROM canary WHERE run = ?', [run]);
  const tasks = await db.all<{ service: number; state: TaskState; count: number }>(
    `SELECT t.service, t.state, count(*) AS count FROM canary AS c JOIN tasks AS t ON t.item = c.item
     WHERE c.run = ? AND t.state IN ('answered', 'failed', 'held') AND t.ended_ms >= ? GROUP BY t.service, t.state`,
    [run, beganMs],
  );
  const counted = services.map((service, place) => {
    const own = tasks.filter((one) => one.service === place);
    const sum = (rows: typeof own) => rows.reduce((all, { count }) => all + count, 0);
    return { service, ended: sum(own), failed: sum(own.filter(({ state }) => state === 'failed')) };
  });
  const used = await db.all<{ account: string; is_loopback: number; sku: string; units: number }>(
    `SELECT e.account, e.is_loopback, e.sku, sum(e.units) AS units
     FROM canary AS c JOIN tasks AS t ON t.item = c.item JOIN entries AS e ON e.task = t.id
     WHERE c.run = ? AND e.run = ? AND e.basis <> 'uncertain' GROUP BY e.account, e.is_loopback, e.sku`,
    [run, run],
  );
  const usage: CanaryUsage[] = [];
  for (const { account, is_loopback, sku, units } of used) {
    const position = await loadPosition(db, { account, isLoopback: is_loopback === 1 }, sku);
    usage.push({ account, sku, units, position });
  }
  const waiting = await db.get<{ count: number | null }>(
    `SELECT sum(count) AS count FROM task_counts WHERE run = ? AND state IN ('planned', 'pending', 'waiting')`,
    [run],
  );
  return { items: items?.count ?? 0, services: counted, usage, untouched: waiting?.count ?? 0 };
}
