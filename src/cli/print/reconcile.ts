/** A vendor's count beside ours, for people: what agrees in a line, then what does not. */
import { formatMoney } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { ReconciledRow } from '../../domain/reconcile.ts';
import type { ReconcileResult } from '../spine.ts';
import { makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { countWord } from './word.ts';

const mostRows = 40;

export function printReconciled(console: Console, result: ReconcileResult, csv: string | undefined): void {
  const ink = makeInk(console);
  const { account, month, by, counts, differences, ignoredRows, otherMonths, unknownNames } = result;
  const what = { day: 'by day and SKU', month: 'by SKU', id: 'by job' }[by];
  const open = counts.differs + counts['theirs-only'] + counts['ours-only'];
  const parts = [
    `${formatCount(counts.matched)} matched`,
    ...(['differs', 'theirs-only', 'ours-only'] as const)
      .filter((is) => counts[is] > 0)
      .map((is) => ink.yellow(`${formatCount(counts[is])} ${is}`)),
  ];
  const apart = [
    ...(ignoredRows > 0 ? [`${countWord(ignoredRows, 'row')} ignored`] : []),
    ...(otherMonths > 0 ? [`${countWord(otherMonths, 'row')} of other months left out`] : []),
  ];
  const unknown =
    unknownNames.length === 0
      ? []
      : [
          `  no SKU of ours: ${unknownNames.map((name) => JSON.stringify(makePlain(name))).join(', ')}. Name ours with --map "theirs=ours", or leave it out with --ignore.`,
        ];
  const shown = differences.slice(0, mostRows);
  const left = open - shown.length;
  writeResult(console, [
    `${ink.bold(`${makePlain(account)} ${month}`)} ${what}: ${parts.join(', ')}`,
    `  ${formatTotals(result)}`,
    ...apart.map((text) => `  ${text}`),
    ...unknown,
    ...(shown.length === 0 ? [] : ['', ...formatRows(shown, result, widthOf(console))]),
    ...(left > 0 ? [`and ${formatCount(left)} more; --csv holds all`] : []),
    ...(csv === undefined ? [] : [`written: ${makePlain(csv)}`]),
  ]);
}

function formatTotals({ totals: { theirs, ours }, currency }: ReconcileResult): string {
  const units = `units: ${theirs.units === undefined ? 'not told' : formatCount(theirs.units)} theirs, ${formatCount(ours.observed + ours.estimated)} ours`;
  const uncertain = ours.uncertain > 0 ? ` and ${formatCount(ours.uncertain)} uncertain` : '';
  const ourCharge = `${ours.isComplete ? '' : 'at least '}${formatMoney(ours.charge, currency)} ours`;
  const money =
    theirs.amount === undefined
      ? ''
      : `; money: ${formatMoney(theirs.amount, currency)} theirs, ${ourCharge}`;
  return `${units}${uncertain}${money}`;
}

function formatRows(
  rows: readonly ReconciledRow[],
  { by, currency }: ReconcileResult,
  width: number | undefined,
): readonly string[] {
  const titles = [
    '',
    'date',
    'SKU',
    ...(by === 'id' ? ['job'] : []),
    'theirs',
    'ours',
    'their amount',
    'our charge',
    'note',
  ];
  const cells = rows.map(({ is, when, sku, id, theirs, ours, note }) => [
    is,
    when,
    makePlain(sku),
    ...(by === 'id' ? [makePlain(id ?? '')] : []),
    theirs?.units === undefined ? '' : formatCount(theirs.units),
    ours === undefined ? '' : formatCount(ours.observed + ours.estimated),
    theirs?.amount === undefined ? '' : formatMoney(theirs.amount, currency),
    ours === undefined ? '' : ours.isComplete ? formatMoney(ours.charge, currency) : 'unknown',
    note,
  ]);
  const right = new Set(['theirs', 'ours', 'their amount', 'our charge']);
  return formatTable(
    titles.map((title) => ({ title, isRight: right.has(title) })),
    cells,
    width,
  );
}

/** Money as decimal strings. */
export function printReconciledJson(console: Console, result: ReconcileResult): void {
  const { differences, ...rest } = result;
  printJson(console, {
    ...rest,
    differences: differences.map(({ is, when, ...row }) => ({ result: is, date: when, ...row })),
  });
}
