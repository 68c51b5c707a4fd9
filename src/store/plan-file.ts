/** Plan files on the disk. */
import { readFile, stat } from 'node:fs/promises';
import { describeError, Stop, wrongUse } from '../domain/problem.ts';
import { writeFileAside } from './atomic-file.ts';
import { explainFileError } from './trouble.ts';

/** A plan has some tens of kilobytes. */
const maxBytes = 4_000_000;

/** @throws `Stop` where it cannot be read, or is far too large for a plan */
export async function readPlanFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw wrongUse(`plan "${path}": expected at most ${maxBytes} bytes, found ${size}.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Stop) throw error;
    throw wrongUse(`plan "${path}": it cannot be read: ${describeError(error)}. Check the path.`);
  }
}

/** Whole or not at all. */
export async function writePlanFile(path: string, text: string): Promise<void> {
  try {
    await writeFileAside(path, (sink) => sink.write(text));
  } catch (error) {
    throw explainFileError('plan', path, error);
  }
}
