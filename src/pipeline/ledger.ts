/** Commands on the memory of all runs, and the ways in that the others share. */
import { resolve } from 'node:path';
import type { BackupResult, Places, RestoreResult } from '../cli/spine.ts';
import { type Folders, findFolders, openCluster } from '../config/open.ts';
import type { Ledger, Pruned, RunRecord } from '../domain/ledger.ts';
import type { CopiedLedger, CopyProgress } from '../domain/ledger-copy.ts';
import { type Log, silentLog } from '../domain/log.ts';
import type { PostgresAccess } from '../domain/postgres.ts';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import { backUpLedger, refuseRuns, restoreLedger, saveLedger } from '../store/backup.ts';
import { openLedger } from '../store/ledger.ts';
import { openPostgresLedger, type PostgresOpening } from '../store/postgres-ledger.ts';
import { copyLedger } from '../store/postgres/copy.ts';
import { withCluster } from './cluster.ts';
import type { Outside } from './outside.ts';

/** The ledger that machines share, where `config/cluster.yaml` names one; else that of the state folder. */
export async function withLedger<Value>(
  folders: Folders,
  outside: Pick<Outside, 'clock' | 'environment'>,
  use: (ledger: Ledger) => Promise<Value>,
  { isThreaded = false, log }: { readonly isThreaded?: boolean; readonly log?: Log } = {},
): Promise<Value> {
  const { clock } = outside;
  const postgres = await findPostgres(folders, outside, log);
  const ledger = postgres
    ? await openPostgresLedger(postgres)
    : await openLedger({ folder: folders.state, clock, isThreaded });
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** How the shared ledger is opened; nothing where each machine has its own. */
export async function findPostgres(
  folders: Pick<Folders, 'config'>,
  { clock, environment }: Pick<Outside, 'clock' | 'environment'>,
  log?: Log,
): Promise<PostgresOpening | undefined> {
  const access = (await openCluster(folders.config, environment))?.ledger;
  return access && { access, clock, ...(log && { tell: (words) => log.warn(words) }) };
}

/** For commands without a pipeline: the ledger of the project that they are given in. */
export async function withLedgerOf<Value>(
  outside: Outside,
  places: Places,
  use: (ledger: Ledger) => Promise<Value>,
): Promise<Value> {
  return await withLedger(await findFolders(outside.folder, places), outside, use);
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

export async function pruneLedger(outside: Outside, keepMs: number, places: Places): Promise<Pruned> {
  const folders = await findFolders(outside.folder, places);
  await refuseRuns(folders.state);
  return await withLedger(folders, outside, async (ledger) => {
    await refuseSharedRuns(outside, folders, ledger);
    return await ledger.prune(outside.clock.now() - keepMs);
  });
}

/** Runs of other machines on the same ledger. */
async function refuseSharedRuns(outside: Outside, folders: Folders, ledger: Ledger): Promise<void> {
  await withCluster(outside, folders, silentLog, async (cluster) => {
    if (!cluster) return;
    for (const { pipeline, state } of await ledger.listRuns(1000)) {
      if (state !== 'running' || !(await cluster.isAtWork(pipeline, ledger))) continue;
      throw new Stop(
        exitCodes.locked,
        `ledger: a run of pipeline "${pipeline}" is under way on some machine. Wait until it has ended.`,
      );
    }
  });
}

/** Runs may go on meanwhile. A file that is named stands where the command is given. */
export async function save(outside: Outside, to: string | undefined, places: Places): Promise<BackupResult> {
  const { clock, stop, folder: start } = outside;
  const folders = await findFolders(start, places);
  if (await findPostgres(folders, outside)) {
    throw wrongUse(
      'ledger backup: the ledger is on PostgreSQL, which has backups of its own, such as pg_dump. See docs/postgres.md.',
    );
  }
  const saved = await saveLedger({
    folder: folders.state,
    ...(to !== undefined && { to: resolve(start, to) }),
    nowMs: clock.now(),
    stop,
  });
  if (saved) return saved;
  throw new Stop(readSignal(stop), 'the backup was stopped: nothing of it is there.');
}

export async function restore(
  { clock, environment, folder: start }: Outside,
  backup: string | undefined,
  isForced: boolean,
  places: Places,
): Promise<RestoreResult> {
  const folders = await findFolders(start, places);
  const { state: folder } = folders;
  if (await findPostgres(folders, { clock, environment })) {
    throw wrongUse(
      'ledger restore: the ledger is on PostgreSQL, which has backups of its own. Restore it there, while nothing runs.',
    );
  }
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
  outside: Outside,
  folders: Folders,
  log: Log,
  everyMs?: number | 'off',
): Promise<void> {
  const { clock, stop } = outside;
  // A database server has backups of its own.
  if (stop.aborted || everyMs === 'off' || (await findPostgres(folders, outside))) return;
  try {
    await backUpLedger(folders.state, clock.now(), { everyMs, stop });
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    log.warn(`no backup of the ledger: ${error.message}`);
  }
}
