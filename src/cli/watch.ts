/** Watches a run for a person or for cron: who began, how it goes, and what the stages have to say. */
import type { Log } from '../domain/log.ts';
import type { Progress } from '../domain/progress.ts';
import type { Globals } from './global.ts';
import { Pace, type PaceReading } from './pace.ts';
import { openJsonLog, makeTextLog } from './print/log.ts';
import {
  formatEstimateProgress,
  openLine,
  openProgressLine,
  printBegun,
  printEstimateProgress,
  printProgress,
  progressFacts,
} from './print/progress.ts';
import type { EstimateProgress, EstimateWatch, RunWatch } from './spine.ts';
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
  const follower = makeRunFollower(tools, plainMs, false, (progress, reading) =>
    log.info('progress', progressFacts(progress, reading)),
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
  const follower = makeRunFollower(
    tools,
    isTerminal ? redrawMs : plainMs,
    isTerminal,
    (progress, reading) => {
      if (isTerminal) line.draw(progress, reading);
      else printProgress(console, progress, reading, clock.now());
    },
  );
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

/** A run's pace is that of its latest progress, whether or not it is shown. */
function makeRunFollower(
  tools: Tools,
  beatMs: number,
  isShownAtOnce: boolean,
  show: (progress: Progress, reading: PaceReading) => void,
): Follower<Progress> {
  const pace = new Pace();
  return makeFollower(tools, beatMs, (progress, isShown) => {
    const reading = pace.read(progress, tools.clock.monotonic());
    if (isShown || isShownAtOnce) show(progress, reading);
  });
}

interface Follower<Value> {
  readonly follow: (read: () => Value) => void;
  readonly close: () => Promise<void>;
}

/** Asks whoever is followed last for the progress, at once and then at a steady beat; `look` is told whether a beat has passed. */
function makeFollower<Value>(
  { clock }: Tools,
  beatMs: number,
  look: (progress: Value, hasPassed: boolean) => void,
): Follower<Value> {
  const end = new AbortController();
  let following: Promise<void> | undefined;
  let trouble: unknown;
  let read: () => Value;
  const keepFollowing = async () => {
    look(read(), false);
    for (;;) {
      await clock.sleep(beatMs, end.signal);
      if (end.signal.aborted) return;
      look(read(), true);
    }
  };
  return {
    follow: (next) => {
      read = next;
      following ??= keepFollowing().catch((error: unknown) => {
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

export interface EstimateWatching {
  readonly watch: EstimateWatch;
  /** Ends the watching and takes the progress line away. */
  readonly close: () => Promise<void>;
}

/** As `openWatching`, for an estimate: how many items are listed, and how many headers read. */
export async function openEstimateWatching(tools: Tools, globals: Globals): Promise<EstimateWatching> {
  const { console, clock } = tools;
  const isJson = globals.log === 'json';
  const line = openLine(console);
  const log = isJson ? await openJsonLog(console, () => clock.now()) : makeTextLog(console, line.clear);
  const { isTerminal } = console;
  const isDrawn = isTerminal && !isJson;
  const follower = makeFollower<EstimateProgress>(
    tools,
    isDrawn ? redrawMs : plainMs,
    (progress, hasPassed) => {
      if (isDrawn) line.draw(formatEstimateProgress(progress));
      else if (hasPassed && isJson) log.info('progress', { ...progress });
      else if (hasPassed) printEstimateProgress(console, progress, clock.now());
    },
  );
  return {
    watch: { log, follow: globals.isQuiet ? () => undefined : follower.follow },
    close: async () => {
      try {
        await follower.close();
      } finally {
        line.clear();
      }
    },
  };
}
