/** `mediasweep ledger`: keeps the memory of all runs small, backs it up and brings it back, copies it. */
import { type Command, Option } from 'commander';
import { exitCodes } from '../domain/problem.ts';
import type { PostgresAccess } from '../domain/postgres.ts';
import { readDuration, readPostgres } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { Conclude, Tools } from './tools.ts';

const about = `
The ledger is ledger.db in the state folder. At the end of a run, at most once a day, a copy of it is put into backups/
beside it; the newest three are kept. run --backup 7d makes it rarer, run --backup off leaves it to you, and to
\`mediasweep ledger backup\`.
ledger.db.seal holds checksums of what was left there: a ledger that was damaged since is refused.`;

const examples = `${about}

Examples:
  mediasweep ledger prune --keep 90d
  mediasweep ledger backup --to /srv/copies/ledger.db
  mediasweep ledger restore                         the newest backup that is in order
  mediasweep ledger copy --to postgres://mediasweep@db.internal/audit`;

const pruneHelp = `
Takes runs that began earlier out of the ledger: their items, tasks and the vendors' raw replies. Answers stay, and so
media that was paid for stays free; so do remembered failures, held calls and bills. The reports of such a run cannot be
written again. The latest run of each pipeline stays whatever its age. Refused (exit 6) while a run goes on.

Examples:
  mediasweep ledger prune --keep 90d
  mediasweep ledger prune --keep 26w --json

With --json: { runs, items, tasks, replies, bytesBefore, bytesAfter }.`;

const backupHelp = `
Copies the ledger now, whole and found in order, readable by its owner alone: into backups/ of the state folder, of which
the newest three are kept, or into the file that is named, which must not be there yet. Runs may go on meanwhile; what they
commit after the copy was begun is not in it. Copying ledger.db by other means while a run goes on may tear it.

Examples:
  mediasweep ledger backup
  mediasweep ledger backup --to /srv/copies/ledger-2026-11.db
  mediasweep ledger backup --to "$(date +%F).db" --json

With --json: { ledger, backup, bytes }.`;

const restoreHelp = `
Puts a backup in the place of a ledger that is damaged or lost; what was there is moved aside. Answers that came after
the backup are not in it, and their media is paid for again by the next run. Refused (exit 6) while a run goes on.

Examples:
  mediasweep ledger restore
  mediasweep ledger restore ledger-20261120T020000Z.db
  mediasweep ledger restore /srv/copies/ledger.db --force

With --json: { backup, madeAt, aside }.`;

const copyHelp = `
Copies ledger.db of the state folder into an empty ledger on PostgreSQL: everything that was paid for, every run, every
bill. It is there whole, counted and summed on both sides, or not at all. The file stays as it is. Refused (exit 6) while
a run goes on.

The address is postgres://USER@HOST:PORT/DATABASE, with ?schema=NAME where it is not "mediasweep", and ?tls=true where the
connection is to be encrypted. The password comes from the environment variable PGPASSWORD.

Examples:
  mediasweep ledger copy --to postgres://mediasweep@db.internal:5432/audit
  mediasweep ledger copy --to 'postgres://mediasweep@db.internal/audit?schema=media&tls=true' --json

With --json: { from, to, rows, tables: [{ table, rows }] }.`;

export function addLedger(program: Command, tools: Tools, conclude: Conclude): void {
  const ledger = program
    .command('ledger')
    .summary('prune the memory of all runs, back it up, restore it, or copy it to PostgreSQL')
    .description(
      'Keeps the memory of all runs small, backs it up and brings it back, and copies it to PostgreSQL.',
    )
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
    .command('backup')
    .summary('copy the ledger into a file')
    .description('Copies the ledger into a file, also while a run goes on.')
    .option(
      '--to <file>',
      'a file that is not there yet; one in backups/ of the state folder if none is named',
    )
    .addHelpText('after', layHelp(tools.console, backupHelp))
    .action(async ({ to }: { to?: string }, command: Command) => {
      const { printBackedUp } = await import('./print/ledger.ts');
      const { places, isJson } = readGlobals(command);
      printBackedUp(tools.console, await tools.spine.backUpLedger(to, places), isJson);
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
  ledger
    .command('copy')
    .summary('copy the ledger into one on PostgreSQL')
    .description('Copies the ledger into an empty one on PostgreSQL.')
    .addOption(
      new Option('--to <address>', 'where it goes, such as postgres://mediasweep@db.internal/audit')
        .argParser(readPostgres)
        .makeOptionMandatory(),
    )
    .addHelpText('after', layHelp(tools.console, copyHelp))
    .action(async ({ to }: { to: PostgresAccess }, command: Command) => {
      const { openCopyLine, printCopied } = await import('./print/ledger.ts');
      const { places, isJson } = readGlobals(command);
      const line = openCopyLine(tools.console);
      try {
        const copied = await tools.spine.copyLedger(to, places, line.show);
        line.clear();
        printCopied(tools.console, copied, isJson);
      } finally {
        line.clear();
      }
      conclude(exitCodes.complete);
    });
}
