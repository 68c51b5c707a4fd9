/** A project that was begun: what was written, and what to do next. */
import type { InitResult } from '../spine.ts';
import { makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { type Console, writeResult } from './terminal.ts';
import { formatProblems } from './trouble.ts';

export function printInitiated(console: Console, result: InitResult, isJson: boolean): void {
  const { pipeline, written, kept, unset, problems } = result;
  if (isJson) {
    printJson(console, { pipeline, written, kept, unset, problems });
    return;
  }
  const ink = makeInk(console);
  writeResult(console, [
    ...written.map((path) => `wrote  ${makePlain(path)}`),
    ...kept.map((path) => `kept   ${makePlain(path)} ${ink.dim('(was there)')}`),
    ...formatProblems(problems),
    '',
    'next:',
    ...(unset.length === 0 ? [] : [`  export ${unset.map((name) => `${name}=...`).join(' ')}`]),
    `  mediasweep check ${makePlain(pipeline)}`,
    `  mediasweep doctor ${makePlain(pipeline)}`,
    `  mediasweep estimate ${makePlain(pipeline)}`,
    `  mediasweep run ${makePlain(pipeline)} --limit 20`,
  ]);
}
