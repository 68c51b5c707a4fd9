/** Rows as CSV (RFC 4180): exact bytes for programs, or a byte order mark and guarded cells for spreadsheets. */
import { stringify } from 'csv-stringify/sync';
import type { Cell, Column } from './column.ts';

/** `people`: a byte order mark, and text cells that a spreadsheet would run are guarded. `exact`: neither. */
export type CsvForm = 'people' | 'exact';

const byteOrderMark = '\uFEFF';

/**
 * Spreadsheets run cells that begin with one of these, in full width too, and some of them skip blanks, control and
 * invisible characters on the way there. A leading tab, CR or LF alone is enough for others (OWASP, "CSV Injection").
 */
const formulaStart = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/u;

/** Where a text begins so, no spreadsheet takes it for a formula: nearly all do. */
const plainStart = /^[\w/\p{Lo}]/u;

/**
 * Some spreadsheets cut at semicolons, tabs or the line ends of quoted cells, by the habit of their country: then what
 * follows one is a cell of its own.
 */
const formulaInside = /([;\t\r\n][\s\p{Cc}\p{Cf}]{0,9})(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/gu;
const separator = /[;\t\r\n]/;

/** The text with an apostrophe before whatever a spreadsheet would take for a formula. */
export function guardFormula(text: string): string {
  const inside = separator.test(text) ? text.replace(formulaInside, "$1'") : text;
  if (text === '' || plainStart.test(text)) return inside;
  return formulaStart.test(text) ? `'${inside}` : inside;
}

/** The first line, and the byte order mark before it where people read the file. */
export function renderCsvHeader<Row>(columns: readonly Column<Row>[], form: CsvForm): string {
  const names = columns.map((column) => (form === 'people' ? guardFormula(column.name) : column.name));
  return (form === 'people' ? byteOrderMark : '') + renderLines([names]);
}

/** The rows, each with its line end; the empty string for none. */
export function renderCsvRows<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  form: CsvForm,
): string {
  if (rows.length === 0) return '';
  return renderLines(
    rows.map((row) => columns.map((column) => renderCell(column.read(row), column.kind === 'text', form))),
  );
}

function renderCell(cell: Cell, isText: boolean, form: CsvForm): string {
  if (cell === undefined) return '';
  if (typeof cell === 'object') return JSON.stringify(cell);
  if (typeof cell !== 'string') return String(cell);
  return isText && form === 'people' ? guardFormula(cell) : cell;
}

function renderLines(records: readonly (readonly string[])[]): string {
  // The package quotes its own record delimiter only; a lone CR or LF inside a cell must be quoted as well.
  return stringify(records as string[][], { record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}
