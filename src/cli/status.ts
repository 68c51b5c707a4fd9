/** `mediasweep status`: the runs of the ledger, or where one of them stands. */
import type { Command } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { type Globals, readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep status                           all runs, newest first
  mediasweep status latest                    one run: tasks by service and state, bill so far
  mediasweep status nightly                   the latest run of a pipeline
  mediasweep status --json | jq '.runs[] | select(.alive)'
  mediasweep status nightly --json | jq '.runs[0].pace[] | {account, perSecond, share}'

With --json: { runs: [{ run, pipeline, state, alive, counts, startedAt, endedAt, exitCode, why, tasks, bill, caps, overrun,
backlog, shards, pace, ... }], workers }. A run that goes on has its pace: by account, calls a second, calls in flight and
open jobs, each as it is and as it is allowed, by all who share the account. shards and workers are those of a cluster.`;

export function addStatus(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('status')
    .summary('show where runs stand')
    .description(
      'Shows the runs of the ledger, or where one of them stands, while it goes on and afterwards.',
    )
    .argument('[run]', 'a run id, a pipeline, latest, or either with ~N for the N-th before it')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (selector: string | undefined, _, command: Command) => {
      conclude(await showStatus(selector, readGlobals(command), tools));
    });
}

async function showStatus(
  selector: string | undefined,
  { places, isJson }: Globals,
  { spine, console, clock }: Tools,
): Promise<ExitCode> {
  const { printRun, printRuns, printStatusJson } = await import('./print/status.ts');
  const report = await spine.status(selector, places);
  const { runs } = report;
  const [only, ...others] = runs;
  if (selector !== undefined && !only) {
    throw wrongUse(`mediasweep status: there is no run "${selector}". mediasweep status lists all.`);
  }
  if (isJson) printStatusJson(console, report);
  else if (selector !== undefined && only && others.length === 0)
    printRun(console, { ...only, workers: report.workers }, clock.now());
  else printRuns(console, runs, clock.now());
  return exitCodes.complete;
}
