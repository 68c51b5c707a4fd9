/** Trouble: expected trouble is a value (`Problem`), only what ends the run is thrown (`Stop`). */

/** One fault of a file that a person wrote. `message` says what was expected and found, and what to do. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Path inside the file such as `services[0].options.tag_top_k`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
}

/** `file:line:column path: message`, the form of every config fault. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === ''
    ? `${place}: ${problem.message}`
    : `${place} ${problem.path}: ${problem.message}`;
}

/** Exit codes of the command line. The first that holds of `exitMeanings` is used. */
export const exitCodes = {
  complete: 0,
  failures: 1,
  wrongUse: 2,
  halted: 3,
  capped: 4,
  flagged: 5,
  locked: 6,
  ourMistake: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each exit code says, the one that wins first. */
export const exitMeanings: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: 70, meaning: 'our mistake' },
  { code: 2, meaning: 'wrong use or config' },
  { code: 6, meaning: 'another run holds the pipeline' },
  { code: 130, meaning: 'interrupted (SIGINT), run again to go on' },
  { code: 143, meaning: 'terminated (SIGTERM), run again to go on' },
  { code: 3, meaning: 'halted or a dependency lost, run again to go on' },
  { code: 4, meaning: 'stopped at a cap or deadline, run again to go on' },
  { code: 1, meaning: 'finished with failed or held tasks' },
  { code: 5, meaning: '--fail-on matched' },
  { code: 0, meaning: 'complete' },
];

/** The exit code that wins among those that hold. None holding is 0. */
export function chooseExitCode(codes: readonly ExitCode[]): ExitCode {
  return exitMeanings.find(({ code }) => codes.includes(code))?.code ?? exitCodes.complete;
}

/** Ends the command: a message for the person, and the exit code. Never carries a secret. */
export class Stop extends Error {
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
  constructor(exitCode: ExitCode, message: string, problems: readonly Problem[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Stop';
    this.exitCode = exitCode;
    this.problems = problems;
  }
}

/** Wrong use or config: exit 2. */
export function wrongUse(message: string, problems: readonly Problem[] = []): Stop {
  return new Stop(exitCodes.wrongUse, message, problems);
}

/** Any thrown value in one line of words. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return String(error);
}
