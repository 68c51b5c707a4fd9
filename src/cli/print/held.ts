/** Held calls for people and scripts, and what became of those that were settled. */
import type { HeldRow } from '../../domain/ledger.ts';
import { formatCount } from '../../domain/quantity.ts';
import { makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { countWord, formatInstant } from './word.ts';

export function printHeld(console: Console, rows: readonly HeldRow[]): void {
  if (rows.length === 0) {
    writeResult(console, ['nothing is held.']);
    return;
  }
  const ink = makeInk(console);
  const cells = rows.map((row) => [
    row.reuseKey,
    makePlain(row.service),
    formatInstant(row.sentAt),
    formatUnits(row),
    `${makePlain(row.item)}\n${ink.dim(makePlain(describeCause(row)))}`,
  ]);
  const columns = ['reuse key', 'service', 'sent', 'units', 'item'].map((title) => ({ title }));
  writeResult(console, [
    ...formatTable(columns, cells, widthOf(console)),
    '',
    `${countWord(rows.length, 'call')} held. Settle: mediasweep held resend|forget WHAT.`,
  ]);
}

function formatUnits({ units }: HeldRow): string {
  return Object.entries(units)
    .map(([sku, count]) => `${formatCount(count)} ${sku}`)
    .join('\n');
}

function describeCause({ cause, isAskedAgain }: HeldRow): string {
  return isAskedAgain ? `${cause}; the next run asks again` : cause;
}

export function printHeldJson(console: Console, held: readonly HeldRow[]): void {
  printJson(console, { held });
}

export function printSettled(
  console: Console,
  settled: readonly string[],
  how: 'resend' | 'forget',
  isJson: boolean,
): void {
  if (isJson) {
    printJson(console, { settled });
    return;
  }
  const what = countWord(settled.length, 'held call');
  const tells = {
    resend: `${what} settled: the next run sends ${settled.length === 1 ? 'it' : 'them'} again.`,
    forget: `${what} settled: from the next run on ${settled.length === 1 ? 'it counts' : 'they count'} as failed.`,
  };
  writeResult(console, [settled.length === 0 ? 'nothing is held.' : tells[how]]);
}
