/**
 * A database under the ledger, as the ledger's rules see it. They are written once, over SQL in one spelling that each
 * dialect turns into its own:
 *
 * - `?` stands for a value, in their order;
 * - `x IN LIST(?)` asks whether `x` is among the elements of a list;
 * - `SAME(x, ?)` is `x = ?`, and `x IN NAMES(?)` is `x IN LIST(?)`, for texts that may be longer than an index takes;
 * - `MATCHES(x, ?)` asks whether `x` is one of the words of a list, or matches one as a pattern with `*` and `?`;
 * - `INDEXED BY name` is a hint for who heeds it.
 *
 * A write of one row reads `INSERT INTO table ... VALUES (?, ...)`, `UPDATE table SET ... WHERE id = ?` or `DELETE FROM table
 * WHERE id = ?`, with the name of the table's own id; many of them may go to a server as one. Where an insert names no columns,
 * those of its `ON CONFLICT` stand first in the table.
 *
 * Text is compared as bytes and may hold any character. Integers come as numbers, truth as 0 and 1; what may pass 2^53 is
 * read as text with `CAST`.
 */
import type { Soon } from './soon.ts';

export type Value = string | number | bigint | Uint8Array | null | readonly (string | number)[];

export interface Database {
  /** Where it is, in the words that errors use. */
  readonly name: string;
  /** The first row, or undefined. */
  get<Row>(sql: string, values?: readonly Value[]): Soon<Row | undefined>;
  all<Row>(sql: string, values?: readonly Value[]): Soon<Row[]>;
  /** As `all` for each of these, in their order, in one round trip. */
  each<Row>(sql: string, values: readonly (readonly Value[])[]): Soon<readonly (readonly Row[])[]>;
  close(): Promise<void>;
}

/** The connection that writes, of which a process has one for each queue of commits. */
export interface WritingDatabase extends Database {
  /** True where a question costs a way over the network, so that many are asked together. */
  readonly isFar: boolean;
  /** Within `transact`: seen by every read that follows, and by others once it is committed. */
  run(sql: string, values?: readonly Value[]): void;
  /** As `run`, and answers how many rows changed. */
  change(sql: string, values?: readonly Value[]): Soon<number>;
  /** Adds a row with these columns and answers its id. The order of the columns is part of the statement. */
  insert(table: string, row: Readonly<Record<string, Value>>): number;
  /** Above every id that the table has given out, rows that are gone included. */
  nextId(table: 'attempts'): Soon<number>;
  /**
   * Runs `work` in one transaction that no other one on this ledger runs beside, in whatever process; all of it is durable
   * or none. `work` may run more than once. One at a time on a connection. Where a question costs a way over the network,
   * `foresee` asks before `work` what that will ask for, and its questions go along with the transaction's beginning.
   */
  transact<Result>(work: () => Soon<Result>, foresee?: () => Promise<unknown>): Promise<Result>;
  /** Bytes that the ledger takes. */
  measure(): Promise<number>;
  /** Gives room that is no longer used back; only where nobody else has the ledger open for long. */
  compact(): Promise<void>;
}
