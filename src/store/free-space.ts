/** How much room a disk has left, and a file takes. */
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes free for us where this folder is or would be; `undefined` where that cannot be told. */
export async function readFreeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    const parent = dirname(folder);
    return parent === folder ? undefined : await readFreeBytes(parent);
  }
}

/** `undefined` where there is no such file. */
export async function readFileBytes(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
