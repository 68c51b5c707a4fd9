/**
 * Takes old runs out of the ledger: their items, tasks, attempts and the vendors' raw replies. What makes media free stays
 * (answers, remembered failures, held calls), and so do bills, since months and caps are counted from them.
 */
import type { Pruned } from '../../domain/ledger.ts';
import type { WritingDatabase } from './database.ts';

/** Attempts that may still come to an end, or that a person may still settle. */
const keptAttempts = `SELECT a.id FROM attempts AS a JOIN keys AS k ON k.id = a.key
  WHERE a.state IN ('intent', 'accepted') OR a.can_ask = 1 OR k.held = a.id`;

/** In one transaction. Runs that began before then, apart from each pipeline's latest, which may be gone on with. */
export async function pruneRuns(
  db: WritingDatabase,
  beforeMs: number,
  nowMs: number,
): Promise<Omit<Pruned, 'bytesBefore' | 'bytesAfter'>> {
  const old = await db.all<{ seq: number }>(
    `SELECT seq FROM runs WHERE started_ms < ? AND pruned_ms IS NULL
       AND seq NOT IN (SELECT max(seq) FROM runs GROUP BY pipeline) ORDER BY seq`,
    [beforeMs],
  );
  const list = old.map(({ seq }) => seq);
  const isOld = 'IN LIST(?)';
  const tasks = await db.change(
    `DELETE FROM tasks WHERE item IN (SELECT id FROM items WHERE run ${isOld})
       AND id NOT IN (SELECT task FROM attempts WHERE id IN (${keptAttempts}))
       AND NOT (state IN ('failed', 'held') AND key IN (
         SELECT id FROM keys WHERE held IS NOT NULL OR failure IS NOT NULL))`,
    [list],
  );
  const items = await db.change(
    `DELETE FROM items WHERE run ${isOld} AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.item = items.id)`,
    [list],
  );
  db.run(`DELETE FROM attempts WHERE run ${isOld} AND id NOT IN (${keptAttempts})`, [list]);
  db.run(`DELETE FROM broken WHERE run ${isOld}`, [list]);
  db.run(`DELETE FROM canary WHERE run ${isOld}`, [list]);
  const replies = await db.change(
    `DELETE FROM replies WHERE at_ms < ? AND id NOT IN (
       SELECT reply FROM attempts WHERE reply IS NOT NULL
       UNION SELECT accepted_reply FROM attempts WHERE accepted_reply IS NOT NULL)`,
    [beforeMs],
  );
  db.run(`UPDATE runs SET pruned_ms = ? WHERE seq ${isOld}`, [nowMs, list]);
  return { runs: list.length, items, tasks, replies };
}
