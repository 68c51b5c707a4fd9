/** What the stages tell while they work, as lines on stderr: words for people, or JSON for machines. */
import type { Log, LogFacts } from '../../domain/log.ts';
import { type Console, writeNote } from './terminal.ts';
import { makeInk } from './ink.ts';
import { makePlain } from './plain.ts';

/** Warnings only: nothing is to scroll by that nobody reads. The rest is in `--log json`, or comes where `tellsAll`. */
export function makeTextLog(console: Console, beforeLine: () => void, tellsAll = false): Log {
  const ink = makeInk(console);
  return {
    info: (message, facts) => {
      if (tellsAll) writeNote(console, [formatEntry(message, facts)]);
    },
    warn: (message, facts) => {
      beforeLine();
      writeNote(console, [`${ink.yellow('warn')} ${formatEntry(message, facts)}`]);
    },
  };
}

/** `message key=value key="two words"`. */
export function formatEntry(message: string, facts: LogFacts = {}): string {
  const pairs = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${formatValue(value)}`);
  return makePlain([message, ...pairs].join(' '));
}

function formatValue(value: LogFacts[string]): string {
  return typeof value === 'string' && !/^[^\s"=]+$/.test(value) ? JSON.stringify(value) : String(value);
}

export interface JsonLog extends Log {
  readonly error: (message: string, facts?: LogFacts) => void;
  /** From here on every line bears the run's id. */
  readonly nameRun: (run: string) => void;
}

/** One JSON document a line, written at once, so that nothing is lost when the process is killed. */
export async function openJsonLog(console: Console, now: () => number): Promise<JsonLog> {
  const { pino } = await import('pino');
  let run: string | undefined;
  const logger = pino(
    {
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      mixin: () => (run === undefined ? {} : { run }),
    },
    { write: (line: string) => console.err(line) },
  );
  return {
    info: (message, facts) => logger.info({ ...facts }, message),
    warn: (message, facts) => logger.warn({ ...facts }, message),
    error: (message, facts) => logger.error({ ...facts }, message),
    nameRun: (id) => {
      run = id;
    },
  };
}
