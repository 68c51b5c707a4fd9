/** Rows as JSON: every column is present in its order, `null` where it is empty. */
import type { Cell, Column } from './column.ts';

/** One row as a plain object, in the order of the columns. */
export function toJson<Row>(
  columns: readonly Column<Row>[],
  row: Row,
): Readonly<Record<string, Cell | null>> {
  return Object.fromEntries(columns.map((column) => [column.name, column.read(row) ?? null]));
}

/** One line for each row, each with its line end. */
export function renderJsonLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const names = columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  let text = '';
  for (const row of rows) {
    for (const [index, { read }] of columns.entries()) {
      text += `${names[index] ?? ''}${JSON.stringify(read(row) ?? null)}`;
    }
    text += '}\n';
  }
  return text;
}
