/** Decisions of reviewers for people and scripts. */
import type { DecisionRow } from '../../domain/decision.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { ReviewImport } from '../spine.ts';
import { inkVerdict, makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeNote, writeResult } from './terminal.ts';
import { countWord, formatInstant } from './word.ts';

const mostFaults = 20;

export function printImported(console: Console, path: string, imported: ReviewImport, isJson: boolean): void {
  const { by, stored, unchanged, blank, verdicts, faults } = imported;
  if (isJson) {
    printJson(console, { by, stored, unchanged, blank, verdicts, faults });
    return;
  }
  const ink = makeInk(console);
  const shown = faults
    .slice(0, mostFaults)
    .map(({ line, message }) => `${makePlain(path)}:${line}: ${makePlain(message)}`);
  const more = faults.length - shown.length;
  writeNote(console, [...shown, ...(more > 0 ? [`... and ${formatCount(more)} more`] : [])]);
  const kinds = (['block', 'review', 'pass', 'clear'] as const)
    .filter((verdict) => verdicts[verdict] > 0)
    .map((verdict) => `${formatCount(verdicts[verdict])} ${verdict}`);
  const rest = [
    ...(unchanged > 0 ? [`${formatCount(unchanged)} known already`] : []),
    ...(blank > 0 ? [`${countWord(blank, 'row')} without one`] : []),
    ...(faults.length > 0 ? [ink.red(`${countWord(faults.length, 'row')} not understood`)] : []),
  ];
  const found =
    kinds.length === 0
      ? 'no decision found'
      : `${countWord(stored, 'decision')} of ${makePlain(by)} stored (${kinds.join(', ')})`;
  writeResult(console, [[found, ...rest].join('; ')]);
}

export function printDecisions(console: Console, rows: readonly DecisionRow[]): void {
  if (rows.length === 0) {
    writeResult(console, ['nothing is decided. See: mediasweep review --help']);
    return;
  }
  const ink = makeInk(console);
  const cells = rows.map(({ verdict, by, at, comment, item }) => [
    inkVerdict(ink, verdict, verdict),
    formatInstant(at),
    makePlain(by),
    comment === '' ? makePlain(item) : `${makePlain(item)}\n${ink.dim(makePlain(comment))}`,
  ]);
  const columns = ['decision', 'at', 'by', 'item'].map((title) => ({ title }));
  writeResult(console, formatTable(columns, cells, widthOf(console)));
}

export function printDecisionsJson(console: Console, decisions: readonly DecisionRow[]): void {
  printJson(console, { decisions });
}
