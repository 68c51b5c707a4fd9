/** Remembered failures for people and scripts. */
import type { FailedRow } from '../../domain/ledger.ts';
import { makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { countWord, formatInstant } from './word.ts';

export function printFailed(console: Console, rows: readonly FailedRow[]): void {
  if (rows.length === 0) {
    writeResult(console, ['no failure is remembered.']);
    return;
  }
  const ink = makeInk(console);
  const cells = rows.map((row) => [
    row.reuseKey,
    makePlain(row.service),
    formatInstant(row.failedAt),
    row.acknowledgedAt === undefined ? ink.red('open') : 'acknowledged',
    `${makePlain(row.item)}\n${ink.dim(makePlain(describeError(row)))}`,
  ]);
  const columns = ['reuse key', 'service', 'failed', '', 'item'].map((title) => ({ title }));
  const open = rows.filter(({ acknowledgedAt }) => acknowledgedAt === undefined).length;
  writeResult(console, [
    ...formatTable(columns, cells, widthOf(console)),
    '',
    `${countWord(rows.length, 'failure')} remembered, ${open === 0 ? 'all acknowledged' : `${open} not acknowledged`}.`,
  ]);
}

function describeError({ error }: FailedRow): string {
  const code = error.code === '' || error.code === error.class ? '' : ` (${error.code})`;
  return `${error.class}${code}${error.message === '' ? '' : `: ${error.message}`}`;
}

export function printFailedJson(console: Console, failed: readonly FailedRow[]): void {
  printJson(console, { failed });
}

export function printAcknowledged(console: Console, acknowledged: readonly string[], isJson: boolean): void {
  if (isJson) printJson(console, { acknowledged });
  else {
    const what = countWord(acknowledged.length, 'failure');
    writeResult(console, [
      acknowledged.length === 0
        ? 'no failure that is not acknowledged.'
        : `${what} acknowledged: still reported, no longer in the exit code.`,
    ]);
  }
}
