/** `mediasweep judge`: what another policy would make of a run that is over. */
import type { Command } from 'commander';
import { exitCodes } from '../domain/problem.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { addRowOptions, readRowOutput, type RowWords } from './row-output.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
A policy is the name of a file in config/policies/, a path of such a file, a path of a pipeline (its policy: is meant), or
none. It is held against the answers in the ledger: nobody is called, nothing is charged, no report changes. To put it into
force, name it in the pipeline; mediasweep report RUN then writes the reports anew.

Examples:
  mediasweep judge latest --policy strict
  mediasweep judge nightly --policy drafts/milder.yaml
  mediasweep judge nightly~1 --policy pipelines/nightly.yaml --show 100
  mediasweep judge nightly --policy strict --csv flips.csv
  mediasweep judge nightly --policy strict --json | jq '.verdicts'

Exit 0, whether verdicts flip or not.
With --json: { run, policies: { from, to }, flips: [{ item, bucket, key, url, from, to, rule, service, op, label, score }],
items, verdicts: [{ from, to, count }] }; the flips are all there, as in the CSV, whatever --show says.`;

interface Written extends RowWords {
  readonly policy: string;
}

export function addJudge(program: Command, tools: Tools, conclude: Conclude): void {
  const command = program
    .command('judge')
    .summary('apply another policy to a run, and list the flips')
    .description('Applies another policy to the stored answers of a run, and lists the verdicts that flip.')
    .argument('<run>', 'a run id, a pipeline, latest, or either with ~N for the N-th before it')
    .requiredOption('--policy <policy>', 'name or path of a policy, or path of a pipeline');
  addRowOptions(command)
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (selector: string, written: Written, self: Command) => {
      const { printJudged } = await import('./print/judge.ts');
      const { places, isJson } = readGlobals(self);
      const output = readRowOutput('judge', written, isJson, tools.console);
      const result = await tools.spine.judge(selector, written.policy, places, output);
      printJudged(tools.console, result, output);
      conclude(exitCodes.complete);
    });
}
