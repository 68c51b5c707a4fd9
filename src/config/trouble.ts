/** Where faults and warnings are gathered while files are read, so that all are told at once. */
import type { Problem } from '../domain/problem.ts';
import { formatPath, type Path } from './document.ts';
import { type ConfigFile, faultsUnder, isUnset } from './variable.ts';

export interface Trouble {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** A fault of a place in a file. */
export function makeProblem(
  file: ConfigFile,
  path: Path,
  message: string,
  of: 'key' | 'value' = 'value',
): Problem {
  return { file: file.file, ...file.place(path, of), path: formatPath(path), message };
}

/** A variable that is not set is told of where it is needed; what stands in its place says nothing. */
export function reportProblem(trouble: Trouble, file: ConfigFile, path: Path, message: string): void {
  if (isUnset(file, path)) return;
  trouble.problems.push(makeProblem(file, path, message));
}

export function reportWarning(trouble: Trouble, file: ConfigFile, path: Path, message: string): void {
  trouble.warnings.push(makeProblem(file, path, message));
}

/** Tells of the variables that are not set in a part of a file that is needed. */
export function reportVariables(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  isNeeded: (path: Path) => boolean = () => true,
): void {
  for (const fault of faultsUnder(file, path)) {
    if (isNeeded(fault.path)) trouble.problems.push(makeProblem(file, fault.path, fault.message));
  }
}
