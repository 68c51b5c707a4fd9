/** How a command that could not do its work says so: on stderr, whatever `--json` says. */
import { redactLinks } from '../../domain/link.ts';
import { describeError, formatProblem, type Problem, type Stop } from '../../domain/problem.ts';
import { type Console, writeNote } from './terminal.ts';
import { makeInk } from './ink.ts';
import { openJsonLog } from './log.ts';
import { makePlain, makePlainLines } from './plain.ts';

export interface TroublePrinter {
  /** Wrong use of the command line, in commander's words. */
  readonly usage: (message: string, command: string | undefined) => void;
  readonly stop: (stop: Stop) => void;
  readonly mistake: (error: unknown) => void;
}

/** For people. */
export function makeTroublePrinter(console: Console): TroublePrinter {
  const tell = (message: string) => {
    const [first = '', ...rest] = makePlainLines(message);
    writeNote(console, [`${makeInk(console).red('error')} ${first}`, ...rest]);
  };
  return {
    usage: (message, command) => tell(`${cleanUsage(message)} See: ${helpOf(command)}`),
    stop: (stop) => {
      tell(stop.message);
      writeNote(console, formatProblems(stop.problems));
    },
    mistake: (error) => {
      tell(describeMistake(error));
      writeNote(console, makePlainLines(stackOf(error)));
    },
  };
}

/** For `--log json`, where every line on stderr is to be a document. */
export async function makeJsonTroublePrinter(console: Console, now: () => number): Promise<TroublePrinter> {
  const log = await openJsonLog(console, now);
  return {
    usage: (message, command) => log.error(`${cleanUsage(message)} See: ${helpOf(command)}`, { exitCode: 2 }),
    stop: (stop) => {
      log.error(stop.message, { exitCode: stop.exitCode });
      for (const problem of stop.problems) log.error(formatProblem(problem));
    },
    mistake: (error) => log.error(describeMistake(error), { exitCode: 70, stack: stackOf(error) }),
  };
}

/** One line each, none twice: two pipelines may share a faulty file. */
export function formatProblems(problems: readonly Problem[]): readonly string[] {
  return [...new Set(problems.map((problem) => makePlain(formatProblem(problem))))];
}

/** Commander's message in our own manner: `unknown option "--limt". Did you mean "--limit"?` */
function cleanUsage(message: string): string {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join(' '))?.[1];
  const names = suggestion
    ?.split(', ')
    .map((name) => `"${name}"`)
    .join(' or ');
  const text = first
    .replace(/'([^']*)'/g, '"$1"')
    .replace(/\.$/, '')
    .replace('is invalid. expected', 'is invalid: expected');
  return `${text}.${names === undefined ? '' : ` Did you mean ${names}?`}`;
}

function helpOf(command: string | undefined): string {
  return command === undefined ? 'mediasweep --help' : `mediasweep ${command} --help`;
}

function describeMistake(error: unknown): string {
  const what = redactLinks(describeError(error));
  return `this is a mistake of mediasweep: ${what}. Nothing that was answered is lost; please report it with the lines below.`;
}

/** The stack with those of its causes; links inside lose their query, since nobody wrote these texts with care. */
function stackOf(error: unknown): string {
  const stacks: string[] = [];
  let one: unknown = error;
  for (let depth = 0; depth < 5 && one !== undefined; depth += 1) {
    stacks.push(one instanceof Error ? (one.stack ?? one.message) : describeError(one));
    one = one instanceof Error ? one.cause : undefined;
  }
  return redactLinks(stacks.join('\ncaused by: '));
}
