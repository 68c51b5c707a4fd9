/** `--wait`: waits its turn while another run holds the pipeline. */
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../domain/log.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { Deadline } from './deadline.ts';

const lookEveryMs = 1000;

/**
 * What `takeLock` answers once it no longer says that another run holds the pipeline (exit 6).
 *
 * @throws `Stop` with the exit code of the signal, or 4 where the deadline came first.
 */
export async function waitForLock<Release>(
  takeLock: () => Promise<Release>,
  tools: {
    readonly clock: Clock;
    readonly stop: AbortSignal;
    readonly deadline: Pick<Deadline, 'signal' | 'reached'>;
    readonly log: Log;
  },
): Promise<Release> {
  const { clock, stop, deadline, log } = tools;
  const ended = AbortSignal.any([stop, deadline.signal]);
  for (let isTold = false; ; isTold = true) {
    try {
      return await takeLock();
    } catch (error) {
      if (!(error instanceof Stop) || error.exitCode !== exitCodes.locked) throw error;
      if (!isTold) log.warn(`waiting: ${error.message.split('. ', 1)[0] ?? ''}`);
      if (ended.aborted) throw explainEnd(tools);
    }
    await clock.sleep(lookEveryMs, ended);
  }
}

function explainEnd({ stop, deadline }: Parameters<typeof waitForLock>[1]): Stop {
  const advice = 'Run again to wait for its turn.';
  if (!stop.aborted) {
    const what = `stopped at ${deadline.reached() ?? 'a deadline'}`;
    return new Stop(exitCodes.capped, `${what}, while another run held the pipeline. ${advice}`);
  }
  const [code, word] =
    stop.reason === 'SIGTERM'
      ? ([exitCodes.terminated, 'terminated'] as const)
      : ([exitCodes.interrupted, 'interrupted'] as const);
  return new Stop(code, `${word} while another run held the pipeline. ${advice}`);
}
