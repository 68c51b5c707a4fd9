/** `--json`: exactly one document on stdout. */
import { formatNano } from '../../domain/money.ts';
import type { TextSink } from '../../domain/output.ts';
import type { Console } from './terminal.ts';

/** Money becomes a decimal string, as everywhere in JSON; what is undefined is left out. */
export function printJson(console: Console, document: unknown): void {
  const text = JSON.stringify(
    document,
    (_, value: unknown) => (typeof value === 'bigint' ? formatNano(value) : value),
    2,
  );
  console.out(`${text}\n`);
}

/** For documents and tables that are written as they are found. */
export function makeResultSink(console: Console): TextSink {
  return { write: async (text) => console.out(text) };
}
