/** Lets tasks go ahead that waited for an attempt which came to nothing. */
import { settleMissed } from './cascade.ts';
import type { Session } from './session.ts';

/** Tasks of this run in `waiting` whose key has no open attempt any more go back to `planned`. */
export async function releaseWaiting(
  session: Session,
): Promise<{ readonly released: number; readonly waiting: number }> {
  const { db, tally, run } = session;
  await settleMissed(session);
  const isFree = `t.run = ? AND t.state = 'waiting' AND t.state IN ('planned', 'waiting', 'over-cap')
    AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.key = t.key AND a.state IN ('intent', 'accepted'))`;
  const free = await db.all<{ service: number; reason: string; count: number }>(
    `SELECT t.service, t.reason, count(*) AS count FROM tasks AS t WHERE ${isFree} GROUP BY t.service, t.reason`,
    [run],
  );
  let released = 0;
  for (const { service, reason, count } of free) {
    tally.count(run, service, 'waiting', reason, -count);
    tally.count(run, service, 'planned', '', count);
    released += count;
  }
  if (released > 0) db.run(`UPDATE tasks AS t SET state = 'planned', reason = '' WHERE ${isFree}`, [run]);
  const left = await db.get<{ count: number }>(
    `SELECT count(*) AS count FROM tasks
     WHERE run = ? AND state = 'waiting' AND state IN ('planned', 'waiting', 'over-cap')`,
    [run],
  );
  return { released, waiting: left?.count ?? 0 };
}
