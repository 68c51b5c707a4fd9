/** `mediasweep ledger`: keeps the memory of all runs small, and brings it back from a backup. */
import { type Command, Option } from 'commander';
import { exitCodes } from '../domain/problem.ts';
import { readDuration } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { Conclude, Tools } from './tools.ts';

const about = `
The ledger is ledger.db in the state folder. At the end of a run, at most once a day, a copy of it is put into backups/
beside it; the newest three are kept.`;

const examples = `${about}

Examples:
  mediasweep ledger prune --keep 90d
  mediasweep ledger restore                         the newest backup that is in order`;

const pruneHelp = `
Takes runs that began earlier out of the ledger: their items, tasks and the vendors' raw replies. Answers stay, and so
media that was paid for stays free; so do remembered failures, held calls and bills. The reports of such a run cannot be
written again. The latest run of each pipeline stays whatever its age. Refused (exit 6) while a run goes on.

Examples:
  mediasweep ledger prune --keep 90d
  mediasweep ledger prune --keep 26w --json

With --json: { runs, items, tasks, replies, bytesBefore, bytesAfter }.`;

const restoreHelp = `
Puts a backup in the place of a ledger that is damaged or lost; what was there is moved aside. Answers that came after
the backup are not in it, and their media is paid for again by the next run. Refused (exit 6) while a run goes on.

Examples:
  mediasweep ledger restore
  mediasweep ledger restore ledger-20261120T020000Z.db
  mediasweep ledger restore /srv/copies/ledger.db --force

With --json: { backup, madeAt, aside }.`;

export function addLedger(program: Command, tools: Tools, conclude: Conclude): void {
  const ledger = program
    .command('ledger')
    .summary('prune the memory of all runs, or restore it')
    .description('Keeps the memory of all runs small, and brings it back from a backup.')
    .addHelpText('after', layHelp(tools.console, examples));
  ledger
    .command('prune')
    .summary('take old runs out of the ledger')
    .description('Takes old runs out of the ledger.')
    .addOption(
      new Option('--keep <time>', 'how far back runs are kept, such as 90d')
        .argParser(readDuration)
        .makeOptionMandatory(),
    )
    .addHelpText('after', layHelp(tools.console, pruneHelp))
    .action(async ({ keep }: { keep: number }, command: Command) => {
      const { printPruned } = await import('./print/ledger.ts');
      const { places, isJson } = readGlobals(command);
      printPruned(tools.console, await tools.spine.pruneLedger(keep, places), isJson);
      conclude(exitCodes.complete);
    });
  ledger
    .command('restore')
    .summary('put a backup in the place of the ledger')
    .description('Puts a backup in the place of the ledger.')
    .argument(
      '[backup]',
      'a file, or a name in backups/ of the state folder; the newest in order if none is named',
    )
    .option('--force', 'also where the ledger is in order')
    .addHelpText('after', layHelp(tools.console, restoreHelp))
    .action(async (backup: string | undefined, { force }: { force?: boolean }, command: Command) => {
      const { printRestored } = await import('./print/ledger.ts');
      const { places, isJson } = readGlobals(command);
      printRestored(tools.console, await tools.spine.restoreLedger(backup, force === true, places), isJson);
      conclude(exitCodes.complete);
    });
}
