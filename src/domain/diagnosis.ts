/** What the doctor says of one part of the world around a pipeline. */
import type { ExitCode } from './problem.ts';

export interface Diagnosis {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at, such as `storage main`. */
  readonly subject: string;
  /** What was found; where that is not in order, with what to do. */
  readonly message: string;
  /** For `fail`: wrong use where a person must set something right, halted where something was lost. */
  readonly exitCode?: Extract<ExitCode, 2 | 3> | undefined;
}
