/** `mediasweep estimate`: what a run would do and cost now, without doing it. */
import { type Command, Option } from 'commander';
import { type ExitCode, exitCodes } from '../domain/problem.ts';
import { readCount, readShare } from './flag.ts';
import { type Globals, readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { printJson } from './print/json.ts';
import type { EstimateFlags, EstimateResult } from './spine.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep estimate pipelines/audit.yaml
  mediasweep estimate pipelines/audit.yaml --limit 1000      the first 1,000 items only
  mediasweep estimate pipelines/audit.yaml --sample 1%       read one header in a hundred
  mediasweep estimate pipelines/audit.yaml --json | jq .total
  mediasweep estimate pipelines/audit.yaml --plan-out plan.json

Lists the source and reads headers, calls no vendor, and leaves the ledger as it is (headers that were read are kept
where there is one). It may go beside a run. Units of mode 0 are exact where the length of a video is known; what was
assumed instead is named. With --sample the total is never exact: it stands between its two bounds in 95 cases of 100.

Exit codes: 0 also where a price is missing (the total then says "at least"); 2 wrong use or config; 3 a storage is lost.

With --json: { items, tasks, skipped, skus: [{ sku, units, basis, charge, currency, complete }], total: { charge,
currency, complete }, assumptions, durationSeconds } and more; money is a decimal string, null where nothing of it has
a price.`;

interface Written {
  readonly limit?: number;
  readonly sample?: number;
  readonly planOut?: string;
}

export function addEstimate(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('estimate')
    .summary('tell what a run would do and cost')
    .description(
      'Tells what a run would do now: items, calls, what is reused or skipped, units and money for each SKU with the way ' +
        'through free quota, packs and tiers, what vendors will fetch, how long it takes, and whether a cap will be hit.',
    )
    .argument('<pipeline>', 'pipeline file, such as pipelines/audit.yaml')
    .addOption(
      new Option('--limit <count>', 'look at this many items only, after select').argParser(readCount),
    )
    .addOption(
      new Option(
        '--sample <share>',
        'list all, but read only this share of the headers, always the same ones, and scale up',
      ).argParser(readShare),
    )
    .addOption(
      new Option('--plan-out <file>', 'write the plan, to be approved and given to run --plan').conflicts(
        'sample',
      ),
    )
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (path: string, written: Written, command: Command) => {
      conclude(await estimate({ ...written, path }, readGlobals(command), tools));
    });
}

async function estimate(flags: EstimateFlags, globals: Globals, tools: Tools): Promise<ExitCode> {
  const { describeEstimate, printEstimate } = await import('./print/estimate.ts');
  const result = await estimateWatched(flags, globals, tools);
  if (globals.isJson) printJson(tools.console, describeEstimate(result));
  else printEstimate(tools.console, result);
  return exitCodes.complete;
}

/** The progress line goes away before a result or an error is printed. */
async function estimateWatched(
  flags: EstimateFlags,
  globals: Globals,
  tools: Tools,
): Promise<EstimateResult> {
  const { openEstimateWatching } = await import('./watch.ts');
  const watching = await openEstimateWatching(tools, globals);
  try {
    return await tools.spine.estimate(flags, globals.places, watching.watch);
  } finally {
    await watching.close();
  }
}
