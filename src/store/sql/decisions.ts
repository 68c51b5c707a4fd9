/** Decisions of reviewers: rows are only ever added, and the latest of a content counts. */
import type { Decided, Decision, DecisionRow, DecisionVerdict, NewDecision } from '../../domain/decision.ts';
import type { TroubleSelection } from '../../domain/ledger.ts';
import type { Database, WritingDatabase } from './database.ts';
import { formatTime } from './run-row.ts';

interface StoredDecision {
  readonly content: string;
  readonly verdict: DecisionVerdict | null;
  readonly decided_by: string;
  readonly comment: string;
  readonly item: string;
  readonly run: string;
  readonly at_ms: number;
}

const isLatest = 'd.id = (SELECT max(l.id) FROM decisions AS l WHERE l.content = d.content)';

/** In one transaction. What says nothing new is not stored again, so that a file may be imported twice. */
export async function storeDecisions(
  db: WritingDatabase,
  decisions: readonly NewDecision[],
  by: string,
  nowMs: number,
): Promise<Decided> {
  let stored = 0;
  for (const { content, verdict = null, comment, item, run } of decisions) {
    const latest = await db.get<StoredDecision>(
      'SELECT * FROM decisions WHERE content = ? ORDER BY id DESC LIMIT 1',
      [content],
    );
    if ((latest?.verdict ?? null) === verdict && (verdict === null || latest?.comment === comment)) continue;
    stored += 1;
    db.insert('decisions', { content, verdict, decided_by: by, comment, item, run, at_ms: nowMs });
  }
  return { stored, unchanged: decisions.length - stored };
}

/** What holds now, newest first. A word is an item's id, a pattern over ids, or a content. */
export async function listDecisions(
  db: Database,
  selection: TroubleSelection,
): Promise<readonly DecisionRow[]> {
  const chosen = selection === undefined ? '' : 'AND (d.content IN LIST(?) OR MATCHES(d.item, ?))';
  const rows = await db.all<StoredDecision>(
    `SELECT d.* FROM decisions AS d WHERE ${isLatest} AND d.verdict IS NOT NULL ${chosen} ORDER BY d.id DESC`,
    selection === undefined ? [] : [selection, selection],
  );
  return rows.flatMap((row) => {
    const decision = makeDecision(row);
    return decision ? { ...decision, content: row.content, item: row.item, run: row.run } : [];
  });
}

/** What holds now for these contents. */
export async function findDecisions(
  db: Database,
  contents: readonly string[],
): Promise<ReadonlyMap<string, Decision>> {
  const rows = await db.all<StoredDecision>(
    `SELECT d.* FROM decisions AS d WHERE d.content IN LIST(?) AND ${isLatest}`,
    [contents],
  );
  return new Map(
    rows.flatMap((row) => {
      const decision = makeDecision(row);
      return decision ? [[row.content, decision] as const] : [];
    }),
  );
}

/** `undefined` for one that was taken back. */
function makeDecision({
  verdict,
  decided_by: by,
  comment,
  at_ms: atMs,
}: StoredDecision): Decision | undefined {
  return verdict === null ? undefined : { verdict, by, at: formatTime(atMs), comment };
}
