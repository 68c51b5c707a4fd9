/** One open SQLite file: statements prepared once, transactions that write from their beginning, errors in words. */
import { statSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { wrongUse } from '../../domain/problem.ts';
import type { Value, WritingDatabase } from '../sql/database.ts';
import type { Soon } from '../sql/soon.ts';
import { spellInsert } from '../sql/spell-insert.ts';
import { explainDatabaseError } from '../trouble.ts';
import { makeOwnFile } from '../own-file.ts';
import { breakSeal } from '../seal.ts';
import type { Driver } from './driver.ts';
import { holdLedger } from './hold.ts';
import { migrations } from './schema.ts';

const busyTimeoutMs = 15_000;
const openAgainAfterMs = 50;

type Plain = Exclude<Value, readonly unknown[]>;

interface Prepared {
  readonly statement: Sqlite.Statement<Plain[]>;
  /** Names of the columns that it answers with. */
  readonly columns: readonly string[];
  /** Some of its values are lists, which go as JSON. */
  readonly takesLists: boolean;
}

export class SqliteDatabase implements WritingDatabase {
  /** The path of its file. */
  readonly name: string;
  readonly isFar: boolean;
  readonly #driver: Sqlite.Database;
  readonly #statements = new Map<string, Prepared>();
  readonly #release: (() => Promise<void>) | undefined;
  #hasWritten = false;

  constructor(
    path: string,
    driver: Sqlite.Database,
    terms: { readonly isFar?: boolean; readonly release?: () => Promise<void> } = {},
  ) {
    this.name = path;
    this.isFar = terms.isFar ?? false;
    this.#driver = driver;
    this.#release = terms.release;
  }

  get<Row>(sql: string, values: readonly Value[] = []): Row | undefined {
    try {
      const prepared = this.#prepare(sql);
      return prepared.statement.get(...bind(prepared, values)) as Row | undefined;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  all<Row>(sql: string, values: readonly Value[] = []): Row[] {
    try {
      return readRows<Row>(this.#prepare(sql), values);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  each<Row>(sql: string, values: readonly (readonly Value[])[]): readonly (readonly Row[])[] {
    try {
      const prepared = this.#prepare(sql);
      return values.map((one) => readRows<Row>(prepared, one));
    } catch (error) {
      throw this.#explain(error);
    }
  }

  run(sql: string, values: readonly Value[] = []): void {
    this.#execute(sql, values);
  }

  change(sql: string, values: readonly Value[] = []): number {
    return this.#execute(sql, values).changes;
  }

  insert(table: string, row: Readonly<Record<string, Value>>): number {
    const sql = spellInsert(table, Object.keys(row));
    return Number(this.#execute(sql, Object.values(row)).lastInsertRowid);
  }

  nextId(table: 'attempts'): number {
    const last = this.get<{ seq: number }>('SELECT seq FROM sqlite_sequence WHERE name = ?', [table]);
    return (last?.seq ?? 0) + 1;
  }

  async transact<Result>(work: () => Soon<Result>, foresee?: () => Promise<unknown>): Promise<Result> {
    const endTurn = await takeTurn(this.name);
    try {
      return await this.#transact(work, this.isFar ? foresee : undefined);
    } finally {
      endTurn();
    }
  }

  async #transact<Result>(work: () => Soon<Result>, foresee?: () => Promise<unknown>): Promise<Result> {
    this.#breakSeal();
    this.run('BEGIN IMMEDIATE');
    try {
      await foresee?.();
      const result = await work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      // Some errors, a full disk among them, end the transaction by themselves.
      if (this.#driver.inTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  async measure(): Promise<number> {
    return statSync(this.name).size;
  }

  async compact(): Promise<void> {
    this.#breakSeal();
    this.run('VACUUM');
    this.all('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  async close(): Promise<void> {
    this.#driver.close();
    await this.#release?.();
  }

  /** Nobody seals the file while this process has it open, so that once is enough. */
  #breakSeal(): void {
    if (this.#hasWritten) return;
    try {
      breakSeal(this.name);
    } catch (error) {
      throw this.#explain(error);
    }
    this.#hasWritten = true;
  }

  #execute(sql: string, values: readonly Value[]): Sqlite.RunResult {
    try {
      const prepared = this.#prepare(sql);
      return prepared.statement.run(...bind(prepared, values));
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      const own = translate(sql);
      const statement = this.#driver.prepare<Plain[]>(own);
      const columns = statement.reader ? statement.columns().map(({ name }) => name) : [];
      prepared = { statement, columns, takesLists: own.includes('json_each') };
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  #explain(error: unknown): unknown {
    return explainDatabaseError('ledger', this.name, error);
  }
}

const turns = new Map<string, Promise<void>>();

/**
 * Transactions of one process on one file take turns here: to wait for the lock of another connection would stop the
 * thread that is to give it back.
 */
async function takeTurn(path: string): Promise<() => void> {
  const before = turns.get(path);
  let end = (): void => undefined;
  const turn = new Promise<void>((resolve) => {
    end = resolve;
  });
  turns.set(path, turn);
  await before;
  return () => {
    if (turns.get(path) === turn) turns.delete(path);
    end();
  };
}

/** As the driver's own objects, which take a third longer than its lists and these together. */
function readRows<Row>(prepared: Prepared, values: readonly Value[]): Row[] {
  const { statement, columns } = prepared;
  const rows = statement.raw(true).all(...bind(prepared, values)) as unknown[][];
  statement.raw(false);
  return rows.map((cells) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index += 1) row[columns[index] as string] = cells[index];
    return row as Row;
  });
}

/** The common spelling in SQLite's own words. */
function translate(sql: string): string {
  return sql
    .replaceAll(/SAME\(([\w.]+), \?\)/g, '$1 = ?')
    .replaceAll(/IN (?:LIST|NAMES)\(\?\)/g, 'IN (SELECT value FROM json_each(?))')
    .replaceAll(
      /MATCHES\(([\w.]+), \?\)/g,
      'EXISTS (SELECT 1 FROM json_each(?) AS word WHERE $1 = word.value OR $1 GLOB word.value)',
    );
}

function bind({ takesLists }: Prepared, values: readonly Value[]): Plain[] {
  if (!takesLists) return values as Plain[];
  return values.map((value) => (Array.isArray(value) ? JSON.stringify(value) : (value as Plain)));
}

/**
 * Opens or makes the database file and brings its tables up to date. The file and its side files can be read by their
 * owner alone, and so can a folder that is made for them.
 *
 * @throws `Stop` where the file is damaged, cannot be written, or belongs to a newer program.
 */
export function openDatabase(path: string, driver: Driver, release?: () => Promise<void>): SqliteDatabase {
  try {
    makeOwnFile(path);
    return new SqliteDatabase(path, openPatiently(path, driver), { ...(release && { release }) });
  } catch (error) {
    throw explainDatabaseError('ledger', path, error);
  }
}

/**
 * As `openDatabase`, for a ledger's file, which is held against its seal first and sealed again by whoever closes it last.
 *
 * @throws `Stop` as `openDatabase` does, and where the file is not what it was left as
 */
export async function openHeldDatabase(path: string, driver: Driver): Promise<SqliteDatabase> {
  const release = await holdLedger(path, driver);
  try {
    return openDatabase(path, driver, release);
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Another connection to a file that `openDatabase` has opened in this process; `isFar` for tests of what is read ahead.
 *
 * @throws `Stop` where the file cannot be opened any more.
 */
export function openAgain(path: string, driver: Driver, isFar = false): SqliteDatabase {
  try {
    const opened = new driver(path, { timeout: busyTimeoutMs });
    setUp(opened);
    return new SqliteDatabase(path, opened, { isFar });
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
  setUp(opened);
  migrate(path, opened);
}

function setUp(opened: Sqlite.Database): void {
  opened.pragma('synchronous = FULL');
  // More than this the system keeps in its own cache as well.
  opened.pragma('cache_size = -12000');
  opened.pragma('temp_store = MEMORY');
}

/** A ledger in memory that nothing is known of yet, for whoever only looks where there is none. */
export function openEmptyDatabase(driver: Driver): SqliteDatabase {
  const opened = new driver(':memory:');
  migrate(':memory:', opened);
  return new SqliteDatabase(':memory:', opened);
}

/** A file without a name that SQLite removes by itself, for what does not fit into memory and need not last. */
export function openScratchDatabase(driver: Driver, schema: string): SqliteDatabase {
  try {
    const opened = new driver('');
    opened.pragma('journal_mode = OFF');
    opened.pragma('synchronous = OFF');
    opened.pragma('cache_size = -32000');
    opened.exec(schema);
    return new SqliteDatabase('', opened);
  } catch (error) {
    throw explainDatabaseError('temporary file', '', error);
  }
}

function migrate(path: string, opened: Sqlite.Database): void {
  const readVersion = () => Number(opened.pragma('user_version', { simple: true }));
  // Who only reads changes nothing, not even by writing what is there already.
  if (readVersion() === migrations.length) return;
  const apply = opened.transaction(() => {
    const version = readVersion();
    if (version > migrations.length) {
      throw wrongUse(
        `ledger "${path}": it was written by a newer program: expected version ${migrations.length} or older, found ${version}. Update this program, or name another folder with --state.`,
      );
    }
    breakSeal(path);
    for (const sql of migrations.slice(version)) opened.exec(sql);
    opened.pragma(`user_version = ${migrations.length}`);
  });
  apply.immediate();
}
