/** `mediasweep report`: a run's reports, written again from the ledger. */
import type { Command } from 'commander';
import { exitCodes } from '../domain/problem.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { printJson } from './print/json.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep report                           the latest run
  mediasweep report nightly                   the latest run of a pipeline
  mediasweep report latest~1                  the run before the latest
  mediasweep report latest --again            with findings read out of the archived replies again
  mediasweep report 20261120T020000Z-nightly --out /srv/reports

Calls nobody and charges nothing. How the run is judged and told (policy:, reports:) is what its pipeline's file says today.
The ledger stays as it is, but for --again, which reads every finding out of the paid reply once more: after an update that
reads replies better, say. A reply that cannot be read again keeps its finding. Exit 0, whatever the run itself came to.

With --json: summary.json, and beside it { folder, files, failures, brokenRows, derived }.`;

export function addReport(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('report')
    .summary("write a run's reports again")
    .description("Writes a run's reports again from the ledger, and prints what the run came to.")
    .argument('[run]', 'a run id, a pipeline, latest, or either with ~N for the N-th before it', 'latest')
    .option('--again', 'read the findings out of the archived replies again')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (selector: string, { again }: { again?: true }, command: Command) => {
      const { printSummary } = await import('./print/summary.ts');
      const { describeReported } = await import('./print/reported.ts');
      const { printDerived } = await import('./print/derived.ts');
      const { places, isJson } = readGlobals(command);
      const result = await tools.spine.report(selector, places, { derivesAgain: again });
      if (result.derived) printDerived(tools.console, result.derived);
      if (isJson) printJson(tools.console, describeReported(result));
      else printSummary(tools.console, result);
      conclude(exitCodes.complete);
    });
}
