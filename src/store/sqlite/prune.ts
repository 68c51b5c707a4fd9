/**
 * Takes old runs out of the ledger: their items, tasks, attempts and the vendors' raw replies. What makes media free stays
 * (answers, remembered failures, held calls), and so do bills, since months and caps are counted from them.
 */
import { statSync } from 'node:fs';
import type { Pruned } from '../../domain/ledger.ts';
import type { Database } from './database.ts';

/** Attempts that may still come to an end, or that a person may still settle. */
const keptAttempts = `SELECT a.id FROM attempts AS a JOIN keys AS k ON k.id = a.key
  WHERE a.state IN ('intent', 'accepted') OR a.can_ask = 1 OR k.held = a.id`;

/** In one transaction. Runs that began before then, apart from each pipeline's latest, which may be gone on with. */
export function pruneRuns(
  db: Database,
  beforeMs: number,
  nowMs: number,
): Omit<Pruned, 'bytesBefore' | 'bytesAfter'> {
  const runs = db
    .all<{ seq: number }>(
      `SELECT seq FROM runs WHERE started_ms < ? AND pruned_ms IS NULL
         AND seq NOT IN (SELECT max(seq) FROM runs GROUP BY pipeline) ORDER BY seq`,
      [beforeMs],
    )
    .map(({ seq }) => seq);
  const list = JSON.stringify(runs);
  const isOld = 'IN (SELECT value FROM json_each(?))';
  const tasks = db.run(
    `DELETE FROM tasks WHERE item IN (SELECT id FROM items WHERE run ${isOld})
       AND id NOT IN (SELECT task FROM attempts WHERE id IN (${keptAttempts}))
       AND NOT (state IN ('failed', 'held') AND key IN (
         SELECT id FROM keys WHERE held IS NOT NULL OR failure IS NOT NULL))`,
    [list],
  );
  const items = db.run(
    `DELETE FROM items WHERE run ${isOld} AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.item = items.id)`,
    [list],
  );
  db.run(`DELETE FROM attempts WHERE run ${isOld} AND id NOT IN (${keptAttempts})`, [list]);
  db.run(`DELETE FROM broken WHERE run ${isOld}`, [list]);
  db.run(`DELETE FROM canary WHERE run ${isOld}`, [list]);
  const replies = db.run(
    `DELETE FROM replies WHERE at_ms < ? AND id NOT IN (
       SELECT reply FROM attempts WHERE reply IS NOT NULL
       UNION SELECT accepted_reply FROM attempts WHERE accepted_reply IS NOT NULL)`,
    [beforeMs],
  );
  db.run(`UPDATE runs SET pruned_ms = ? WHERE seq ${isOld}`, [nowMs, list]);
  return { runs: runs.length, items, tasks, replies };
}

/** Gives the room back to the disk; only where nobody else has the ledger open for long. */
export function compact(db: Database): void {
  db.run('VACUUM');
  db.all('PRAGMA wal_checkpoint(TRUNCATE)');
}

export function measure({ path }: Database): number {
  return statSync(path).size;
}
