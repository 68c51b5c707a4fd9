/** A column of a report, declared once for CSV, JSON and HTML: its name, what kind of value it holds, how it is read. */

/**
 * `text` is whatever the outside wrote, and is guarded in the tables for people; `number`, `boolean` and `time` are
 * ours; `object` is nested and stands in JSON only.
 */
export type ColumnKind = 'text' | 'number' | 'boolean' | 'time' | 'object';

/** Decimal strings are numbers too: money is never a float. */
export type Cell = string | number | boolean | object | undefined;

export interface Column<Row> {
  readonly name: string;
  readonly kind: ColumnKind;
  /** `undefined` for an empty cell. */
  readonly read: (row: Row) => Cell;
}

/** The same columns for rows that hold the row those columns were declared for. */
export function liftColumns<Outer, Inner>(
  columns: readonly Column<Inner>[],
  pick: (row: Outer) => Inner,
): readonly Column<Outer>[] {
  return columns.map((column) => ({ ...column, read: (row: Outer) => column.read(pick(row)) }));
}
