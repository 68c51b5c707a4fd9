/** `mediasweep diff`: what differs between two runs. */
import { type Command, Option } from 'commander';
import { defaultMovedBy } from '../domain/change.ts';
import { exitCodes, wrongUse } from '../domain/problem.ts';
import { readChance } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { addRowOptions, readRowOutput, type RowWords } from './row-output.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Items are the same by their ids. Changed: the content is another one (etag and size). Gone: not there any more, or not
selected. Each run is judged by the policy that its pipeline named then, as it is now; what a change of the policy alone
flips is the matter of mediasweep judge. A score has moved where a label's score lies further away than --moved, or a metric
that a rule asks for by more than that share of the larger value. The same counts stand in summary.json of every run, as
change.

Examples:
  mediasweep diff nightly                         the latest run of a pipeline and the one before it
  mediasweep diff nightly~7 nightly
  mediasweep diff 20261119T020000Z-nightly 20261120T020000Z-nightly --moved 0.05
  mediasweep diff latest~1 latest --csv changes.csv
  mediasweep diff nightly --csv - | grep ,review,

Exit 0, whether anything differs or not.
With --json: { before, after, differences: [{ item, bucket, key, url, change, verdict_before, verdict, service, op, label,
score_before, score }], change: { new, changed, gone, verdictChanged, verdicts, newlyFlagged, cleared, scoreMoved, charge } }.`;

interface Written extends RowWords {
  readonly moved: number;
}

export function addDiff(program: Command, tools: Tools, conclude: Conclude): void {
  const command = program
    .command('diff')
    .summary('compare two runs')
    .description(
      'Compares two runs: what is new, changed and gone, whose verdict changed, which scores moved, and the cost.',
    )
    .argument(
      '<runs...>',
      'the earlier and the later run, each a run id, a pipeline, latest, or either with ~N; or one, with the run before it',
    )
    .addOption(
      new Option('--moved <distance>', 'by how much a score must move, 0 to 1')
        .argParser(readChance)
        .default(defaultMovedBy),
    );
  addRowOptions(command)
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (words: readonly string[], written: Written, self: Command) => {
      const { printDiffed } = await import('./print/diff.ts');
      const { places, isJson } = readGlobals(self);
      const runs = readRuns(words);
      const output = readRowOutput('diff', written, isJson, tools.console);
      const result = await tools.spine.diff(runs, written.moved, places, output);
      printDiffed(tools.console, result, output);
      conclude(exitCodes.complete);
    });
}

/** One run, two runs, or a pipeline and two of its runs (`nightly latest~1 latest`). */
function readRuns(words: readonly string[]) {
  const [first = '', second, third] = words;
  if (words.length > 3) {
    throw wrongUse(
      `mediasweep diff: expected one run or two, found ${words.length}. See: mediasweep diff --help`,
    );
  }
  if (second === undefined) return { after: first };
  if (third === undefined) return { before: first, after: second };
  const of = (word: string) => word.replace(/^latest(?=$|~)/, first);
  return { before: of(second), after: of(third) };
}
