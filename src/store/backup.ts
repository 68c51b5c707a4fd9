/** Copies of the ledger: one a day at the end of a run or when asked for, a few kept, and how one of them takes the ledger's place. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import { formatSize } from '../domain/quantity.ts';
import { readFileBytes, readFreeBytes } from './free-space.ts';
import { makeAsidePath, sweepAside, syncFolder } from './atomic-file.ts';
import { makeFolder } from './make-folder.ts';
import { listCopies } from './copies.ts';
import { listLocked } from './run-lock.ts';
import { type Driver, loadDriver } from './sqlite/driver.ts';
import { migrations } from './sqlite/schema.ts';
import { findBrokenSeal, findSeal, sealFile } from './seal.ts';
import { explainDatabaseError, explainFileError } from './trouble.ts';

/** Less than a day, so that a nightly run which begins a little earlier than yesterday makes its copy too. */
const usualMs = 20 * 3_600_000;
const mostCopies = 3;
/** Copied in one go, 4 MB: signals are heard in between. */
const pagesAtOnce = 1000;
const spareBytes = 16 * 1024 * 1024;

interface BackupTerms {
  /** How old the newest copy is before another is made, in milliseconds; 20 h where absent. */
  readonly everyMs?: number | undefined;
  /** Ends the copying; what was copied by then is removed. */
  readonly stop?: AbortSignal | undefined;
  /** Bytes that are free on the disk of a folder. */
  readonly readFree?: ((folder: string) => Promise<number | undefined>) | undefined;
}

/**
 * Copies the ledger into `backups/` of the state folder, unless there is a copy of today, and drops the oldest. Answers
 * the copy's path. The copy is whole or not there, and its owner alone can read it. It is as large as the ledger, and
 * is not begun where the disk would be left with less than runs may need. Others may write to the ledger meanwhile.
 *
 * @throws `Stop` where there is no room or the folder cannot be written; the ledger is untouched.
 */
export async function backUpLedger(
  folder: string,
  nowMs: number,
  { everyMs = usualMs, stop, readFree }: BackupTerms = {},
): Promise<string | undefined> {
  return await addCopy(folder, nowMs, { everyMs, stop, readFree });
}

export interface SavedLedger {
  /** The ledger that was copied, and where the copy is. */
  readonly ledger: string;
  readonly backup: string;
  readonly bytes: number;
}

/**
 * Copies the ledger now, into `to` or among the copies that runs make, of which the oldest then goes. What is copied was
 * found in order before. Runs may write to the ledger meanwhile: the copy holds what they had committed when it was begun.
 * Nothing where `stop` was raised before it was whole.
 *
 * @throws `Stop` with exit 2 where there is no ledger, or something at `to` already; where there is no room, the folder
 * cannot be written or the ledger is damaged
 */
export async function saveLedger({
  folder,
  to,
  nowMs,
  ...terms
}: {
  readonly folder: string;
  readonly to?: string | undefined;
  readonly nowMs: number;
} & Pick<BackupTerms, 'stop' | 'readFree'>): Promise<SavedLedger | undefined> {
  const ledger = join(folder, 'ledger.db');
  if (!existsSync(ledger)) {
    throw wrongUse(
      `ledger "${ledger}": there is none to copy yet. The first run makes it; --state names another folder.`,
    );
  }
  if (to !== undefined && existsSync(to)) {
    throw wrongUse(
      `backup "${to}": expected the name of a file that is not there yet, found one. Name another.`,
    );
  }
  if (to !== undefined && !existsSync(dirname(to))) {
    throw wrongUse(`backup "${to}": the folder "${dirname(to)}" is not there. Make it, or name another.`);
  }
  // The oldest copy goes for it, and may be the only one that is in order.
  const fault = await findFault(await loadDriver(), ledger);
  if (fault !== undefined) {
    throw new Stop(
      exitCodes.halted,
      `ledger "${ledger}": ${fault}, and was not copied. \`mediasweep ledger restore\` puts the newest backup in its place.`,
    );
  }
  const backup = to === undefined ? await addCopy(folder, nowMs, terms) : to;
  if (backup === undefined || (to !== undefined && !(await writeCopy(folder, to, terms)))) return undefined;
  return { ledger, backup, bytes: (await stat(backup)).size };
}

