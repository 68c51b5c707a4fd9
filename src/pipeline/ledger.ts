/** Commands on the memory of all runs, and the ways in that the others share. */
import type { Places, RestoreResult } from '../cli/spine.ts';
import { type Folders, findFolders } from '../config/open.ts';
import type { Clock } from '../domain/clock.ts';
import type { Ledger, Pruned, RunRecord } from '../domain/ledger.ts';
import type { Log } from '../domain/log.ts';
import type { CopiedLedger, CopyProgress } from '../domain/ledger-copy.ts';
import type { PostgresAccess } from '../domain/postgres.ts';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import { backUpLedger, refuseRuns, restoreLedger } from '../store/backup.ts';
import { openLedger } from '../store/ledger.ts';
import { copyLedger } from '../store/postgres/copy.ts';
import type { Outside } from './outside.ts';

export async function withLedger<Value>(
  folders: Folders,
  clock: Clock,
  use: (ledger: Ledger) => Promise<Value>,
  isThreaded = false,
): Promise<Value> {
  const ledger = await openLedger({ folder: folders.state, clock, isThreaded });
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** For commands without a pipeline: the ledger of the project that they are given in. */
export async function withLedgerOf<Value>(
  { clock, folder }: Outside,
  places: Places,
  use: (ledger: Ledger) => Promise<Value>,
): Promise<Value> {
  return await withLedger(await findFolders(folder, places), clock, use);
}

export async function findRun(ledger: Ledger, selector: string): Promise<RunRecord> {
  const run = await ledger.findRun(selector);
  if (run) return run;
  throw wrongUse(`run "${selector}": there is no such run in this ledger. \`mediasweep status\` lists them.`);
}

/** What is read from items and tasks needs a run that still has them. */
export function requireWhole(run: RunRecord): RunRecord {
  if (run.isPruned !== true) return run;
  throw wrongUse(
    `run "${run.id}": its items and tasks were taken out of the ledger by \`mediasweep ledger prune\`. Its reports are those that were written then.`,
  );
}

export async function pruneLedger(
  { clock, folder }: Outside,
  keepMs: number,
  places: Places,
): Promise<Pruned> {
  const folders = await findFolders(folder, places);
  await refuseRuns(folders.state);
  return await withLedger(folders, clock, (ledger) => ledger.prune(clock.now() - keepMs));
}

export async function restore(
  { clock, folder: start }: Outside,
  backup: string | undefined,
  isForced: boolean,
  places: Places,
): Promise<RestoreResult> {
  const { state: folder } = await findFolders(start, places);
  return await restoreLedger({ folder, backup, isForced, nowMs: clock.now() });
}

/** The password is that of libpq's variable: a command line is seen by every user of the machine. */
export async function copy(
  { clock, environment, stop, folder: start }: Outside,
  to: PostgresAccess,
  places: Places,
  watch: (progress: CopyProgress) => void,
): Promise<CopiedLedger> {
  const { state: folder } = await findFolders(start, places);
  await refuseRuns(folder);
  const password = environment['PGPASSWORD'];
  return await copyLedger({
    folder,
    access: { ...to, ...(password !== undefined && { password }) },
    clock,
    refuseStopped: () => {
      if (stop.aborted) throw new Stop(readSignal(stop), 'the copy was stopped: nothing of it is there.');
    },
    watch,
  });
}

function readSignal({ reason }: AbortSignal) {
  return reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
}

/**
 * Once a day, unless it is asked for otherwise; a run is no worse for want of it, so that trouble is told and no more. Who
 * has stopped the run does not wait for it.
 */
export async function backUp(
  { clock, stop }: Outside,
  folders: Folders,
  log: Log,
  everyMs?: number | 'off',
): Promise<void> {
  if (stop.aborted || everyMs === 'off') return;
  try {
    await backUpLedger(folders.state, clock.now(), { everyMs, stop });
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    log.warn(`no backup of the ledger: ${error.message}`);
  }
}
