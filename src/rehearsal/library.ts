/** The rehearsal's own small media library: files made by `scripts/make-library.sh`, and what ffprobe says of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KnownMedia } from '../domain/emulator.ts';

/** A row of `library.json`. */
export interface LibraryRow {
  /** Relative to the library's folder, with `/` between its parts; the rehearsal's key. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  /** The rest is there for videos only. */
  readonly durationSeconds?: number;
  readonly framesPerSecond?: number;
  /** Counted by decoding. */
  readonly frames?: number;
  /** From the first frame on. */
  readonly keyFramesMs?: readonly number[];
}

/** A row with the file's content in the place of its length. */
export type LibraryFile = Omit<LibraryRow, 'bytes'> & { readonly bytes: Uint8Array };

/** `dist/rehearsal` and `src/rehearsal` lie equally deep, so that these hold for both. */
export const libraryFolder: string = fileURLToPath(new URL('../../src/rehearsal/library/', import.meta.url));
const libraryTable = new URL('../../src/rehearsal/library.json', import.meta.url);

/** The table, in the order of the paths' UTF-8 bytes. */
export async function loadTable(): Promise<readonly LibraryRow[]> {
  return JSON.parse(await readFile(libraryTable, 'utf8')) as LibraryRow[];
}

/** The whole library, less than a megabyte, in the order of the table. */
export async function loadLibrary(): Promise<readonly LibraryFile[]> {
  const load = async (row: LibraryRow): Promise<LibraryFile> => {
    return { ...row, bytes: await readFile(join(libraryFolder, nameOnDisk(row.path))) };
  };
  return Promise.all((await loadTable()).map(load));
}

/** A transport stream lies here as `.mpegts`, because compilers take every `.ts` below `src` for source. */
export function nameOnDisk(path: string): string {
  return path.replace(/\.ts$/, '.mpegts');
}

/** What the emulators are told of these files, by the hash of their bytes. */
export function makeKnownMedia(files: readonly Omit<LibraryRow, 'bytes'>[]): ReadonlyMap<string, KnownMedia> {
  return new Map(
    files.map(({ sha256, width, height, durationSeconds, framesPerSecond, keyFramesMs }) => [
      sha256,
      { width, height, durationSeconds, framesPerSecond, keyFramesMs },
    ]),
  );
}
