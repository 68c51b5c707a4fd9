/** Files that are there whole or not at all: written aside in the same folder, synced, renamed, and the folder synced. */
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { TextSink } from '../domain/output.ts';
import { ChunkSink } from './chunk-sink.ts';
import { explainFileError } from './trouble.ts';

/** Of this machine or container, fit for a file's name. */
const host = hostname().replaceAll(/[^\w.-]/g, '_');

let lastAside = 0;

/**
 * Writes text to `path` as `fill` gives it, at flat memory. Where `fill` throws, the file that was there stays. Who may
 * read it is the user's own choice (umask), unless `mode` says less.
 *
 * @throws `Stop` where the disk is full or the folder cannot be written.
 */
export function writeFileAside(
  path: string,
  fill: (sink: TextSink) => Promise<void>,
  mode?: number,
): Promise<void> {
  const write = async (file: FileHandle): Promise<void> => {
    const sink = new ChunkSink((text) => file.writeFile(text, 'utf8'));
    await fill(sink);
    await sink.flush();
  };
  return replaceFile(path, write, mode);
}

/** As `writeFileAside`, for bytes that are all there. */
export function writeBytesAside(path: string, bytes: Uint8Array): Promise<void> {
  return replaceFile(path, (file) => file.writeFile(bytes));
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name beside `path` that no other process, and no other write of this one, uses. */
export function makeAsidePath(path: string): string {
  lastAside += 1;
  return join(dirname(path), `.${host}-${process.pid}-${lastAside}.part`);
}

/**
 * Removes what writers that were killed have left in a folder. Only those of this machine can be known to be dead. Trouble
 * is passed over: nothing depends on it.
 */
export async function sweepAside(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const match = /^\.(.+)-(\d+)-\d+\.part$/.exec(name);
    if (!match || match[1] !== host || isAlive(Number(match[2]))) continue;
    await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user may not be asked, and is there.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  mode?: number,
): Promise<void> {
  const aside = makeAsidePath(path);
  try {
    const file = await open(aside, 'w', mode);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw explainFileError(`file "${basename(path)}" in`, dirname(path), error);
  }
}
