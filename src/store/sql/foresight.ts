/** What an estimate sees of the ledger. Reads go beside a run that is under way, and take no lock that it waits for. */
import type { Cap, CapStand } from '../../domain/caps.ts';
import type { Fate, Foresight } from '../../domain/foresight.ts';
import type { Known } from '../../domain/ledger.ts';
import { monthOf } from '../../domain/pricing.ts';
import type { Pipeline } from '../../domain/settings.ts';
import type { Database, WritingDatabase } from './database.ts';
import { findKnown, type Known as KnownKey, type Reach, settleKey } from './known.ts';
import { readMedia, storeMedia } from './media.ts';
import { findResumable, reachBack } from './opening.ts';
import { makeRunRecord } from './run-row.ts';
import { scopeOf, SpendingBooks } from './spending.ts';
import { loadPosition } from './tally.ts';

/** Of the scratch database. Half a key's text is the whole of its hash. */
export const seenSchema = 'CREATE TABLE seen (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID';

/** How far back attempts are looked through for times, and how many make a rule. */
const recentAttempts = 20_000;
const countedAttempts = 500;
const leastAttempts = 5;

export interface ForesightParts {
  readonly db: WritingDatabase;
  readonly scratch: WritingDatabase;
  /** False where there is no ledger to keep anything in. */
  readonly canKeep: boolean;
  readonly pipeline: Pipeline;
  readonly nowMs: number;
  readonly startNew?: boolean | undefined;
  readonly resumeAnyAge?: boolean | undefined;
}

export async function makeForesight(parts: ForesightParts): Promise<Foresight> {
  const { db, scratch, canKeep, pipeline, nowMs } = parts;
  const resumed = await findResumable(db, { ...parts, billing: new Map() });
  const reach: Reach & { readonly db: Database } = {
    db,
    run: resumed?.seq ?? -1,
    ...reachBack(pipeline, nowMs, resumed),
  };
  return {
    resumes: resumed && makeRunRecord(resumed),
    readKnown: async (reuseKeys, contentIds): Promise<Known> => ({
      settledKeys: new Set((await findFates(reach, reuseKeys)).keys()),
      media: await readMedia(db, contentIds),
    }),
    readFates: (reuseKeys) => findFates(reach, reuseKeys),
    markSeen: (reuseKeys) =>
      scratch.transact(async () => {
        const firsts: boolean[] = [];
        for (const key of reuseKeys) firsts.push(await markSeen(scratch, key));
        return firsts;
      }),
    forgetSeen: () => scratch.transact(async () => scratch.run('DELETE FROM seen')),
    keepMedia: async (media) => {
      if (!canKeep || media.size === 0) return;
      await db.transact(async () => {
        for (const [contentId, facts] of media) storeMedia(db, contentId, facts);
      });
    },
    readPosition: ({ name: account, isLoopback }, sku) => loadPosition(db, { account, isLoopback }, sku),
    readCaps: (caps, atMs) => readCaps(db, pipeline, { caps, run: resumed?.seq ?? -1, atMs }),
    readUsualMs: (account, service) => readUsualMs(db, account, service),
    close: async () => {
      await scratch.close();
      await db.close();
    },
  };
}

async function markSeen(scratch: WritingDatabase, reuseKey: string): Promise<boolean> {
  const bytes = Buffer.from(reuseKey, 'base64url');
  return (await scratch.change('INSERT INTO seen VALUES (?) ON CONFLICT DO NOTHING', [bytes])) === 1;
}

async function findFates(
  reach: Reach & { readonly db: Database },
  reuseKeys: readonly string[],
): Promise<ReadonlyMap<string, Fate>> {
  const fates = new Map<string, Fate>();
  for (const [index, known] of (await findKnown(reach, reuseKeys)).entries()) {
    const fate = known && (await judgeKnown(reach.db, known));
    if (fate) fates.set(reuseKeys[index] ?? '', fate);
  }
  return fates;
}

async function judgeKnown(db: Database, known: KnownKey): Promise<Fate | undefined> {
  const end = await settleKey(db, known);
  if (end) return { state: end.state, reason: end.reason };
  return known.open === null ? undefined : { state: 'waiting', reason: '' };
}

async function readCaps(
  db: Database,
  pipeline: Pipeline,
  { caps, run, atMs }: { readonly caps: readonly Cap[]; readonly run: number; readonly atMs: number },
): Promise<readonly CapStand[]> {
  const books = new SpendingBooks(db);
  const standing = { run, pipeline: pipeline.name, month: monthOf(atMs, pipeline.prices.timezone) };
  await books.open(caps.map((cap) => scopeOf(cap, standing)));
  return caps.map((cap) => ({ ...cap, ...books.read(scopeOf(cap, standing), cap.sku) }));
}

async function readUsualMs(db: Database, account: string, service: string): Promise<number | undefined> {
  const found = await db.get<{ usual: number | null; count: number }>(
    `SELECT avg(took) AS usual, count(*) AS count FROM (
       SELECT closed_ms - intended_ms AS took FROM attempts
       WHERE id > (SELECT coalesce(max(id), 0) - ? FROM attempts)
         AND account = ? AND service = ? AND state = 'answered' AND closed_ms IS NOT NULL
       ORDER BY id DESC LIMIT ?) AS recent`,
    [recentAttempts, account, service, countedAttempts],
  );
  return found && found.usual !== null && found.count >= leastAttempts ? found.usual : undefined;
}
