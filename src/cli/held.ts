/** `mediasweep held`: calls whose fate nobody could learn, and what a person decides about them. */
import type { Command } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { addWhat, readSelection } from './selection.ts';
import type { Conclude, Tools } from './tools.ts';

const about = `
A call is held when it may have reached the vendor and may have been billed, nobody can say so, and it is too dear to be
sent again unasked (unknown.resendBelow). It stays held in every later run until it is settled here, or the vendor can be
asked again, which every run of its pipeline tries first. A reuse key that begins with - goes behind --.`;

const examples = `${about}

Examples:
  mediasweep held list
  mediasweep held list 'media/ugc/*'                what is held below a prefix
  mediasweep held resend --all                      send all of them again with the next run
  mediasweep held resend 3kQ0VbX4xw1nJ8sYh2mC9d     one, by its reuse key
  mediasweep held forget 'media/ugc/a.mp4'`;

const listHelp = `
Examples:
  mediasweep held list
  mediasweep held list 'media/*.mp4'
  mediasweep held list --json | jq '.held[].item'

With --json: { held: [{ reuseKey, item, tasks, service, account, pipeline, run, cause, sentAt, units, isAskedAgain }] }.`;

const resendHelp = `
The next run sends the call again, and pays for it. The units of the old call stay uncertain on the bill of the run that
sent it, since it may have been billed.

Examples:
  mediasweep held resend --all
  mediasweep held resend 'media/ugc/*'

With --json: { settled: [reuse keys] }.`;

const forgetHelp = `
No call is made: from the next run on the task counts as failed, class "forgotten", and is remembered like any failure,
until the content changes, reuse.retryFailedAfter has passed, or run --only-failed. The call is taken for one that was not
billed: its units leave the bill's uncertain column, and the caps that they counted under. Look at the vendor's bill first.

Examples:
  mediasweep held forget --all
  mediasweep held forget 'media/ugc/a.mp4'

With --json: { settled: [reuse keys] }.`;

export function addHeld(program: Command, tools: Tools, conclude: Conclude): void {
  const held = program
    .command('held')
    .summary('look at and settle calls of unknown fate')
    .description('Lists calls of unknown fate that wait for a person, and settles them.')
    .addHelpText('after', layHelp(tools.console, examples));
  held
    .command('list')
    .summary('list the calls that are held')
    .description('Lists the calls that are held.')
    .argument('[what...]', 'reuse keys, items, or patterns over items with * and ?; all if none is given')
    .addHelpText('after', layHelp(tools.console, listHelp))
    .action(async (words: readonly string[], _, command: Command) => {
      const { printHeld, printHeldJson } = await import('./print/held.ts');
      const { places, isJson } = readGlobals(command);
      const rows = await tools.spine.listHeld(words.length === 0 ? undefined : words, places);
      (isJson ? printHeldJson : printHeld)(tools.console, rows);
      conclude(exitCodes.complete);
    });
  const ways = [
    {
      how: 'resend',
      short: 'have the next run send held calls again',
      says: 'Has the next run send held calls again.',
      help: resendHelp,
    },
    {
      how: 'forget',
      short: 'count held calls as failed, without another call',
      says: 'Counts held calls as failed, without another call.',
      help: forgetHelp,
    },
  ] as const;
  for (const { how, short, says, help } of ways) {
    addWhat(held.command(how).summary(short).description(says), 'held call')
      .addHelpText('after', layHelp(tools.console, help))
      .action(async (words: readonly string[], written: { all?: boolean }, command: Command) => {
        conclude(await settle(how, readSelection(`held ${how}`, words, written.all), command, tools));
      });
  }
}

async function settle(
  how: 'resend' | 'forget',
  selection: readonly string[] | undefined,
  command: Command,
  { spine, console }: Tools,
): Promise<ExitCode> {
  const { printSettled } = await import('./print/held.ts');
  const { places, isJson } = readGlobals(command);
  const settled = await spine.settleHeld(selection, how, places);
  if (settled.length === 0 && selection !== undefined) {
    const words = selection.map((word) => `"${word}"`).join(', ');
    throw wrongUse(
      `mediasweep held ${how}: nothing that is held matches ${words}. mediasweep held list shows what is.`,
    );
  }
  printSettled(console, settled, how, isJson);
  return exitCodes.complete;
}
