/** What goes along with a run without taking part in it: it watches, and is told how the run ended. */
import type { RunResult, RunWatch } from '../cli/spine.ts';
import type { Clock } from '../domain/clock.ts';
import type { RunRecord } from '../domain/ledger.ts';
import type { Log } from '../domain/log.ts';
import { describeError } from '../domain/problem.ts';
import type { Progress } from '../domain/progress.ts';

export interface Companion {
  /** For messages. */
  readonly name: string;
  readonly begun: (run: RunRecord) => void;
  readonly follow: (read: () => Progress) => void;
  readonly ended: (result: RunResult) => Promise<void>;
  /** The run threw, before or after it began. */
  readonly failed: (error: unknown) => Promise<void>;
  /** Lets everything go, whatever happened before. */
  readonly close: () => Promise<void>;
}

/** Runs with companions. None of them changes what the run comes to: their own trouble is told, and no more. */
export async function accompany(
  companions: readonly Companion[],
  watch: RunWatch,
  run: (watch: RunWatch) => Promise<RunResult>,
): Promise<RunResult> {
  const watched: RunWatch = {
    ...watch,
    begun: (record, isResumed) => {
      watch.begun(record, isResumed);
      for (const companion of companions) companion.begun(record);
    },
    follow: (read) => {
      watch.follow(read);
      for (const companion of companions) companion.follow(read);
    },
  };
  const tellAll = (tell: (companion: Companion) => Promise<void>) =>
    Promise.all(companions.map((companion) => quietly(watch.log, companion.name, () => tell(companion))));
  try {
    const result = await run(watched);
    await tellAll((companion) => companion.ended(result));
    return result;
  } catch (error) {
    await tellAll((companion) => companion.failed(error));
    throw error;
  } finally {
    await tellAll((companion) => companion.close());
  }
}

async function quietly(log: Log, name: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    log.warn(`${name}: ${describeError(error)} The run is not touched by it.`);
  }
}

export interface Beat {
  readonly begin: (act: () => Promise<void>) => void;
  /** Resolves when an act that is under way has ended. */
  readonly end: () => Promise<void>;
}

/** Acts again and again, `beatMs` after the act before has ended; trouble of an act is told under that name. */
export function makeBeat(clock: Clock, beatMs: number, log: Log, name: string): Beat {
  const ending = new AbortController();
  let beating = Promise.resolve();
  const keepBeating = async (act: () => Promise<void>) => {
    while (!ending.signal.aborted) {
      await quietly(log, name, act);
      await clock.sleep(beatMs, ending.signal);
    }
  };
  return {
    begin: (act) => {
      beating = keepBeating(act);
    },
    end: async () => {
      ending.abort();
      await beating;
    },
  };
}
