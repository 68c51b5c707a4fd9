/** One open SQLite file: statements prepared once, transactions that write from their beginning, errors in words. */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { wrongUse } from '../../domain/problem.ts';
import { explainDatabaseError } from '../trouble.ts';
import type { Driver } from './driver.ts';
import { migrations } from './schema.ts';

export type Value = string | number | bigint | Uint8Array | null;

const busyTimeoutMs = 15_000;
const openAgainAfterMs = 50;

export class Database {
  readonly path: string;
  readonly #driver: Sqlite.Database;
  readonly #statements = new Map<string, Sqlite.Statement<Value[]>>();

  constructor(path: string, driver: Sqlite.Database) {
    this.path = path;
    this.#driver = driver;
  }

  /** The first row, or undefined. */
  get<Row>(sql: string, values: readonly Value[] = []): Row | undefined {
    try {
      return this.#prepare(sql).get(...values) as Row | undefined;
    } catch (error) {
      throw explainDatabaseError('ledger', this.path, error);
    }
  }

  all<Row>(sql: string, values: readonly Value[] = []): Row[] {
    try {
      return this.#prepare(sql).all(...values) as Row[];
    } catch (error) {
      throw explainDatabaseError('ledger', this.path, error);
    }
  }

  /** Answers how many rows changed. */
  run(sql: string, values: readonly Value[] = []): number {
    try {
      return this.#prepare(sql).run(...values).changes;
    } catch (error) {
      throw explainDatabaseError('ledger', this.path, error);
    }
  }

  /** Adds a row with these columns and answers its id. The order of the columns is part of the statement. */
  insert(table: string, row: Readonly<Record<string, Value>>): number {
    const columns = Object.keys(row);
    const marks = columns.map(() => '?').join();
    try {
      const statement = this.#prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${marks})`);
      return Number(statement.run(...Object.values(row)).lastInsertRowid);
    } catch (error) {
      throw explainDatabaseError('ledger', this.path, error);
    }
  }

  /** Runs `work` in one transaction that holds the write lock from its beginning; all of it is durable or none. */
  transact<Result>(work: () => Result): Result {
    this.run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      // Some errors, a full disk among them, end the transaction by themselves.
      if (this.#driver.inTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#driver.close();
  }

  #prepare(sql: string): Sqlite.Statement<Value[]> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#driver.prepare<Value[]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * Opens or makes the database file and brings its tables up to date. The file and its side files can be read by their
 * owner alone, and so can a folder that is made for them.
 *
 * @throws `Stop` where the file is damaged, cannot be written, or belongs to a newer program.
 */
export function openDatabase(path: string, driver: Driver): Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives its side files the permissions of this one.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    return new Database(path, openPatiently(path, driver));
  } catch (error) {
    throw explainDatabaseError('ledger', path, error);
  }
}

/**
 * Others may be opening, mending or closing the file at this moment, for which SQLite refuses without waiting
 * (https://www.sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode", read 2026-11-20).
 */
function openPatiently(path: string, driver: Driver): Sqlite.Database {
  for (let left = busyTimeoutMs / (2 * openAgainAfterMs); ; left -= 1) {
    const opened = new driver(path, { timeout: openAgainAfterMs });
    try {
      prepareFile(path, opened);
      opened.pragma(`busy_timeout = ${busyTimeoutMs}`);
      return opened;
    } catch (error) {
      opened.close();
      if (left <= 0 || !isBusy(error)) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, openAgainAfterMs);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}

function prepareFile(path: string, opened: Sqlite.Database): void {
  const mode = opened.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw wrongUse(
      `ledger "${path}": the file system does not take a write-ahead log (journal mode "${String(mode)}"). Keep the state folder on a local disk.`,
    );
  }
  opened.pragma('synchronous = FULL');
  opened.pragma('cache_size = -32000');
  opened.pragma('temp_store = MEMORY');
  migrate(path, opened);
}

/** A ledger in memory that nothing is known of yet, for whoever only looks where there is none. */
export function openEmptyDatabase(driver: Driver): Database {
  const opened = new driver(':memory:');
  migrate(':memory:', opened);
  return new Database(':memory:', opened);
}

/** A file without a name that SQLite removes by itself, for what does not fit into memory and need not last. */
export function openScratchDatabase(driver: Driver, schema: string): Database {
  try {
    const opened = new driver('');
    opened.pragma('journal_mode = OFF');
    opened.pragma('synchronous = OFF');
    opened.pragma('cache_size = -32000');
    opened.exec(schema);
    return new Database('', opened);
  } catch (error) {
    throw explainDatabaseError('temporary file', '', error);
  }
}

function migrate(path: string, opened: Sqlite.Database): void {
  const apply = opened.transaction(() => {
    const version = Number(opened.pragma('user_version', { simple: true }));
    if (version > migrations.length) {
      throw wrongUse(
        `ledger "${path}": it was written by a newer program: expected version ${migrations.length} or older, found ${version}. Update this program, or name another folder with --state.`,
      );
    }
    for (const sql of migrations.slice(version)) opened.exec(sql);
    opened.pragma(`user_version = ${migrations.length}`);
  });
  apply.immediate();
}
