/** What became of the ledger: how much was taken out, or what it was brought back from. */
import type { Pruned } from '../../domain/ledger.ts';
import { formatCount, formatSize } from '../../domain/quantity.ts';
import type { RestoreResult } from '../spine.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { type Console, writeResult } from './terminal.ts';
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
