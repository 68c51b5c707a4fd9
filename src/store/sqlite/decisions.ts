/** Decisions of reviewers: rows are only ever added, and the latest of a content counts. */
import type { Decided, Decision, DecisionRow, DecisionVerdict, NewDecision } from '../../domain/decision.ts';
import type { TroubleSelection } from '../../domain/ledger.ts';
import type { Database } from './database.ts';
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
export function storeDecisions(
  db: Database,
  decisions: readonly NewDecision[],
  by: string,
  nowMs: number,
): Decided {
  let stored = 0;
  for (const { content, verdict = null, comment, item, run } of decisions) {
    const latest = db.get<StoredDecision>(
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
export function listDecisions(db: Database, selection: TroubleSelection): readonly DecisionRow[] {
  const chosen =
    selection === undefined
      ? ''
      : `AND EXISTS (SELECT 1 FROM json_each(?) AS word
           WHERE d.content = word.value OR d.item = word.value OR d.item GLOB word.value)`;
  const rows = db.all<StoredDecision>(
    `SELECT d.* FROM decisions AS d WHERE ${isLatest} AND d.verdict IS NOT NULL ${chosen} ORDER BY d.id DESC`,
    selection === undefined ? [] : [JSON.stringify(selection)],
  );
  return rows.flatMap((row) => {
    const decision = makeDecision(row);
    return decision ? { ...decision, content: row.content, item: row.item, run: row.run } : [];
  });
}

/** What holds now for these contents. */
export function findDecisions(db: Database, contents: readonly string[]): ReadonlyMap<string, Decision> {
  const rows = db.all<StoredDecision>(
    `SELECT d.* FROM decisions AS d WHERE d.content IN (SELECT value FROM json_each(?)) AND ${isLatest}`,
    [JSON.stringify(contents)],
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
