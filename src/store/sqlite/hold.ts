/**
 * Who has a ledger's file open, over all processes: each holds a shared lock on a side file, which the system drops when its
 * holder dies. Whoever gets it alone knows that the file is at rest, and seals it.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { exitCodes, Stop } from '../../domain/problem.ts';
import { listCopies } from '../copies.ts';
import { makeOwnFile } from '../own-file.ts';
import { findSeal, requireSeal, sealFile } from '../seal.ts';
import { explainDatabaseError } from '../trouble.ts';
import type { Driver } from './driver.ts';

/** A ledger of 1 GB is sealed in half a second. */
const patienceMs = 60_000;
/** Long enough for someone who is about to close as well. */
const briefMs = 50;

/** Of one file in this process, which holds the lock once, however often it opens the file. */
interface Desk {
  holders: number;
  lock: Sqlite.Database | undefined;
  /** Comings and goings take turns: to wait here for what the other has begun would stop the thread that is to end it. */
  turn: Promise<unknown>;
}

const desks = new Map<string, Desk>();

/**
 * Says that the ledger at `path` is open from now on, having held it against its seal. Answers what says that it was closed.
 *
 * @throws `Stop` where the file is not what it was left as, or is gone, or its folder cannot be written
 */
export async function holdLedger(path: string, driver: Driver): Promise<() => Promise<void>> {
  const desk = desks.get(path) ?? { holders: 0, lock: undefined, turn: Promise.resolve() };
  desks.set(path, desk);
  await takeTurn(desk, async () => {
    if (desk.holders === 0) {
      const lock = openLock(path, driver);
      try {
        await requireSeal(path);
        requireFile(path);
      } catch (error) {
        lock.close();
        throw error;
      }
      desk.lock = lock;
    }
    desk.holders += 1;
  });
  return () =>
    takeTurn(desk, async () => {
      desk.holders -= 1;
      if (desk.holders > 0) return;
      desk.lock?.close();
      await sealAtRest(path, driver);
    });
}

/** An empty ledger in the place of one that was lost would have everything paid for again. */
function requireFile(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const seal = findSeal(path);
  const { length } = listCopies(dirname(path));
  const left = [
    ...(existsSync(seal) ? [`its seal "${basename(seal)}"`] : []),
    ...(length > 0 ? [`${length} of its copies in "backups"`] : []),
  ].join(' and ');
  if (left === '') return;
  throw new Stop(
    exitCodes.halted,
    `ledger "${path}": the file is gone, but not ${left}: an empty ledger knows no answer that was paid for before. Put a copy back: \`mediasweep ledger restore\` takes the newest backup. To begin with an empty one, move what is left away.`,
  );
}

function takeTurn(desk: Desk, work: () => Promise<void>): Promise<void> {
  const done = desk.turn.then(work);
  desk.turn = done.catch(() => undefined);
  return done;
}

function openLock(path: string, driver: Driver): Sqlite.Database {
  try {
    const lock = findLock(path);
    makeOwnFile(lock);
    const opened = new driver(lock, { timeout: patienceMs });
    opened.exec('BEGIN; SELECT count(*) FROM sqlite_master');
    return opened;
  } catch (error) {
    throw explainDatabaseError('ledger', path, error);
  }
}

/** Nothing is lost without a seal: where somebody else has the file open, or is about to, it is left to them. */
async function sealAtRest(path: string, driver: Driver): Promise<void> {
  if (!existsSync(path) || existsSync(findSeal(path))) return;
  let alone: Sqlite.Database | undefined;
  try {
    alone = new driver(findLock(path), { timeout: briefMs });
    alone.exec('BEGIN EXCLUSIVE');
    // A log that is still there belongs to somebody who does not know of the lock.
    if (!existsSync(findSeal(path)) && !existsSync(`${path}-wal`)) await sealFile(path);
  } catch {
    // Somebody has it open.
  } finally {
    alone?.close();
  }
}

function findLock(path: string): string {
  return join(dirname(path), 'ledger.lock');
}
