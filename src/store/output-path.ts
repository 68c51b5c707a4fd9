/** Keeps what is written below the output folder, whatever a name says. */
import { join } from 'node:path';

/**
 * A path below `folder`; each name is one step down.
 *
 * @throws where a name is empty or would lead elsewhere.
 */
export function joinConfined(folder: string, ...names: readonly string[]): string {
  for (const name of names) checkStep(name, folder);
  return join(folder, ...names);
}

/** @throws where a name is empty or would lead elsewhere. */
export function checkStep(name: string, folder: string): void {
  if (['', '.', '..'].includes(name) || /[/\\]/.test(name) || name.includes('\0')) {
    throw new Error(`"${name}" is not a name for a file or folder below "${folder}"`);
  }
}
