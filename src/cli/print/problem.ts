/** What `check` found: faults on stdout as `file:line:column path: message`, warnings on stderr. */
import type { Problem } from '../../domain/problem.ts';
import type { CheckedFile } from '../spine.ts';
import { type Console, writeNote, writeResult } from './terminal.ts';
import { makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { formatProblems } from './trouble.ts';
import { countWord } from './word.ts';

export function printChecked(console: Console, files: readonly CheckedFile[]): void {
  const ink = makeInk(console);
  const problems = formatProblems(files.flatMap((file) => file.problems));
  const warnings = formatProblems(files.flatMap((file) => file.warnings));
  writeNote(
    console,
    warnings.map((line) => `${ink.yellow('warn')} ${line}`),
  );
  if (problems.length === 0) {
    const rows = files.map(({ path, about }) => [ink.green('ok'), makePlain(path), makePlain(about ?? '')]);
    const columns = [{ title: '' }, { title: '' }, { title: '' }];
    writeResult(console, formatTable(columns, rows));
    return;
  }
  const faulty = new Set(files.flatMap((file) => file.problems.map((problem) => problem.file))).size;
  writeResult(console, [
    ...problems,
    ink.red(`${countWord(problems.length, 'problem')} in ${countWord(faulty, 'file')}.`),
  ]);
}

export function printCheckedJson(console: Console, files: readonly CheckedFile[]): void {
  printJson(console, {
    pipelines: files.map(({ path, about }) => ({ path, about })),
    problems: dropRepeated(files.flatMap((file) => file.problems)),
    warnings: dropRepeated(files.flatMap((file) => file.warnings)),
  });
}

function dropRepeated(problems: readonly Problem[]): readonly Problem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...byText.values()];
}