/** Among those of the state folder; drops the oldest. Nothing where there is one that is young enough, or it was stopped. */
async function addCopy(
  folder: string,
  nowMs: number,
  { everyMs = 0, ...terms }: BackupTerms,
): Promise<string | undefined> {
  const path = join(folder, 'backups', nameCopy(nowMs));
  try {
    const [newest] = listCopies(folder);
    if (newest && Math.abs(nowMs - newest.madeAtMs) < everyMs) return undefined;
    makeFolder(dirname(path), 0o700);
    await sweepAside(dirname(path));
    if (!(await writeCopy(folder, path, terms))) return undefined;
    for (const { path: old } of listCopies(folder).slice(mostCopies)) {
      rmSync(findSeal(old), { force: true });
      rmSync(old, { force: true });
    }
    return path;
  } catch (error) {
    throw explainFileError('backup', path, error);
  }
}

/** False where it was stopped. */
async function writeCopy(
  folder: string,
  path: string,
  { stop, readFree = readFreeBytes }: Pick<BackupTerms, 'stop' | 'readFree'>,
): Promise<boolean> {
  const driver = await loadDriver();
  const aside = makeAsidePath(path);
  try {
    await requireRoom(folder, path, readFree);
    // SQLite writes into an empty file that is there, and so keeps its permissions.
    closeSync(openSync(aside, 'wx', 0o600));
    if (!(await copyPages(driver, join(folder, 'ledger.db'), aside, stop))) {
      await rm(aside, { force: true });
      return false;
    }
    syncFile(aside);
    renameSync(aside, path);
    await sealFile(path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw explainFileError('backup', path, explainDatabaseError('backup', path, error));
  }
}

/** False where it was stopped. */
async function copyPages(
  driver: Driver,
  from: string,
  to: string,
  stop: AbortSignal | undefined,
): Promise<boolean> {
  const opened = new driver(from, { readonly: true });
  try {
    // What is read first is what is copied: other processes that write meanwhile would make the copy begin anew.
    opened.exec('BEGIN; SELECT count(*) FROM sqlite_master');
    await opened.backup(to, {
      progress: () => {
        stop?.throwIfAborted();
        return pagesAtOnce;
      },
    });
  } catch (error) {
    if (stop?.aborted === true) return false;
    throw error;
  } finally {
    opened.close();
  }
  // So that it is one file that can be read where nothing can be written.
  const copy = new driver(to);
  copy.pragma('journal_mode = DELETE');
  copy.close();
  return true;
}

/** A copy that fills the disk would take from the next run what its ledger needs to grow. */
async function requireRoom(
  folder: string,
  path: string,
  readFree: (folder: string) => Promise<number | undefined>,
): Promise<void> {
  const parts = ['ledger.db', 'ledger.db-wal'].map((name) => readFileBytes(join(folder, name)));
  const bytes = (await Promise.all(parts)).reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const needed = bytes + Math.max(spareBytes, bytes / 4);
  const free = await readFree(dirname(path));
  if (free === undefined || free >= needed) return;
  throw new Stop(
    exitCodes.halted,
    `backup "${path}": no copy was begun: expected room for ${formatSize(needed)}, the ledger and a quarter to spare, found ${formatSize(free)}. Free some space, or take old runs out with \`mediasweep ledger prune\`.`,
  );
}

function nameCopy(nowMs: number): string {
  return `ledger-${stamp(nowMs)}.db`;
}

/** `20261120T020000Z` */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
}

export interface Restored {
  readonly backup: string;
  /** ISO 8601, UTC; absent where the copy's name does not say. */
  readonly madeAt?: string | undefined;
  /** Where the ledger that was replaced lies now; absent where there was none. */
  readonly aside?: string | undefined;
}

