/** What `doctor` found, a line each. */
import type { Diagnosis } from '../../domain/diagnosis.ts';
import { makeInk } from './ink.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, writeResult } from './terminal.ts';

export function printDiagnoses(console: Console, diagnoses: readonly Diagnosis[]): void {
  const ink = makeInk(console);
  const colours = { ok: ink.green, warn: ink.yellow, fail: ink.red };
  const rows = diagnoses.map(({ level, subject, message }) => [
    colours[level](level),
    makePlain(subject),
    makePlain(message),
  ]);
  writeResult(console, formatTable([{ title: '' }, { title: '' }, { title: '' }], rows));
}
