/** Programs of this machine that suites and benchmarks start. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The ones among `programs` that are not on the PATH. */
export function findMissingPrograms(programs: readonly string[]): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return programs.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
