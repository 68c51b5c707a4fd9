/** Options of commands that print rows: a table of the worst, all of them as CSV, or everything as JSON. */
import { type Command, Option } from 'commander';
import { wrongUse } from '../domain/problem.ts';
import { readCount } from './flag.ts';
import { makeResultSink } from './print/json.ts';
import type { Console } from './print/terminal.ts';
import type { RowOutput } from './spine.ts';

const defaultShow = 20;

export interface RowWords {
  readonly csv?: string;
  readonly show: number;
}

export function addRowOptions(command: Command): Command {
  return command
    .option('--csv <file>', 'write all rows as CSV into this file, or to stdout with -')
    .addOption(
      new Option('--show <count>', 'how many of the worst rows the table shows')
        .argParser(readCount)
        .default(defaultShow),
    );
}

/** Throws a `Stop` (exit 2) where two documents would stand on stdout. */
export function readRowOutput(
  name: string,
  { csv, show }: RowWords,
  isJson: boolean,
  console: Console,
): RowOutput {
  if (isJson && csv === '-') {
    throw wrongUse(
      `mediasweep ${name}: expected --json or --csv - on stdout, found both. Give --csv a file, or leave one of them out.`,
    );
  }
  return { csv, isJson, show, stdout: makeResultSink(console) };
}
