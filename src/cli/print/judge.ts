/** Flips of a policy on the terminal: the counts, then the worst of them. */
import type { Evidence, Flip, VerdictChange } from '../../domain/change.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { JudgeResult, RowOutput } from '../spine.ts';
import { type Ink, inkVerdict, makeInk } from './ink.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeNote, writeResult } from './terminal.ts';
import { formatProblems } from './trouble.ts';
import { countWord } from './word.ts';

export function printJudged(console: Console, result: JudgeResult, output: RowOutput): void {
  const ink = makeInk(console);
  const warnings = formatProblems(result.warnings).map((line) => `${ink.yellow('warn')} ${line}`);
  writeNote(console, warnings);
  if (output.isJson || output.csv === '-') return;
  const { run, policies, items, flips, verdicts, worst } = result;
  const names = `${makePlain(policies.from)} -> ${makePlain(policies.to)}`;
  const flipped = flips === 0 ? 'no verdict flips' : formatVerdictChanges(flips, 'flip', verdicts);
  writeResult(console, [
    `${ink.bold(makePlain(run.id))} policy ${names}: ${flipped}, of ${countWord(items, 'item')}`,
    ...formatFlips(worst, ink, widthOf(console)),
    ...formatMore(flips - worst.length, output),
  ]);
}

/** `7 flips (5 pass -> review, 2 review -> block)`. */
export function formatVerdictChanges(
  count: number,
  word: string,
  verdicts: readonly VerdictChange[],
): string {
  const pairs = verdicts.map(({ from, to, count: of }) => `${formatCount(of)} ${from} -> ${to}`);
  return `${countWord(count, word)}${pairs.length === 0 ? '' : ` (${pairs.join(', ')})`}`;
}

/** How many rows the table leaves out, and where they are. */
export function formatMore(count: number, { csv }: RowOutput): readonly string[] {
  if (csv !== undefined) return [`  all rows: ${makePlain(csv)}`];
  return count > 0 ? [`  ${formatCount(count)} more: --show N, or all with --csv FILE`] : [];
}

export function inkWord(ink: Ink, word: Flip['to'] | undefined): string {
  if (word === undefined) return '';
  return word === 'none' ? ink.dim(word) : inkVerdict(ink, word, word);
}

function formatFlips(flips: readonly Flip[], ink: Ink, width: number | undefined): readonly string[] {
  if (flips.length === 0) return [];
  const rows = flips.map(({ item, from, to, evidence }) => [
    `  ${inkWord(ink, from)} -> ${inkWord(ink, to)}`,
    ...describeEvidence(evidence),
    makePlain(item.id),
  ]);
  const columns = ['  verdict', 'rule', 'by', 'item'].map((title) => ({ title }));
  return ['', ...formatTable(columns, rows, width)];
}

function describeEvidence(evidence: Evidence | undefined): readonly [string, string] {
  if (!evidence) return ['', ''];
  const { rule, service, op, name, value } = evidence;
  const words = [service, ...(op === undefined ? [] : [op]), name, formatScore(value)];
  return [makePlain(rule), makePlain(words.join(' '))];
}

/** Four digits are enough for people. */
export function formatScore(value: number | string): string {
  return typeof value === 'string' ? value : String(Number(value.toPrecision(4)));
}
