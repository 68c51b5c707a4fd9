/** Two runs compared, on the terminal: one line of counts, then what most wants a look. */
import type { Difference, RunChange } from '../../domain/change.ts';
import { parseNano } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { DiffResult, RowOutput } from '../spine.ts';
import { type Ink, makeInk } from './ink.ts';
import { formatMore, formatScore, formatVerdictChanges, inkWord } from './judge.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { formatAmount } from './word.ts';

export function printDiffed(console: Console, result: DiffResult, output: RowOutput): void {
  if (output.isJson || output.csv === '-') return;
  const ink = makeInk(console);
  const { before, after, change, worst } = result;
  writeResult(console, [
    `${ink.bold(makePlain(before.id))} -> ${ink.bold(makePlain(after.id))}`,
    `  ${formatChange(change)}`,
    `  ${formatCost(change.charge)}`,
    ...noteOtherPipeline(result),
    ...formatDifferences(worst, ink, widthOf(console)),
    ...formatMore(countShown(change) - worst.length, output),
  ]);
}

/** They need not select the same media, nor ask the same of it. */
function noteOtherPipeline({ before, after }: DiffResult): readonly string[] {
  if (before.pipeline === after.pipeline) return [];
  const names = `${makePlain(before.pipeline)} and ${makePlain(after.pipeline)}`;
  return [
    `  runs of two pipelines, ${names}: new and gone is also what only one of them selects, and verdicts`,
    '  differ too where they ask other services or judge by other rules',
  ];
}

/** What the counts say of one run since another, on a line. */
export function formatChange(change: RunChange): string {
  const { changed, gone, verdictChanged, verdicts, scoreMoved, movedBy } = change;
  const judged =
    verdictChanged === 0
      ? 'verdict changed 0'
      : formatVerdictChanges(verdictChanged, 'verdict', verdicts).replace(
          /^(\S+) verdicts?/,
          'verdict changed $1',
        );
  return [
    `new ${formatCount(change.new)}`,
    `changed ${formatCount(changed)}`,
    `gone ${gone === null ? 'not known (not listed to the end)' : formatCount(gone)}`,
    judged,
    `score moved > ${movedBy}: ${formatCount(scoreMoved)}`,
  ].join('   ');
}

/** `cost 5,098.12 CNY -> 4,940.08 CNY (-3.1 %)`. */
function formatCost({ before, after, currency, complete }: RunChange['charge']): string {
  const [from, to] = [Number(parseNano(before) ?? 0n), Number(parseNano(after) ?? 0n)];
  const share = from === 0 ? '' : ` (${to >= from ? '+' : ''}${(((to - from) / from) * 100).toFixed(1)} %)`;
  const lacks = complete ? '' : '; incomplete, since units without a price are in it';
  return `cost ${formatAmount(before, currency)} -> ${formatAmount(after, currency)}${share}${lacks}`;
}

/** The table knows of verdicts and scores; what is merely new, changed or gone stands in the CSV. */
function countShown({ verdictChanged, newlyFlagged, scoreMoved }: RunChange): number {
  return Math.max(verdictChanged, newlyFlagged, scoreMoved);
}

function formatDifferences(
  rows: readonly Difference[],
  ink: Ink,
  width: number | undefined,
): readonly string[] {
  if (rows.length === 0) return [];
  const cells = rows.map(({ item, is, verdict, verdictBefore, movement }) => [
    `  ${is === 'same' ? '' : is}`,
    verdictBefore === undefined || verdictBefore === verdict
      ? inkWord(ink, verdict)
      : `${inkWord(ink, verdictBefore)} -> ${inkWord(ink, verdict)}`,
    movement === undefined
      ? ''
      : makePlain(
          [movement.service, movement.op, movement.name].filter((word) => word !== undefined).join(' '),
        ),
    movement === undefined ? '' : `${formatScore(movement.before)} -> ${formatScore(movement.after)}`,
    makePlain(item.id),
  ]);
  const columns = ['', 'verdict', 'score of', 'moved', 'item'].map((title) => ({ title }));
  return ['', ...formatTable(columns, cells, width)];
}
