#!/usr/bin/env node
/** The executable: makes the outside (network, clock, environment, signals) and sets the exit code. */
import { setMaxListeners } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runCommand } from './cli/program.ts';
import type { Spine } from './cli/spine.ts';
import { exitCodes } from './domain/problem.ts';
import { systemClock } from './wire/clock.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Garbage is collected when the heap has grown by half, not threefold: that alone takes a quarter off what a run holds. */
setFlagsFromString('--heap-growing-percent=50');

/** `timeout`, `npx` and others signal the process and then its group: what comes within this time is the same wish. */
const sameWishMs = 250;

/** The first signal asks for an orderly end, a second one ends at once. */
function listenForSignals(): AbortSignal {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  let askedAt = 0;
  const signals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;
  for (const [signal, exitCode] of Object.entries(signals)) {
    process.on(signal, () => {
      if (stop.signal.aborted && systemClock.monotonic() - askedAt > sameWishMs) process.exit(exitCode);
      if (stop.signal.aborted) return;
      askedAt = systemClock.monotonic();
      stop.abort(signal);
    });
  }
  return stop.signal;
}

/** A reader of ours that goes away (`| head`) is no trouble. */
function forgiveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.complete);
      throw error;
    });
  }
}

/** The stages are loaded when a command first asks for them, so that `--help` need not wait. */
function openLazily(stop: AbortSignal): Spine {
  const open = async (): Promise<Spine> => {
    const { makeSpine } = await import('./pipeline.ts');
    return makeSpine({
      environment: process.env,
      clock: systemClock,
      folder: process.cwd(),
      home: fileURLToPath(new URL('..', import.meta.url)),
      version,
      processId: process.pid,
      standardInput: process.stdin,
      stop,
    });
  };
  return {
    catalogue: async () => (await open()).catalogue(),
    schemas: async () => (await open()).schemas(),
    check: async (...given) => (await open()).check(...given),
    doctor: async (...given) => (await open()).doctor(...given),
    prices: async (...given) => (await open()).prices(...given),
    estimate: async (...given) => (await open()).estimate(...given),
    reconcile: async (...given) => (await open()).reconcile(...given),
    cost: async (...given) => (await open()).cost(...given),
    run: async (...given) => (await open()).run(...given),
    report: async (...given) => (await open()).report(...given),
    judge: async (...given) => (await open()).judge(...given),
    diff: async (...given) => (await open()).diff(...given),
    status: async (...given) => (await open()).status(...given),
    listHeld: async (...given) => (await open()).listHeld(...given),
    settleHeld: async (...given) => (await open()).settleHeld(...given),
    listFailed: async (...given) => (await open()).listFailed(...given),
    acknowledgeFailed: async (...given) => (await open()).acknowledgeFailed(...given),
    init: async (...given) => (await open()).init(...given),
    importReview: async (...given) => (await open()).importReview(...given),
    listDecisions: async (...given) => (await open()).listDecisions(...given),
    pruneLedger: async (...given) => (await open()).pruneLedger(...given),
    backUpLedger: async (...given) => (await open()).backUpLedger(...given),
    restoreLedger: async (...given) => (await open()).restoreLedger(...given),
    copyLedger: async (...given) => (await open()).copyLedger(...given),
    emulate: async (...given) => (await open()).emulate(...given),
    work: async (...given) => (await open()).work(...given),
    rehearse: async (...given) => (await open()).rehearse(...given),
  };
}

const { stdin, stdout, stderr, env } = process;

/** Questions on the terminal; what is pasted for several of them is kept. Nothing comes where input was ended. */
function openQuestions(): (question: string) => Promise<string | undefined> {
  let lines: Interface | undefined;
  const answers: (string | undefined)[] = [];
  let take: (() => void) | undefined;
  const put = (answer: string | undefined) => {
    answers.push(answer);
    take?.();
  };
  const open = () => {
    const opened = createInterface({ input: stdin, output: stderr });
    opened.on('line', put);
    opened.on('SIGINT', () => opened.close());
    opened.on('close', () => put(undefined));
    return opened;
  };
  return async (question) => {
    lines ??= open();
    lines.setPrompt(question);
    lines.prompt();
    while (answers.length === 0) {
      await new Promise<void>((resolve) => {
        take = resolve;
      });
    }
    // Nobody waits for input meanwhile, so that the process can end.
    lines.pause();
    return answers.shift();
  };
}

const stop = listenForSignals();
forgiveClosedPipes();
process.exitCode = await runCommand(process.argv.slice(2), {
  spine: openLazily(stop),
  console: {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    isTerminal: stderr.isTTY === true,
    ...(stdin.isTTY === true && stderr.isTTY === true && { ask: openQuestions() }),
    get columns() {
      return stderr.columns ?? 80;
    },
    useColour: stdout.isTTY === true && stderr.isTTY === true && (env['NO_COLOR'] ?? '') === '',
  },
  clock: systemClock,
  stop,
  version,
});
