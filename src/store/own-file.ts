/** Database files that their owner alone may read, with all that SQLite puts beside them. */
import { accessSync, chmodSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';

/**
 * Makes an empty file, and its folder, where there is none, for SQLite to open; its side files get the same permissions. A
 * file that is there is not opened here: closing it would drop the locks that this process has on it
 * (https://www.sqlite.org/howtocorrupt.html, section 2.2, read 2026-11-20).
 */
export function makeOwnFile(path: string): void {
  makeFolder(dirname(path), 0o700);
  if (existsSync(path)) accessSync(path, constants.W_OK);
  else closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
