/** What became of the ledger: how much was taken out, where it was copied to, or what it was brought back from. */
import type { Pruned } from '../../domain/ledger.ts';
import type { CopiedLedger, CopyProgress } from '../../domain/ledger-copy.ts';
import { formatCount, formatSize } from '../../domain/quantity.ts';
import type { BackupResult, RestoreResult } from '../spine.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { openLine } from './progress.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { countWord, formatInstant } from './word.ts';

export function printPruned(console: Console, pruned: Pruned, isJson: boolean): void {
  if (isJson) {
    printJson(console, pruned);
    return;
  }
  const { runs, items, tasks, replies, bytesBefore, bytesAfter } = pruned;
  const parts = `${countWord(items, 'item')}, ${countWord(tasks, 'task')}, ${formatCount(replies)} raw replies`;
  writeResult(console, [
    `${countWord(runs, 'run')} taken out: ${parts}; ${formatSize(bytesBefore)} before, ${formatSize(bytesAfter)} now.`,
  ]);
}

export function printBackedUp(console: Console, saved: BackupResult, isJson: boolean): void {
  if (isJson) {
    printJson(console, saved);
    return;
  }
  const { ledger, backup, bytes } = saved;
  writeResult(console, [
    `${makePlain(ledger)} was copied to ${makePlain(backup)}: ${formatSize(bytes)}, found in order.`,
    'Answers that come from now on are not in it.',
  ]);
}

export function printRestored(console: Console, restored: RestoreResult, isJson: boolean): void {
  if (isJson) {
    printJson(console, restored);
    return;
  }
  const { backup, madeAt, aside } = restored;
  const since =
    madeAt === undefined ? 'Answers that came later' : `Answers that came after ${formatInstant(madeAt)}`;
  writeResult(console, [
    `restored from ${makePlain(backup)}.`,
    ...(aside === undefined ? [] : [`what was there is ${makePlain(aside)} now.`]),
    `${since} are not in it: the next run pays for their media again.`,
  ]);
}

/** How far a copy has come, on a terminal. */
export function openCopyLine(console: Console): {
  readonly show: (progress: CopyProgress) => void;
  readonly clear: () => void;
} {
  const { draw, clear } = openLine(console);
  const show = ({ table, rows }: CopyProgress) => draw(`copying ${table}  ${countWord(rows, 'row')}`);
  return { show: widthOf(console) === undefined ? () => undefined : show, clear };
}

export function printCopied(console: Console, copied: CopiedLedger, isJson: boolean): void {
  if (isJson) {
    printJson(console, copied);
    return;
  }
  const { from, to, rows, tables } = copied;
  writeResult(console, [
    `${makePlain(from)} was copied to ${makePlain(to)}: ${countWord(rows, 'row')} in ${countWord(tables.length, 'table')}, counted and summed on both sides.`,
    'The file stays as it is. Runs on it from now on are not in the copy.',
  ]);
}
