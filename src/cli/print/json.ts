/** `--json`: exactly one document on stdout. */
import { formatNano } from '../../domain/money.ts';
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
