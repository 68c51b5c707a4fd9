/** Rows of a comparison on their way out, as they are found: CSV for tables, one JSON document for scripts. */
import type { TextSink } from '../domain/output.ts';
import type { Column } from './table/column.ts';
import { type CsvForm, renderCsvHeader, renderCsvRows } from './table/csv.ts';
import { toJson } from './table/json.ts';

/** Where rows go. Any number of them; nothing is kept. */
export interface RowStream<Row> {
  readonly begin: (head: object) => Promise<void>;
  readonly write: (rows: readonly Row[]) => Promise<void>;
  /** `tail`: what is known only when all rows have been seen. */
  readonly end: (tail: object) => Promise<void>;
}

export function makeCsvStream<Row>(
  sink: TextSink,
  columns: readonly Column<Row>[],
  form: CsvForm,
): RowStream<Row> {
  return {
    begin: () => sink.write(renderCsvHeader(columns, form)),
    write: (rows) => (rows.length === 0 ? Promise.resolve() : sink.write(renderCsvRows(columns, rows, form))),
    end: async () => undefined,
  };
}

/** One document: the members of `head`, the rows as a list under `name`, the members of `tail`. */
export function makeJsonStream<Row>(
  sink: TextSink,
  columns: readonly Column<Row>[],
  name: string,
): RowStream<Row> {
  let separator = '\n';
  return {
    begin: (head) => sink.write(`{\n${renderMembers(head)}"${name}": [`),
    async write(rows) {
      let text = '';
      for (const row of rows) {
        text += separator + JSON.stringify(toJson(columns, row));
        separator = ',\n';
      }
      if (text !== '') await sink.write(text);
    },
    end: (tail) => sink.write(`\n]${renderMembers(tail, ',\n', '')}\n}\n`),
  };
}

function renderMembers(members: object, before = '', after = ',\n'): string {
  return Object.entries(members)
    .map(([key, value]) => `${before}${JSON.stringify(key)}: ${JSON.stringify(value ?? null)}${after}`)
    .join('');
}
