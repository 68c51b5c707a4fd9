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
  const fields = columns.map(({ name, read }, index) => ({
    name: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    read,
  }));
  let text = '';
  for (const row of rows) {
    for (const { name, read } of fields) text += name + renderCell(read(row));
    text += '}\n';
  }
  return text;
}

/** Text that stands in JSON as it is. */
const plain = /^[ !#-[\]-~]*$/;

function renderCell(cell: Cell): string {
  return typeof cell === 'string' && plain.test(cell) ? `"${cell}"` : JSON.stringify(cell ?? null);
}
