/** Images that vendors returned, named by their content. */
import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ArtifactFolder } from '../domain/output.ts';
import { syncFolder, writeBytesAside } from './atomic-file.ts';
import { joinConfined } from './output-path.ts';
import { makeFolder } from './make-folder.ts';
import { explainFileError } from './trouble.ts';

/** `<out>/<pipeline>/artifacts/`; made when the first artifact is saved. */
export function openArtifactFolder(out: string, pipeline: string): ArtifactFolder {
  const folder = joinConfined(resolve(out), pipeline, 'artifacts');
  return {
    save: async (bytes, extension, mediaType) => {
      const name = nameArtifact(bytes, extension);
      await saveBytes(folder, name, bytes);
      return { path: `artifacts/${name}`, mediaType, bytes: bytes.byteLength };
    },
  };
}

export function nameArtifact(bytes: Uint8Array, extension: string): string {
  return `${createHash('sha256').update(bytes).digest('hex')}.${cleanExtension(extension)}`;
}

/** The name says the content, so a file of that name and size is the same file. */
async function saveBytes(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, name);
  try {
    makeFolder(folder);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() && found.size === bytes.byteLength) await syncFolder(folder);
    else await writeBytesAside(path, bytes);
  } catch (error) {
    throw explainFileError('artifact folder', folder, error);
  }
}

function cleanExtension(extension: string): string {
  const clean = extension.toLowerCase().replace(/^\./, '');
  return /^[a-z0-9]{1,8}$/.test(clean) ? clean : 'bin';
}
