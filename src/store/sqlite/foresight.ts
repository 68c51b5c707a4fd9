/** What an estimate sees of the ledger. Reads go beside a run that is under way, and take no lock that it waits for. */
import type { Cap, CapStand } from '../../domain/caps.ts';
import type { Fate, Foresight } from '../../domain/foresight.ts';
import type { Known } from '../../domain/ledger.ts';
import { monthOf } from '../../domain/pricing.ts';
import type { Pipeline } from '../../domain/settings.ts';
import type { Database } from './database.ts';
import { findKnown, type Reach, settleKey } from './known.ts';
import { readMedia, storeMedia } from './media.ts';
import { findResumable, reachBack } from './opening.ts';
import { makeRunRecord } from './run-row.ts';
import { scopeOf, SpendingBooks } from './spending.ts';
import { loadPosition } from './tally.ts';

/** For `openScratchDatabase`. Half a key's text is the whole of its hash. */
export const seenSchema = 'CREATE TABLE seen (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID';

/** How far back attempts are looked through for times, and how many make a rule. */
const recentAttempts = 20_000;
const countedAttempts = 500;
const leastAttempts = 5;

export interface ForesightParts {
  readonly db: Database;
  readonly scratch: Database;
  /** False where there is no ledger to keep anything in. */
  readonly canKeep: boolean;
  readonly pipeline: Pipeline;
  readonly nowMs: number;
  readonly startNew?: boolean | undefined;
  readonly resumeAnyAge?: boolean | undefined;
}

export function makeForesight(parts: ForesightParts): Foresight {
  const { db, scratch, canKeep, pipeline, nowMs } = parts;
  const resumed = findResumable(db, { ...parts, billing: new Map() });
  const reach: Reach & { readonly db: Database } = {
    db,
    run: resumed?.seq ?? -1,
    ...reachBack(pipeline, nowMs, resumed),
  };
  return {
    resumes: resumed && makeRunRecord(resumed),
    readKnown: async (reuseKeys, contentIds): Promise<Known> => ({
      settledKeys: new Set(reuseKeys.filter((key) => findFate(reach, key) !== undefined)),
      media: readMedia(db, contentIds),
    }),
    readFates: async (reuseKeys) => {
      const fates = new Map<string, Fate>();
      for (const key of reuseKeys) {
        const fate = findFate(reach, key);
        if (fate) fates.set(key, fate);
      }
      return fates;
    },
    markSeen: async (reuseKeys) =>
      scratch.transact(() =>
        reuseKeys.map(
          (key) =>
            scratch.run('INSERT OR IGNORE INTO seen VALUES (?)', [Buffer.from(key, 'base64url')]) === 1,
        ),
      ),
    keepMedia: async (media) => {
      if (!canKeep || media.size === 0) return;
      db.transact(() => {
        for (const [contentId, facts] of media) storeMedia(db, contentId, facts);
      });
    },
    readPosition: ({ name: account, isLoopback }, sku) => loadPosition(db, { account, isLoopback }, sku),
    readCaps: (caps, atMs) => readCaps(db, pipeline, { caps, run: resumed?.seq ?? -1, atMs }),
    readUsualMs: (account, service) => readUsualMs(db, account, service),
    close: () => {
      scratch.close();
      db.close();
    },
  };
}

function findFate(reach: Reach & { readonly db: Database }, reuseKey: string): Fate | undefined {
  const known = findKnown(reach, reuseKey);
  if (!known) return undefined;
  const end = settleKey(reach.db, known);
  if (end) return { state: end.state, reason: end.reason };
  return known.open === null ? undefined : { state: 'waiting', reason: '' };
}

function readCaps(
  db: Database,
  pipeline: Pipeline,
  { caps, run, atMs }: { readonly caps: readonly Cap[]; readonly run: number; readonly atMs: number },
): readonly CapStand[] {
  const books = new SpendingBooks(db);
  const month = monthOf(atMs, pipeline.prices.timezone);
  return caps.map((cap) => ({
    ...cap,
    ...books.read(scopeOf(cap, { run, pipeline: pipeline.name, month }), cap.sku),
  }));
}

function readUsualMs(db: Database, account: string, service: string): number | undefined {
  const found = db.get<{ usual: number | null; count: number }>(
    `SELECT avg(took) AS usual, count(*) AS count FROM (
       SELECT closed_ms - intended_ms AS took FROM attempts
       WHERE id > (SELECT coalesce(max(id), 0) - ? FROM attempts)
         AND account = ? AND service = ? AND state = 'answered' AND closed_ms IS NOT NULL
       ORDER BY id DESC LIMIT ?)`,
    [recentAttempts, account, service, countedAttempts],
  );
  return found && found.usual !== null && found.count >= leastAttempts ? found.usual : undefined;
}
