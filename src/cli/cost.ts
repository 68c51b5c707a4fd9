/** `mediasweep cost`: what was spent, by month, SKU, pipeline and prefix, and what the month is expected to come to. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CostDimension, costDimensions } from '../domain/cost.ts';
import { exitCodes, wrongUse } from '../domain/problem.ts';
import { type Language, languages } from '../domain/settings.ts';
import { readCount } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { makeResultSink } from './print/json.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Months and days are those of the price book's zone, by when a call was sent. Projected: the units of the days from the first
one of the month with usage to today (to yesterday, where nothing was used today yet), and as many a day for each day that is
left, priced from where the account has come to through free quota, packs and tiers. Uncertain units, of calls that may have been billed, are outside every charge. Without a
price for some units a charge is a lower bound: "at least", complete: false. Runs that were pruned keep their sums; their
prefixes are gone: (pruned). Calls nobody, and may be asked while a run goes on.

Examples:
  mediasweep cost                                     all months, and the latest one closely
  mediasweep cost --month 2026-11 --pipeline nightly
  mediasweep cost --prefix-depth 2                    by bucket and first folder, too
  mediasweep cost --by month --by pipeline            one table over both
  mediasweep cost --csv cost.csv                      for a spreadsheet: month, account, sku, pipeline
  mediasweep cost --by day --by sku --csv -
  mediasweep cost --html cost.html                    a page to look at, which needs no network
  mediasweep cost --html cost.html --language zh      the page in Chinese

With --json: { currency, timezone, month, total, projection, months, days, skus, pipelines, prefixes, accounts }; a charge
is null where nothing of it could be priced, and empty in CSV.`;

interface Written {
  readonly month?: string;
  readonly pipeline?: string;
  readonly prefixDepth?: number;
  readonly by?: readonly CostDimension[];
  readonly csv?: string;
  readonly html?: string;
  readonly language?: Language;
}

export function addCost(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('cost')
    .summary('show what was spent, and what the month will come to')
    .description(
      'Shows what was spent by month, SKU, pipeline and prefix, and what the month is expected to come to.',
    )
    .addOption(new Option('--month <month>', 'one month, such as 2026-11').argParser(readMonth))
    .option('--pipeline <name>', 'one pipeline')
    .addOption(
      new Option(
        '--prefix-depth <folders>',
        'sum by prefixes of so many folders, the bucket being the first',
      ).argParser(readCount),
    )
    .addOption(
      new Option(
        '--by <dimension>',
        `one table by ${costDimensions.join(', ')}; may be given several times`,
      ).argParser(collectDimension),
    )
    .option('--csv <file>', 'write the rows as CSV into this file, or to stdout with -')
    .option('--html <file>', 'write a page into this file')
    .addOption(new Option('--language <language>', 'of the page').choices(languages))
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (written: Written, self: Command) => {
      const { printCost, printCostJson } = await import('./print/cost.ts');
      const { places, isJson } = readGlobals(self);
      const { csv, html, language, by, ...flags } = written;
      if (isJson && csv === '-') {
        throw wrongUse(
          'mediasweep cost: expected --json or --csv - on stdout, found both. Give --csv a file, or leave one of them out.',
        );
      }
      if (by?.includes('prefix') && by.includes('day')) {
        throw wrongUse(
          'mediasweep cost: expected --by prefix with month, account, sku or pipeline, found day. Leave --by day out.',
        );
      }
      const output = { csv, html, language, stdout: makeResultSink(tools.console) };
      const result = await tools.spine.cost({ ...flags, by }, places, output);
      if (isJson) printCostJson(tools.console, result);
      else if (csv !== '-') printCost(tools.console, result, { csv, html });
      conclude(exitCodes.complete);
    });
}

export function readMonth(text: string): string {
  if (/^\d{4}-(?:0[1-9]|1[0-2])$/.test(text)) return text;
  throw new InvalidArgumentError('expected a month such as 2026-11.');
}

function collectDimension(text: string, before: readonly CostDimension[] = []): readonly CostDimension[] {
  const names = text.split(',').map((name) => costDimensions.find((one) => one === name.trim()));
  const known = names.filter((name) => name !== undefined);
  if (known.length < names.length) {
    throw new InvalidArgumentError(`expected one of ${costDimensions.join(', ')}.`);
  }
  return [...new Set([...before, ...known])];
}