/**
 * Puts a copy in the ledger's place: the one named, else the newest that is in order. What was there is moved aside.
 *
 * @throws `Stop` with exit 6 while a run goes on; with exit 2 where there is no copy in order, or where the ledger is in
 * order itself and `isForced` is not given.
 */
export async function restoreLedger(request: {
  readonly folder: string;
  readonly backup?: string | undefined;
  readonly isForced: boolean;
  readonly nowMs: number;
}): Promise<Restored> {
  const { folder, isForced, nowMs } = request;
  await refuseRuns(folder);
  const driver = await loadDriver();
  const ledger = join(folder, 'ledger.db');
  if (!isForced && existsSync(ledger) && (await findFault(driver, ledger)) === undefined) {
    throw wrongUse(
      `ledger "${ledger}": it is in order: a backup would forget every answer that came after it. Leave it, or say --force.`,
    );
  }
  const copy = await chooseCopy(driver, folder, request.backup);
  const aside = existsSync(ledger) ? `${ledger}.replaced-${stamp(nowMs)}` : undefined;
  const fresh = makeAsidePath(ledger);
  try {
    makeFolder(folder, 0o700);
    await copyFile(copy, fresh);
    chmodSync(fresh, 0o600);
    syncFile(fresh);
    for (const suffix of ['.seal', '', '-wal', '-shm']) {
      if (aside !== undefined && existsSync(ledger + suffix)) renameSync(ledger + suffix, aside + suffix);
      else rmSync(ledger + suffix, { force: true });
    }
    renameSync(fresh, ledger);
    await sealFile(ledger);
    await syncFolder(folder);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw explainFileError('ledger', ledger, error);
  }
  const madeAtMs = listCopies(folder).find(({ path }) => path === copy)?.madeAtMs;
  return { backup: copy, ...(madeAtMs !== undefined && { madeAt: new Date(madeAtMs).toISOString() }), aside };
}

/** @throws `Stop` with exit 6 while any pipeline of this state folder runs. */
export async function refuseRuns(folder: string): Promise<void> {
  const [name] = await listLocked(folder);
  if (name === undefined) return;
  throw new Stop(
    exitCodes.locked,
    `ledger "${join(folder, 'ledger.db')}": pipeline "${name}" is running on it. Wait until it has ended, or stop it.`,
  );
}

async function chooseCopy(driver: Driver, folder: string, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    const path = existsSync(named) ? resolve(named) : join(folder, 'backups', basename(named));
    const fault = existsSync(path) ? await findFault(driver, path) : 'there is no such file';
    if (fault === undefined) return path;
    throw wrongUse(`backup "${named}": ${fault}. Name another, or none for the newest that is in order.`);
  }
  const copies = listCopies(folder);
  for (const { path } of copies) if ((await findFault(driver, path)) === undefined) return path;
  const found = copies.length === 0 ? 'there is none' : `none of ${copies.length} is in order`;
  throw wrongUse(
    `backup: ${found} in "${join(folder, 'backups')}". Name a copy of the ledger, or move the ledger away to begin with an empty one, which knows no answer that was paid for before.`,
  );
}

/** Why a file is no ledger of this program; `undefined` where it is one, and whole. */
async function findFault(driver: Driver, path: string): Promise<string | undefined> {
  const change = await findBrokenSeal(path);
  if (change !== undefined) return `it is damaged: ${change}`;
  try {
    const opened = new driver(path, { readonly: true });
    try {
      const version = Number(opened.pragma('user_version', { simple: true }));
      if (version < 1 || version > migrations.length)
        return 'it is no ledger of this program, or of a newer one';
      const check = String(opened.pragma('quick_check(1)', { simple: true }));
      return check === 'ok' ? undefined : 'it is damaged';
    } finally {
      opened.close();
    }
  } catch {
    return 'it is damaged, or no database';
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
