/** What was thrown while something was looked at, as a diagnosis. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { describeError, exitCodes, Stop } from '../domain/problem.ts';

/** A thrown `Stop` says where and what to do. */
export function describeFailure(subject: string, error: unknown, advice = ''): Diagnosis {
  const isWrong = error instanceof Stop && error.exitCode === exitCodes.wrongUse;
  const exitCode = isWrong ? exitCodes.wrongUse : exitCodes.halted;
  return { level: 'fail', subject, message: `${describeError(error)}${advice}`, exitCode };
}
