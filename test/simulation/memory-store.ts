/**
 * A ledger in memory that all processes of all schedules share one connection to, since opening a ledger takes longer than
 * a session plays. What a process has open behaves as a connection of its own: it reads what is committed, and what it
 * was writing when it is closed never happened.
 */
import Sqlite from 'better-sqlite3';
import type { Database, Value } from '../../src/store/sql/database.ts';
import type { Soon } from '../../src/store/sql/soon.ts';
import { SqlLedger } from '../../src/store/sql/sql-ledger.ts';
import { SqliteDatabase } from '../../src/store/sqlite/database.ts';
import { migrations } from '../../src/store/sqlite/schema.ts';
import type { LedgerOpening, OpenLedger, SimStore } from './sim-store.ts';

let stores = 0;

export class MemoryStore implements SimStore {
  readonly #shared = new SharedConnection();
  readonly #tables: readonly string[];
  /** Transactions of one name take turns. */
  readonly #name = `simulation-${(stores += 1)}`;
  #leases: Lease[] = [];

  constructor() {
    for (const sql of migrations) this.#shared.connection.exec(sql);
    this.#tables = this.#shared.connection
      .prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
      .pluck()
      .all();
  }

  async empty(): Promise<void> {
    for (const lease of this.#leases) lease.close();
    this.#leases = [];
    const clear = this.#shared.connection.transaction(() => {
      for (const table of this.#tables) this.#shared.prepare(`DELETE FROM ${table}`).run();
    });
    clear();
  }

  async open({ now, readsAhead }: LedgerOpening): Promise<OpenLedger> {
    const [reading, writing] = [this.#lease(), this.#lease()];
    const db = new Onlooker(new SqliteDatabase(this.#name, asDriver(reading)), this.#shared);
    const writer = new SqliteDatabase(this.#name, asDriver(writing), { isFar: readsAhead });
    const abandon = async () => {
      await writer.close();
      await db.close();
    };
    return { ledger: new SqlLedger({ db, openWriter: async () => writer, now }), db, abandon };
  }

  async close(): Promise<void> {
    this.#shared.connection.close();
  }

  #lease(): Lease {
    const lease = new Lease(this.#shared);
    this.#leases.push(lease);
    return lease;
  }
}

type Statement = Sqlite.Statement<unknown[]>;
/** As much of a statement as `SqliteDatabase` calls. */
type LeasedStatement = Pick<Statement, 'get' | 'all' | 'run' | 'columns' | 'reader'> & {
  readonly raw: (isRaw: boolean) => LeasedStatement;
};

/** The one connection, with statements that are prepared once for all processes. */
class SharedConnection {
  readonly connection = new Sqlite(':memory:');
  /** Who has a transaction open. */
  writer: Lease | undefined;
  readonly #statements = new Map<string, Statement>();

  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      // SQLite plans a statement anew for every limit that is bound to it, which takes longer than to run it on so few rows.
      statement = this.connection.prepare<unknown[]>(sql.replaceAll('LIMIT ?', 'LIMIT (SELECT ?)'));
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** What a process takes for a connection of its own: as much of the driver's as `SqliteDatabase` calls. */
class Lease {
  readonly #shared: SharedConnection;
  #isClosed = false;

  constructor(shared: SharedConnection) {
    this.#shared = shared;
  }

  get inTransaction(): boolean {
    return this.#shared.writer === this && this.#shared.connection.inTransaction;
  }

  prepare(sql: string): LeasedStatement {
    const statement = this.#shared.prepare(sql);
    const leased: LeasedStatement = {
      reader: statement.reader,
      columns: () => statement.columns(),
      raw: (isRaw) => {
        statement.raw(isRaw);
        return leased;
      },
      get: (...values) => this.#open(statement).get(...values),
      all: (...values) => this.#open(statement).all(...values),
      run: (...values) => {
        const result = this.#open(statement).run(...values);
        if (sql === 'BEGIN IMMEDIATE') this.#shared.writer = this;
        if (sql === 'COMMIT' || sql === 'ROLLBACK') this.#shared.writer = undefined;
        return result;
      },
    };
    return leased;
  }

  close(): void {
    if (this.inTransaction) this.#shared.prepare('ROLLBACK').run();
    if (this.#shared.writer === this) this.#shared.writer = undefined;
    this.#isClosed = true;
  }

  #open(statement: Statement): Statement {
    if (this.#isClosed) throw new TypeError('The database connection is not open');
    return statement;
  }
}

function asDriver(lease: Lease): Sqlite.Database {
  return lease as unknown as Sqlite.Database;
}

/** Sees what is committed: it looks between transactions, none of which takes longer than promises take to be kept. */
class Onlooker implements Database {
  readonly #db: Database;
  readonly #shared: SharedConnection;

  constructor(db: Database, shared: SharedConnection) {
    this.#db = db;
    this.#shared = shared;
  }

  get name(): string {
    return this.#db.name;
  }

  get<Row>(sql: string, values?: readonly Value[]): Soon<Row | undefined> {
    return this.#look(() => this.#db.get<Row>(sql, values));
  }

  all<Row>(sql: string, values?: readonly Value[]): Soon<Row[]> {
    return this.#look(() => this.#db.all<Row>(sql, values));
  }

  each<Row>(sql: string, values: readonly (readonly Value[])[]): Soon<readonly (readonly Row[])[]> {
    return this.#look(() => this.#db.each<Row>(sql, values));
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #look<Answer>(read: () => Soon<Answer>): Soon<Answer> {
    return this.#shared.writer ? this.#betweenTransactions().then(read) : read();
  }

  async #betweenTransactions(): Promise<void> {
    while (this.#shared.writer) await Promise.resolve();
  }
}
