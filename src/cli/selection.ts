/** Words of a command that settles troubled tasks: which of them are meant. */
import type { Command } from 'commander';
import { wrongUse } from '../domain/problem.ts';

export function addWhat(command: Command, what: string): Command {
  return command
    .argument('[what...]', 'reuse keys, items, or patterns over items with * and ?')
    .option('--all', `every ${what}`);
}

/** `undefined` for all. Throws a `Stop` (exit 2) where it is not said what is meant, or said twice. */
export function readSelection(
  command: string,
  words: readonly string[],
  isAll: boolean | undefined,
): readonly string[] | undefined {
  if (isAll === true && words.length > 0) {
    throw wrongUse(`mediasweep ${command}: expected words or --all, found both. Leave one of them out.`);
  }
  if (isAll !== true && words.length === 0) {
    throw wrongUse(
      `mediasweep ${command}: expected reuse keys, items or patterns, found none. Name some, or say --all.`,
    );
  }
  return isAll === true ? undefined : words;
}
