/**
 * Keeps two runs of one pipeline apart. The lock is SQLite's exclusive lock on a side file: the system drops it at once
 * when its holder dies, however it dies. Who holds it stands in a second file, since reading the first would not be safe.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Stop } from '../domain/problem.ts';
import { writeFileAside } from './atomic-file.ts';
import { makeOwnFile } from './own-file.ts';
import { loadDriver } from './sqlite/driver.ts';
import { explainDatabaseError } from './trouble.ts';

/** What others are told about the process that holds a pipeline. */
export interface LockHolder {
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** Long enough for someone who only looks, see `isRunLocked`, to let go. */
const patienceMs = 200;

/**
 * Takes the lock `locks/<pipeline>.lock` of the state folder and answers what releases it. Does not wait for a run.
 *
 * @throws `Stop` with exit 6 where another run holds it, naming the holder.
 */
export async function acquireRunLock(
  folder: string,
  pipeline: string,
  holder: LockHolder,
): Promise<() => void> {
  const driver = await loadDriver();
  const { lock, note } = findLock(folder, pipeline);
  let opened: InstanceType<typeof driver> | undefined;
  try {
    makeOwnFile(lock);
    opened = new driver(lock, { timeout: patienceMs });
    opened.exec('BEGIN EXCLUSIVE');
    await writeFileAside(note, (sink) => sink.write(`${JSON.stringify(holder)}\n`), 0o600);
    const held = opened;
    return () => {
      held.close();
    };
  } catch (error) {
    opened?.close();
    if (isBusy(error)) throw refuse(pipeline, note);
    throw explainDatabaseError('lock', lock, error);
  }
}

/** Whether a process that is alive runs this pipeline at this moment. */
export async function isRunLocked(folder: string, pipeline: string): Promise<boolean> {
  const { lock } = findLock(folder, pipeline);
  if (!existsSync(lock)) return false;
  const driver = await loadDriver();
  const opened = new driver(lock, { readonly: true, timeout: 0 });
  try {
    opened.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw explainDatabaseError('lock', lock, error);
  } finally {
    opened.close();
  }
}

/** Pipelines that a living process runs. */
export async function listLocked(folder: string): Promise<readonly string[]> {
  const locks = join(folder, 'locks');
  if (!existsSync(locks)) return [];
  const names = readdirSync(locks).flatMap((name) => (name.endsWith('.lock') ? [name.slice(0, -5)] : []));
  const locked: string[] = [];
  for (const name of names) if (await isRunLocked(folder, name)) locked.push(name);
  return locked;
}

/** A pipeline's name is the name of its file, so it fits; a separator in it would lead elsewhere. */
function findLock(folder: string, pipeline: string): { readonly lock: string; readonly note: string } {
  const base = join(folder, 'locks', pipeline.replaceAll(/[/\\]/g, '_'));
  return { lock: `${base}.lock`, note: `${base}.json` };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
}

function refuse(pipeline: string, path: string): Stop {
  return new Stop(
    exitCodes.locked,
    `pipeline "${pipeline}": another run holds it: ${describeHolder(path)}. Wait until it has ended, or stop that process; a dead one holds nothing.`,
  );
}

/** The holder may be just about to write the file. */
function describeHolder(path: string): string {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
    return `process ${pid}, since ${startedAt}`;
  } catch {
    return 'a process that has just begun';
  }
}
