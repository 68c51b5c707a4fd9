/** The parts that a run was cut into, and who carries them out (`domain/shard.ts`). */
import type { Claim, Shard, ShardHalt } from '../../domain/shard.ts';
import type { Database, WritingDatabase } from './database.ts';
import { findRunRow } from './run-row.ts';

interface ShardRow {
  readonly number: number;
  readonly after_task: number;
  readonly last_task: number;
  readonly holder: string | null;
  readonly claims: number;
  readonly is_done: number;
  readonly halts: string;
}

/** States of tasks that a worker has something to do with. */
const toCarryOut = `'planned', 'intent', 'accepted'`;

const columns = 'number, after_task, last_task, holder, claims, is_done, halts';

/**
 * Cuts the tasks that no shard has yet into shards of at least so many, each to the end of an item; with `isLast` the rest
 * too. One in which nothing is to be carried out, since all was answered before, is done already. Answers how many were cut.
 */
export async function cutShards(
  db: WritingDatabase,
  run: string,
  least: number,
  isLast: boolean,
): Promise<number> {
  const { seq } = await requireRun(db, run);
  const before = await db.get<{ number: number | null; last: number | null }>(
    'SELECT max(number) AS number, max(last_task) AS last FROM shards WHERE run = ?',
    [seq],
  );
  let [number, after, cut] = [before?.number ?? 0, before?.last ?? 0, 0];
  for (;;) {
    const last =
      (await findEnd(db, seq, after, least)) ?? (isLast ? await findLast(db, seq, after) : undefined);
    if (last === undefined) return cut;
    number += 1;
    cut += 1;
    const isDone = !(await hasWork(db, seq, after, last));
    await db.change(
      'INSERT INTO shards (run, number, after_task, last_task, is_done) VALUES (?, ?, ?, ?, ?)',
      [seq, number, after, last, Number(isDone)],
    );
    after = last;
  }
}

async function hasWork(db: Database, run: number, after: number, last: number): Promise<boolean> {
  const found = await db.get<{ id: number }>(
    `SELECT id FROM tasks WHERE run = ? AND id > ? AND id <= ? AND state IN (${toCarryOut}) LIMIT 1`,
    [run, after, last],
  );
  return found !== undefined;
}

/** The last task of the item that the `least`-th task belongs to. */
async function findEnd(db: Database, run: number, after: number, least: number): Promise<number | undefined> {
  const found = await db.get<{ last: number }>(
    `SELECT max(o.id) AS last FROM tasks AS o WHERE o.item = (
       SELECT t.item FROM tasks AS t WHERE t.run = ? AND t.id > ? ORDER BY t.id LIMIT 1 OFFSET ?)`,
    [run, after, least - 1],
  );
  return found?.last ?? undefined;
}

async function findLast(db: Database, run: number, after: number): Promise<number | undefined> {
  const found = await db.get<{ last: number | null }>(
    'SELECT max(id) AS last FROM tasks WHERE run = ? AND id > ?',
    [run, after],
  );
  return found?.last ?? undefined;
}

/** Shards that were done and have tasks to be carried out are not; those of halted accounts stay, unless asked for. */
export async function reopenShards(db: WritingDatabase, run: string, withHalted: boolean): Promise<number> {
  const { seq } = await requireRun(db, run);
  return await db.change(
    `UPDATE shards SET is_done = 0, halts = '[]' WHERE run = ? AND is_done = 1 AND (halts = '[]' OR ? = 1)
       AND EXISTS (SELECT 1 FROM tasks AS t WHERE t.run = ? AND t.id > after_task AND t.id <= last_task
         AND t.state IN (${toCarryOut}))`,
    [seq, Number(withHalted), seq],
  );
}

export async function claimShard(
  db: WritingDatabase,
  { run, number, holder, from }: { run: string; number: number; holder: string; from?: string | undefined },
): Promise<Claim> {
  const { seq, state } = await requireRun(db, run);
  const row = await db.get<ShardRow>(`SELECT ${columns} FROM shards WHERE run = ? AND number = ?`, [
    seq,
    number,
  ]);
  if (!row || row.is_done === 1 || state !== 'running') return { is: 'done' };
  if (row.holder !== null && row.holder !== from) return { is: 'held', holder: row.holder };
  db.run('UPDATE shards SET holder = ?, claims = claims + 1 WHERE run = ? AND number = ?', [
    holder,
    seq,
    number,
  ]);
  return { is: 'claimed', shard: makeShard({ ...row, holder, claims: row.claims + 1 }) };
}

/** Does nothing where someone else has it by now. */
export async function leaveShard(
  db: WritingDatabase,
  leaving: {
    readonly run: string;
    readonly number: number;
    readonly holder: string;
    readonly isDone: boolean;
    readonly halts: readonly ShardHalt[];
  },
): Promise<void> {
  const { run, number, holder, isDone, halts } = leaving;
  const { seq } = await requireRun(db, run);
  db.run(
    'UPDATE shards SET holder = NULL, is_done = ?, halts = ? WHERE run = ? AND number = ? AND holder = ?',
    [Number(isDone), JSON.stringify(halts), seq, number, holder],
  );
}

export async function listShards(db: Database, run: string): Promise<readonly Shard[]> {
  const { seq } = await requireRun(db, run);
  const rows = await db.all<ShardRow>(`SELECT ${columns} FROM shards WHERE run = ? ORDER BY number`, [seq]);
  return rows.map(makeShard);
}

/** Processes that hold shards of a pipeline's runs, with the run of each. */
export async function listHolders(
  db: Database,
  pipeline: string,
): Promise<readonly { readonly run: string; readonly holder: string }[]> {
  return await db.all(
    `SELECT DISTINCT r.id AS run, s.holder FROM shards AS s JOIN runs AS r ON r.seq = s.run
     WHERE r.pipeline = ? AND s.holder IS NOT NULL`,
    [pipeline],
  );
}

async function requireRun(db: Database, run: string) {
  const row = await findRunRow(db, run);
  if (!row) throw new Error(`run "${run}" is not in the ledger`);
  return row;
}

function makeShard(row: ShardRow): Shard {
  const { number, after_task: afterTask, last_task: lastTask, holder, claims, is_done: isDone, halts } = row;
  return {
    number,
    afterTask,
    lastTask,
    claims,
    isDone: isDone === 1,
    halts: JSON.parse(halts) as readonly ShardHalt[],
    ...(holder !== null && { holder }),
  };
}
