/**
 * Writes of single rows, many of which go to the server as one statement over lists of values: `INSERT INTO ... VALUES`,
 * `UPDATE ... WHERE id = ?` and `DELETE ... WHERE id = ?`. Those that concern the same row keep their order.
 */
import type { Value } from '../sql/database.ts';
import { translate } from './dialect.ts';
import { idColumns } from './schema.ts';

/** A statement that concerns one row. */
interface RowWrite {
  readonly table: string;
  /** Places of the values that name the row; none where it is new and has no name that others know. */
  readonly names: readonly number[];
  /** The statement over a table `q` of values. */
  readonly spell: (table: string) => string;
}

/** Rows for one statement, in their order; no row comes twice. */
export interface Batch {
  readonly sql: string;
  readonly rows: (readonly Value[])[];
  readonly spell: RowWrite['spell'];
}

const inserts =
  /^(INSERT INTO (\w+)(?: \(([\w, ]+)\))?) VALUES \(((?:\$\d+(?:, ?)?)+)\)(?:\s+ON CONFLICT \(([\w, ]+)\)([^$]+))?$/;
const updates = /^(UPDATE (\w+) SET [^;]+?) WHERE (\w+) = \$(\d+)$/;
const deletes = /^DELETE FROM (\w+) WHERE (\w+) = \$1$/;

const known = new Map<string, RowWrite | undefined>();

function findRowWrite(sql: string): RowWrite | undefined {
  if (!known.has(sql)) {
    const { text } = translate(sql);
    known.set(
      sql,
      text.includes('ANY(') ? undefined : (readInsert(text) ?? readUpdate(text) ?? readDelete(text)),
    );
  }
  return known.get(sql);
}

function readInsert(text: string): RowWrite | undefined {
  const [, head = '', table = '', columns, marks = '', conflict, then = ''] = inserts.exec(text) ?? [];
  if (head === '') return undefined;
  const list = columns?.split(',').map((column) => column.trim());
  const naming = conflict?.split(',').map((column) => column.trim()) ?? [idColumns[table] ?? []].flat();
  // Without a list of columns, those that name a row stand first.
  const names = naming.map((column, index) => list?.indexOf(column) ?? index);
  const tail = conflict === undefined ? '' : ` ON CONFLICT (${conflict})${then}`;
  return { table, names, spell: (lists) => `${head} SELECT ${spellValues(marks)} FROM ${lists}${tail}` };
}

function readUpdate(text: string): RowWrite | undefined {
  const [, head = '', table = '', column = '', place = ''] = updates.exec(text) ?? [];
  if (idColumns[table] !== column) return undefined;
  const where = ` WHERE ${table}.${column} = q.p${place}`;
  return {
    table,
    names: [Number(place) - 1],
    spell: (lists) => `${spellValues(head)} FROM ${lists}${where}`,
  };
}

function readDelete(text: string): RowWrite | undefined {
  const [, table = '', column = ''] = deletes.exec(text) ?? [];
  if (idColumns[table] !== column) return undefined;
  const where = ` WHERE ${table}.${column} = q.p1`;
  return { table, names: [0], spell: (lists) => `DELETE FROM ${table} USING ${lists}${where}` };
}

function spellValues(text: string): string {
  return text.replaceAll(/\$(\d+)/g, 'q.p$1');
}

/** Writes that wait to be sent. */
export class WaitingWrites {
  #batches: Batch[] = [];
  /** Of each statement the latest batch, and of each row the latest batch that it is in. */
  readonly #latest = new Map<string, number>();
  readonly #rows = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** False where the statement concerns more than a row, and must be sent by itself behind all that waits. */
  add(sql: string, values: readonly Value[]): boolean {
    const write = findRowWrite(sql);
    if (!write) return false;
    const row = nameRow(write, values);
    const before = this.#rows.get(row) ?? -1;
    let place = this.#latest.get(sql) ?? -1;
    if (place < 0 || place < before || (place === before && write.names.length > 0)) {
      place = this.#batches.length;
      this.#latest.set(sql, place);
      this.#batches.push({ sql, rows: [], spell: write.spell });
    }
    this.#batches[place]?.rows.push(values);
    this.#rows.set(row, place);
    this.#count += 1;
    return true;
  }

  /** In the order in which they are to be sent. */
  take(): readonly Batch[] {
    const batches = this.#batches;
    this.#batches = [];
    this.#latest.clear();
    this.#rows.clear();
    this.#count = 0;
    return batches;
  }
}

function nameRow({ table, names }: RowWrite, values: readonly Value[]): string {
  const [first = 0] = names;
  if (names.length === 1) return `${table} ${String(values[first])}`;
  return `${table} ${names.length === 0 ? '' : JSON.stringify(names.map((place) => String(values[place])))}`;
}
