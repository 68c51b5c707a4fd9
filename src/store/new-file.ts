/** Files that are made where there is none: what a person has written is never touched. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { explainFileError } from './trouble.ts';

/** False where something stood there already. Throws a `Stop` where it cannot be written. */
export async function writeNewFile(path: string, text: string): Promise<boolean> {
  try {
    makeFolder(dirname(path));
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw explainFileError('file', path, error);
  }
}

/** A file that comes with the program. */
export function readShippedFile(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
