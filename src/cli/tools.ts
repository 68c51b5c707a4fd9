/** What the command line is handed by the executable: the program, the terminal, time, and the wish to stop. */
import type { Clock } from '../domain/clock.ts';
import type { ExitCode } from '../domain/problem.ts';
import type { Console } from './print/terminal.ts';
import type { Spine } from './spine.ts';

export interface Tools {
  readonly spine: Spine;
  readonly console: Console;
  readonly clock: Clock;
  /** Aborted by SIGINT or SIGTERM; ends commands that run until they are told to stop. */
  readonly stop: AbortSignal;
  /** What `--version` prints. */
  readonly version: string;
}

/** Told by a command once, when it is through. */
export type Conclude = (exitCode: ExitCode) => void;
