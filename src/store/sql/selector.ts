/** Finds a run by what a person calls it. */
import type { Database } from './database.ts';
import type { RunRow } from './run-row.ts';
import { findRunRow } from './run-row.ts';

/** A run id, a pipeline's name (its latest run), `latest`, or either with `~N` for the N-th before it. */
export async function selectRun(db: Database, selector: string): Promise<RunRow | undefined> {
  const exact = await findNamed(db, selector, 0);
  if (exact) return exact;
  const [, name, back] = /^(.+)~(\d{1,9})$/s.exec(selector) ?? [];
  return name === undefined ? undefined : await findNamed(db, name, Number(back));
}

async function findNamed(db: Database, name: string, back: number): Promise<RunRow | undefined> {
  const run = await findRunRow(db, name);
  if (run) {
    return await db.get<RunRow>(
      'SELECT * FROM runs WHERE pipeline = ? AND seq <= ? ORDER BY seq DESC LIMIT 1 OFFSET ?',
      [run.pipeline, run.seq, back],
    );
  }
  if (name === 'latest') {
    return await db.get<RunRow>('SELECT * FROM runs ORDER BY seq DESC LIMIT 1 OFFSET ?', [back]);
  }
  return await db.get<RunRow>('SELECT * FROM runs WHERE pipeline = ? ORDER BY seq DESC LIMIT 1 OFFSET ?', [
    name,
    back,
  ]);
}

/** The latest run of the pipeline before this one that looked at everything, and that still has its items. */
export async function findPrevious(db: Database, { pipeline, seq }: RunRow): Promise<RunRow | undefined> {
  return await db.get<RunRow>(
    `SELECT * FROM runs WHERE pipeline = ? AND seq < ? AND listing = 'complete' AND only_failed IS NULL
       AND pruned_ms IS NULL ORDER BY seq DESC LIMIT 1`,
    [pipeline, seq],
  );
}
