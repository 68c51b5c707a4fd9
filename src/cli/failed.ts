/** `mediasweep failed`: failures that are remembered, and those that a person has taken note of. */
import type { Command } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { addWhat, readSelection } from './selection.ts';
import type { Conclude, Tools } from './tools.ts';

const about = `
A failure that the same content would meet again is remembered by reuse key: later runs report it without a call until the
content changes, reuse.retryFailedAfter has passed, or run --only-failed. Other failures are tried again by the next run.`;

const examples = `${about}

Examples:
  mediasweep failed list
  mediasweep failed acknowledge 'media/broken/*'    no longer exit 1 for these
  mediasweep run pipelines/nightly.yaml --only-failed latest`;

const listHelp = `${about}

Examples:
  mediasweep failed list
  mediasweep failed list 'media/*.mp4'
  mediasweep failed list --json | jq '.failed[] | select(.acknowledgedAt == null)'

With --json: { failed: [{ reuseKey, item, tasks, service, account, pipeline, run, error, failedAt, acknowledgedAt }] }.`;

const acknowledgeHelp = `
Later runs still report an acknowledged failure, and count it as failed, but it no longer makes them exit 1. A new failure
of the same content has to be acknowledged anew.

Examples:
  mediasweep failed acknowledge --all
  mediasweep failed acknowledge 'media/broken/*'

With --json: { acknowledged: [reuse keys] }, those that were not before.`;

export function addFailed(program: Command, tools: Tools, conclude: Conclude): void {
  const failed = program
    .command('failed')
    .summary('look at and acknowledge remembered failures')
    .description('Lists failures that are remembered, and takes them out of the exit code.')
    .addHelpText('after', layHelp(tools.console, examples));
  failed
    .command('list')
    .summary('list the failures that are remembered')
    .description('Lists the failures that are remembered.')
    .argument('[what...]', 'reuse keys, items, or patterns over items with * and ?; all if none is given')
    .addHelpText('after', layHelp(tools.console, listHelp))
    .action(async (words: readonly string[], _, command: Command) => {
      const { printFailed, printFailedJson } = await import('./print/failed.ts');
      const { places, isJson } = readGlobals(command);
      const rows = await tools.spine.listFailed(words.length === 0 ? undefined : words, places);
      (isJson ? printFailedJson : printFailed)(tools.console, rows);
      conclude(exitCodes.complete);
    });
  addWhat(
    failed
      .command('acknowledge')
      .summary('take remembered failures out of the exit code')
      .description('Takes remembered failures out of the exit code.'),
    'remembered failure',
  )
    .addHelpText('after', layHelp(tools.console, acknowledgeHelp))
    .action(async (words: readonly string[], written: { all?: boolean }, command: Command) => {
      conclude(await acknowledge(readSelection('failed acknowledge', words, written.all), command, tools));
    });
}

async function acknowledge(
  selection: readonly string[] | undefined,
  command: Command,
  { spine, console }: Tools,
): Promise<ExitCode> {
  const { printAcknowledged } = await import('./print/failed.ts');
  const { places, isJson } = readGlobals(command);
  const keys = await spine.acknowledgeFailed(selection, places);
  if (
    keys.length === 0 &&
    selection !== undefined &&
    (await spine.listFailed(selection, places)).length === 0
  ) {
    const words = selection.map((word) => `"${word}"`).join(', ');
    throw wrongUse(
      `mediasweep failed acknowledge: no remembered failure matches ${words}. mediasweep failed list shows what there is.`,
    );
  }
  printAcknowledged(console, keys, isJson);
  return exitCodes.complete;
}
