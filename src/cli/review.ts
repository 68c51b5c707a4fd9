/** `mediasweep review`: what people decided about flagged media, from the file that they wrote it into. */
import type { Command } from 'commander';
import { exitCodes } from '../domain/problem.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { Conclude, Tools } from './tools.ts';

const about = `
Every run writes review.csv: what is to be reviewed or blocked, with an empty column decision. Fill it in (pass, review,
block; clear takes an earlier decision back), in a spreadsheet if you like, and import the file. A decision belongs to the
content of the media, whatever its name, until the content changes. Reports show it; with reports.respect: decisions in
the pipeline it is the verdict.`;

const examples = `${about}

Examples:
  mediasweep review import reports/nightly/latest/review.csv
  mediasweep review list`;

const importHelp = `${about}

Rows without a decision are passed over, so that a file may come back half done, and may be imported twice. A file that a
spreadsheet saved is understood: UTF-8, UTF-16 or GB18030, with commas, semicolons or tabs. The columns content and decision
must be there; comment, item and run are kept where they are.

Examples:
  mediasweep review import reports/nightly/latest/review.csv --by anna
  mediasweep review import - --by anna < decided.csv

Exit codes: 0 all decisions stored; 1 some rows could not be read, and are named; 2 the file could not be read.
With --json: { by, stored, unchanged, blank, verdicts: { pass, review, block, clear }, faults: [{ line, message }] }.`;

const listHelp = `
Examples:
  mediasweep review list
  mediasweep review list 'media/ugc/*'
  mediasweep review list --json | jq '.decisions[] | select(.verdict == "block") | .item'

With --json: { decisions: [{ verdict, by, at, comment, content, item, run }] }, newest first.`;

export function addReview(program: Command, tools: Tools, conclude: Conclude): void {
  const review = program
    .command('review')
    .summary('take in what people decided about flagged media')
    .description('Takes in what people decided about flagged media, and lists it.')
    .addHelpText('after', layHelp(tools.console, examples));
  review
    .command('import')
    .summary('store the decisions of a review.csv that was filled in')
    .description('Stores the decisions of a review.csv that was filled in.')
    .argument('<file>', 'the file, or - for standard input')
    .option('--by <name>', 'who decided; the user who runs this if left out')
    .addHelpText('after', layHelp(tools.console, importHelp))
    .action(async (path: string, { by }: { by?: string }, command: Command) => {
      const { printImported } = await import('./print/review.ts');
      const { places, isJson } = readGlobals(command);
      const imported = await tools.spine.importReview(path, by, places);
      printImported(tools.console, path, imported, isJson);
      conclude(imported.faults.length > 0 ? exitCodes.failures : exitCodes.complete);
    });
  review
    .command('list')
    .summary('list the decisions that hold now')
    .description('Lists the decisions that hold now, newest first.')
    .argument('[what...]', 'items, or patterns over items with * and ?; all if none is given')
    .addHelpText('after', layHelp(tools.console, listHelp))
    .action(async (words: readonly string[], _, command: Command) => {
      const { printDecisions, printDecisionsJson } = await import('./print/review.ts');
      const { places, isJson } = readGlobals(command);
      const rows = await tools.spine.listDecisions(words.length === 0 ? undefined : words, places);
      (isJson ? printDecisionsJson : printDecisions)(tools.console, rows);
      conclude(exitCodes.complete);
    });
}
