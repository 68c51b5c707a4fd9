/** Watches a run for a person or for cron: who began, how it goes, and what the stages have to say. */
import type { Log } from '../domain/log.ts';
import type { Progress } from '../domain/progress.ts';
import type { Globals } from './global.ts';
import { Pace } from './pace.ts';
import { openJsonLog, makeTextLog } from './print/log.ts';
import { openProgressLine, printBegun, printProgress, progressFacts } from './print/progress.ts';
import type { RunWatch } from './spine.ts';
import type { Tools } from './tools.ts';

/** At most four times a second on a terminal, at most once a minute elsewhere. */
const redrawMs = 250;
const plainMs = 60_000;

export interface Watching {
  readonly watch: RunWatch;
  /** Ends the watching and takes the progress line away. */
  readonly close: () => Promise<void>;
}

export async function openWatching(tools: Tools, globals: Globals): Promise<Watching> {
  return globals.log === 'json' ? await watchForMachine(tools, globals) : watchForPerson(tools, globals);
}

async function watchForMachine(tools: Tools, globals: Globals): Promise<Watching> {
  const { console, clock } = tools;
  const log = await openJsonLog(console, () => clock.now());
  const follower = makeFollower(tools, plainMs, false, (progress, pace) =>
    log.info('progress', progressFacts(progress, pace.read(progress, clock.monotonic()))),
  );
  return {
    watch: {
      log: globals.isQuiet ? { ...log, info: () => undefined } : log,
      begun: (run, isResumed) => {
        log.nameRun(run.id);
        if (!globals.isQuiet) log.info('run begins', { pipeline: run.pipeline, resumed: isResumed });
      },
      follow: globals.isQuiet ? () => undefined : follower.follow,
    },
    close: follower.close,
  };
}

function watchForPerson(tools: Tools, globals: Globals): Watching {
  const { console, clock } = tools;
  const { isTerminal } = console;
  const line = openProgressLine(console);
  const log: Log = makeTextLog(console, line.clear);
  const follower = makeFollower(tools, isTerminal ? redrawMs : plainMs, isTerminal, (progress, pace) => {
    const reading = pace.read(progress, clock.monotonic());
    if (isTerminal) line.draw(progress, reading);
    else printProgress(console, progress, reading, clock.now());
  });
  return {
    watch: {
      log,
      begun: (run, isResumed) => {
        if (!globals.isQuiet) printBegun(console, run, isResumed, clock.now());
      },
      follow: globals.isQuiet ? () => undefined : follower.follow,
    },
    close: async () => {
      try {
        await follower.close();
      } finally {
        line.clear();
      }
    },
  };
}

interface Follower {
  readonly follow: (read: () => Progress) => void;
  readonly close: () => Promise<void>;
}

/** Asks for the progress at a steady beat, from the first moment or after the first beat. */
function makeFollower(
  { clock }: Tools,
  beatMs: number,
  isShownAtOnce: boolean,
  show: (progress: Progress, pace: Pace) => void,
): Follower {
  const end = new AbortController();
  const pace = new Pace();
  let following = Promise.resolve();
  let trouble: unknown;
  const keepFollowing = async (read: () => Progress) => {
    if (isShownAtOnce) show(read(), pace);
    else pace.read(read(), clock.monotonic());
    for (;;) {
      await clock.sleep(beatMs, end.signal);
      if (end.signal.aborted) return;
      show(read(), pace);
    }
  };
  return {
    follow: (read) => {
      following = keepFollowing(read).catch((error: unknown) => {
        trouble = error;
      });
    },
    close: async () => {
      end.abort();
      await following;
      if (trouble !== undefined) throw trouble;
    },
  };
}
