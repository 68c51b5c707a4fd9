/** SQL in the ledger's common spelling, and its values, as PostgreSQL takes and gives them. */
import type { Value } from '../sql/database.ts';
import { escapeText, spellPattern, unescapeText } from './text.ts';

/** A statement with `$1`, `$2` and so on. */
export interface Statement {
  readonly text: string;
  /** Places of values that are words of `MATCHES`. */
  readonly patterns: ReadonlySet<number>;
}

const known = new Map<string, Statement>();

export function translate(sql: string): Statement {
  let statement = known.get(sql);
  if (!statement) {
    statement = spell(sql);
    known.set(sql, statement);
  }
  return statement;
}

const marks = /NOT IN LIST\(\?\)|IN LIST\(\?\)|([\w.]+) IN NAMES\(\?\)|(?:MATCHES|SAME)\(([\w.]+), \?\)|\?/g;

function spell(sql: string): Statement {
  const patterns = new Set<number>();
  let count = 0;
  const text = sql
    .replaceAll(/ INDEXED BY \w+/g, '')
    // SQLite is told the order of a join by it; here it takes no condition.
    .replaceAll(/ CROSS JOIN (\w+ AS \w+ ON )/g, ' JOIN $1')
    .replaceAll(marks, (mark: string, many: string | undefined, one: string | undefined) => {
      count += 1;
      const value = `$${count}`;
      if (mark === '?') return value;
      if (mark.startsWith('NOT')) return `<> ALL(${value})`;
      if (mark.startsWith('IN')) return `= ANY(${value})`;
      if (many !== undefined) {
        const hashes = `SELECT md5(word) FROM unnest(${value}::text[]) AS word`;
        return `md5(${many}) IN (${hashes}) AND ${many} = ANY(${value})`;
      }
      if (mark.startsWith('SAME')) return `md5(${one}) = md5(${value}) AND ${one} = ${value}`;
      patterns.add(count - 1);
      return `${one} ~ ANY(${value})`;
    });
  return { text, patterns };
}

export function bind(statement: Statement, values: readonly Value[]): unknown[] {
  return values.map((value, place) => bindOne(statement, value, place));
}

/** The value at that place. */
export function bindOne({ patterns }: Statement, value: Value, place: number): unknown {
  if (!Array.isArray(value)) return encode(value as Exclude<Value, readonly unknown[]>);
  return value.map((one: string | number) =>
    typeof one === 'string' && patterns.has(place) ? spellPattern(one) : encode(one),
  );
}

function encode(value: string | number | bigint | Uint8Array | null): unknown {
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value;
}

/** Of `pg_type`: bool, int8, int2, int4, text, varchar, float8, numeric, bytea. */
const readers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => (text === 't' ? 1 : 0),
  20: Number,
  21: Number,
  23: Number,
  25: unescapeText,
  1043: unescapeText,
  701: Number,
  1700: Number,
  17: (text) => Buffer.from(text.slice(2), 'hex'),
};

/** For `types` of a connection: everything comes as text. */
export const types = {
  getTypeParser: (oid: number) => readers[oid] ?? ((text: string) => text),
};
