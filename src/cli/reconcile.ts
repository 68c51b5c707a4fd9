/** `mediasweep reconcile`: a vendor's usage export beside our ledger. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseNano } from '../domain/money.ts';
import type { Nano } from '../domain/pricing.ts';
import { exitCodes, wrongUse } from '../domain/problem.ts';
import { encodings } from '../domain/settings.ts';
import { readMonth } from './cost.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { makeResultSink } from './print/json.ts';
import type { ReconcileFlags } from './spine.ts';
import type { Conclude, Tools } from './tools.ts';

const fields = ['date', 'sku', 'units', 'amount', 'id'] as const;
type Columns = ReconcileFlags['columns'];

const examples = `
Lays the usage that a vendor counts (an export of its console, as CSV) beside the usage of the ledger, and names each
difference: matched, differs, theirs-only, ours-only. Without id, by day and SKU, or by SKU where the export has months only;
with id, by the vendor's job id: then a job that is listed twice shows too. Dates without a zone are in the price book's.
--columns names the columns of the export; sku, and units or amount, must be among them. No export of a vendor was at hand
when this was written: look at the file's first line.

Their names of SKUs are told with --map "Basic=pai/basic", once for each; --ignore "Storage" leaves out what is none of ours.
A file of Chinese Excel wants --encoding gb18030. docs/cost.md has whole examples.

Examples:
  mediasweep reconcile usage.csv --account pai --month 2026-11 --columns date=Day,sku=Item,units=N
  mediasweep reconcile jobs.csv --account qiniu --month 2026-11 --columns id=Job,sku=Item,units=N

Exit 0 where all match, 1 where something differs, 2 where the file or a column is wrong.
With --json: { account, month, by, counts, totals, differences: [{ result, date, sku, id, ... }], unknownNames, ... }.`;

interface Written {
  readonly account: string;
  readonly month: string;
  readonly columns: Columns;
  readonly map?: ReadonlyMap<string, string>;
  readonly ignore?: readonly string[];
  readonly encoding: ReconcileFlags['encoding'];
  readonly delimiter: string;
  readonly tolerance: Nano;
  readonly csv?: string;
}

export function addReconcile(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('reconcile')
    .summary("lay a vendor's usage export beside the ledger")
    .description("Lays a vendor's usage export beside the ledger, and names each difference.")
    .argument('<file>', 'CSV with a line of column names, compressed with gzip or not; - for standard input')
    .requiredOption('--account <name>', 'whose usage it is')
    .addOption(
      new Option('--month <month>', 'which month, such as 2026-11')
        .argParser(readMonth)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--columns <columns>',
        `our field and their column, ${fields.join(', ')}: date=Day,sku=Item,units=Count`,
      )
        .argParser(readColumns)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--map <names>',
        'their name of a SKU and ours, "theirs=ours"; may be given several times',
      ).argParser(collectName),
    )
    .addOption(
      new Option(
        '--ignore <name>',
        'their name of what is none of ours; may be given several times',
      ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]),
    )
    .addOption(new Option('--encoding <encoding>', 'of the file').choices(encodings).default('utf-8'))
    .addOption(new Option('--delimiter <character>', 'between columns').argParser(readDelimiter).default(','))
    .addOption(
      new Option('--tolerance <amount>', 'how far amounts of a row may lie apart, for rounding')
        .argParser(readAmount)
        .default(10_000_000n, '0.01'),
    )
    .option('--csv <file>', 'write all rows, matched ones too, as CSV into this file, or to stdout with -')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (path: string, written: Written, self: Command) => {
      const { printReconciled, printReconciledJson } = await import('./print/reconcile.ts');
      const { places, isJson } = readGlobals(self);
      const { csv, map = new Map(), ignore = [], ...rest } = written;
      if (isJson && csv === '-') {
        throw wrongUse(
          'mediasweep reconcile: expected --json or --csv - on stdout, found both. Give --csv a file, or leave one of them out.',
        );
      }
      const flags = { ...rest, path, names: map, ignored: ignore };
      const output = { csv, stdout: makeResultSink(tools.console) };
      const result = await tools.spine.reconcile(flags, places, output);
      if (isJson) printReconciledJson(tools.console, result);
      else if (csv !== '-') printReconciled(tools.console, result, csv);
      const { matched: _, ...others } = result.counts;
      const isSame = Object.values(others).every((count) => count === 0);
      conclude(isSame ? exitCodes.complete : exitCodes.failures);
    });
}

function readColumns(text: string): Columns {
  const pairs = text.split(',').map((pair): readonly [string, string] => {
    const at = pair.indexOf('=');
    const [field, name] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (at < 1 || name === '' || !fields.some((one) => one === field)) {
      throw new InvalidArgumentError(
        `expected fields of ${fields.join(', ')} with their columns, such as sku=Item.`,
      );
    }
    return [field, name];
  });
  const columns: Columns = Object.fromEntries(pairs);
  if (columns.sku === undefined || (columns.units === undefined && columns.amount === undefined)) {
    throw new InvalidArgumentError('expected sku, and units or amount or both.');
  }
  return columns;
}

function collectName(
  text: string,
  before: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const at = text.lastIndexOf('=');
  const [theirs, ours] = [text.slice(0, at), text.slice(at + 1).trim()];
  if (at < 1 || ours === '') throw new InvalidArgumentError('expected "their name=our SKU".');
  return new Map([...before, [theirs, ours]]);
}

function readDelimiter(text: string): string {
  const one = text === '\\t' ? '\t' : text;
  if (one.length !== 1) throw new InvalidArgumentError('expected one character, such as ";" or "\\t".');
  return one;
}

function readAmount(text: string): Nano {
  const amount = parseNano(text);
  if (amount === undefined) throw new InvalidArgumentError('expected an amount such as 0.01.');
  return amount;
}
