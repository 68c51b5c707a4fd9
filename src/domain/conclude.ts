/** How a run ended: the exit code, the state that is remembered, and why in words. Pure. */
import type { RunState } from './ledger.ts';
import { chooseExitCode, type ExitCode, exitCodes } from './problem.ts';
import { formatCount } from './quantity.ts';
import type { Summary, VerdictCounts } from './summary.ts';

/** What a conclusion is drawn from. */
export interface Ending {
  readonly counts: Summary['counts'];
  readonly verdicts: VerdictCounts;
  readonly isBalanced: boolean;
  /** Tasks that there should be, and tasks that there are. */
  readonly expected: number;
  readonly found: number;
  /** The signal that stopped the run. */
  readonly signal?: 'SIGINT' | 'SIGTERM' | undefined;
  readonly halts: readonly {
    readonly account: string;
    readonly service?: string | undefined;
    readonly reason: string;
  }[];
  /** Why the source could not be read to its end, and the exit code that this deserves. */
  readonly sourceTrouble?: { readonly message: string; readonly exitCode: ExitCode } | undefined;
  /** Keys of the caps that kept tasks from being sent. */
  readonly fullCaps?: readonly string[] | undefined;
  readonly failOn?: 'review' | 'block' | undefined;
  /** The deadline that cut the run short, such as `--until 06:00`. */
  readonly deadline?: string | undefined;
  /** Failed tasks that a person has acknowledged: they are reported, and weigh nothing. */
  readonly acknowledged?: number | undefined;
  /** Why the rest of the run does not follow its canary. */
  readonly canaryStop?: string | undefined;
}

export interface Conclusion {
  readonly exitCode: ExitCode;
  readonly state: RunState;
  readonly why: string;
}

const goesOn = 'Run again to go on.';

/** Every reason that holds is looked at; the exit code and the words are those of the gravest. */
export function conclude(ending: Ending): Conclusion {
  const reasons = listReasons(ending);
  const exitCode = chooseExitCode([...reasons.keys()]);
  // Only a run that has nothing left to do is finished; the others are gone on with.
  const isFinished =
    exitCode === exitCodes.complete || exitCode === exitCodes.failures || exitCode === exitCodes.flagged;
  return {
    exitCode,
    state: isFinished ? 'finished' : 'stopped',
    why: reasons.get(exitCode) ?? 'finished',
  };
}

function listReasons(ending: Ending): Map<ExitCode, string> {
  const { counts, verdicts, halts, signal, sourceTrouble, failOn } = ending;
  const reasons = new Map<ExitCode, string>();
  if (!ending.isBalanced) {
    const numbers = `${formatCount(ending.expected)} tasks expected, ${formatCount(ending.found)} found`;
    reasons.set(
      exitCodes.ourMistake,
      `the accounts do not balance: ${numbers}. This is a mistake of mediasweep.`,
    );
  }
  if (signal === 'SIGINT') reasons.set(exitCodes.interrupted, `interrupted. ${goesOn}`);
  if (signal === 'SIGTERM') reasons.set(exitCodes.terminated, `terminated. ${goesOn}`);
  const isKeptOpen = signal !== undefined || ending.deadline !== undefined || ending.canaryStop !== undefined;
  if (!isKeptOpen && counts.open > 0) {
    reasons.set(exitCodes.halted, `${formatCount(counts.open)} tasks are still open. ${goesOn}`);
  }
  if (sourceTrouble) reasons.set(sourceTrouble.exitCode, sayGoesOn(sourceTrouble.message));
  if (halts.length > 0) {
    reasons.set(exitCodes.halted, `halted: ${halts.map(describeHalt).join('; ')}. ${goesOn}`);
  }
  const ends = [
    ...(counts.overCap > 0 ? [describeFullCaps(counts.overCap, ending.fullCaps ?? [])] : []),
    ...(ending.deadline === undefined ? [] : [`stopped at ${ending.deadline}. ${goesOn}`]),
  ];
  const advice = ending.deadline === undefined ? adviseOnCaps(ending.fullCaps ?? []) : '';
  if (ends.length > 0)
    reasons.set(exitCodes.capped, `${ends.join('; ')}${advice === '' ? '' : `.${advice}`}`);
  if (ending.canaryStop !== undefined) reasons.set(exitCodes.capped, ending.canaryStop);
  const acknowledged = Math.min(ending.acknowledged ?? 0, counts.failed);
  const failed = counts.failed - acknowledged;
  const aside =
    acknowledged === 0 ? '' : `${formatCount(acknowledged)} acknowledged ${plural(acknowledged, 'failure')}`;
  if (failed + counts.held > 0) {
    const more = aside === '' ? '' : `, ${aside} besides`;
    reasons.set(exitCodes.failures, `finished with ${describeTroubled(failed, counts.held)}${more}`);
  } else if (aside !== '') reasons.set(exitCodes.complete, `finished with ${aside}`);
  const flagged = verdicts.block + (failOn === 'review' ? verdicts.review : 0);
  if (failOn !== undefined && flagged > 0) {
    reasons.set(
      exitCodes.flagged,
      `finished, and ${formatCount(flagged)} ${plural(flagged, 'item')} flagged (--fail-on ${failOn})`,
    );
  }
  return reasons;
}

/** What a plan allows is raised by allowing more of it. */
function adviseOnCaps(fullCaps: readonly string[]): string {
  const isPlan = fullCaps.length > 0 && fullCaps.every((name) => name.startsWith('plan.'));
  return isPlan
    ? ' Allow for more with --plan FILE --tolerance SHARE, or a new plan, and run again to go on.'
    : ' Raise it and run again to go on.';
}

/** Some troubles already say so. */
function sayGoesOn(message: string): string {
  return message.includes(goesOn) ? message : `${message} ${goesOn}`;
}

function describeHalt(halt: Ending['halts'][number]): string {
  const what = halt.service === undefined ? '' : `service "${halt.service}" on `;
  return `${what}account "${halt.account}": ${halt.reason}`;
}

function describeFullCaps(overCap: number, fullCaps: readonly string[]): string {
  const names = fullCaps.length === 0 ? '' : ` (${fullCaps.join(', ')})`;
  const over = `${formatCount(overCap)} ${plural(overCap, 'task')} over it`;
  return `stopped at the cap${names}, ${over}`;
}

function describeTroubled(failed: number, held: number): string {
  const parts = [
    ...(failed > 0 ? [`${formatCount(failed)} ${plural(failed, 'failure')}`] : []),
    ...(held > 0 ? [`${formatCount(held)} held ${plural(held, 'task')}`] : []),
  ];
  return parts.join(' and ');
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}
