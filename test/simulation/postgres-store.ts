/**
 * A ledger on a PostgreSQL server, which each process opens and closes as the program does. The server has its own time: a
 * process that dies in the middle of a commit may have come through with it or not, from one replay to the next.
 */
import pg from 'pg';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import type { Line } from '../../src/store/postgres/connection.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';
import { PostgresReader } from '../../src/store/postgres/reader.ts';
import { PostgresWriter } from '../../src/store/postgres/writer.ts';
import type { Database, Value, WritingDatabase } from '../../src/store/sql/database.ts';
import { after, type Soon } from '../../src/store/sql/soon.ts';
import { SqlLedger } from '../../src/store/sql/sql-ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { makeSchema, removeSchema } from '../support/postgres.ts';
import type { LedgerOpening, OpenLedger, SimStore } from './sim-store.ts';

export class PostgresStore implements SimStore {
  readonly #access: PostgresAccess;
  readonly #line: Line;
  readonly #reader: PostgresReader;
  readonly #writers: PostgresWriter[] = [];
  /** Of processes that are gone: a connection takes longer than a session plays. */
  readonly #free: PostgresWriter[] = [];
  readonly #leases = new Set<LeasedWriter>();
  #clear: string | undefined;

  constructor(server: PostgresAccess) {
    this.#access = makeSchema(server);
    this.#line = {
      driver: pg,
      access: this.#access,
      clock: systemClock,
      patienceMs: 0,
      answerWithinMs: 60_000,
      tell: () => undefined,
    };
    this.#reader = new PostgresReader(this.#line);
  }

  async empty(): Promise<void> {
    this.#clear ??= await this.#makeTables();
    await Promise.all([...this.#leases].map((lease) => lease.close()));
    const writer = this.#lease();
    const clear = this.#clear;
    await writer.transact(() => writer.change(clear));
    await writer.close();
  }

  async open({ now }: LedgerOpening): Promise<OpenLedger> {
    const writer = this.#lease();
    // One for all processes: it sees what is committed.
    const db: Database = {
      name: this.#reader.name,
      get: (...given) => this.#reader.get(...given),
      all: (...given) => this.#reader.all(...given),
      each: (...given) => this.#reader.each(...given),
      close: async () => undefined,
    };
    const ledger = new SqlLedger({ db, openWriter: async () => writer, now });
    return { ledger, db, abandon: async () => void writer.close() };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#leases].map((lease) => lease.close()));
    await Promise.all(this.#writers.map((writer) => writer.close()));
    await this.#reader.close();
    await removeSchema(this.#access);
  }

  #lease(): LeasedWriter {
    let writer = this.#free.pop();
    if (!writer) {
      writer = new PostgresWriter(this.#line);
      this.#writers.push(writer);
    }
    const own = writer;
    const lease = new LeasedWriter(own, () => {
      this.#leases.delete(lease);
      this.#free.push(own);
    });
    this.#leases.add(lease);
    return lease;
  }

  /** Answers the statement that empties them. */
  async #makeTables(): Promise<string> {
    await migrate(this.#line);
    const tables = await this.#reader.all<{ name: string }>(
      `SELECT table_name::text AS name FROM information_schema.tables
       WHERE table_schema = ? AND table_name NOT IN ('ledger_version', 'writers')`,
      [this.#access.schema ?? ''],
    );
    const parts = tables.map(({ name }, index) => `d${index} AS (DELETE FROM ${name})`);
    return `WITH ${parts.join(', ')} SELECT 1`;
  }
}

/** What a process takes for a connection of its own. When it is gone, what it had not told to commit never happens. */
class LeasedWriter implements WritingDatabase {
  readonly isFar = true;
  readonly #writer: PostgresWriter;
  readonly #giveBack: () => void;
  #underway: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(writer: PostgresWriter, giveBack: () => void) {
    this.#writer = writer;
    this.#giveBack = giveBack;
  }

  get name(): string {
    return this.#writer.name;
  }

  get<Row>(sql: string, values?: readonly Value[]) {
    return this.#open().get<Row>(sql, values);
  }

  all<Row>(sql: string, values?: readonly Value[]) {
    return this.#open().all<Row>(sql, values);
  }

  each<Row>(sql: string, values: readonly (readonly Value[])[]) {
    return this.#open().each<Row>(sql, values);
  }

  run(sql: string, values?: readonly Value[]): void {
    this.#open().run(sql, values);
  }

  change(sql: string, values?: readonly Value[]) {
    return this.#open().change(sql, values);
  }

  insert(table: string, row: Readonly<Record<string, Value>>): number {
    return this.#open().insert(table, row);
  }

  nextId(table: 'attempts') {
    return this.#open().nextId(table);
  }

  transact<Result>(work: () => Soon<Result>, foresee?: () => Promise<unknown>): Promise<Result> {
    const done = this.#open().transact(
      () =>
        after(work(), (result) => {
          this.#open();
          return result;
        }),
      foresee,
    );
    this.#underway = done.catch(() => undefined);
    return done;
  }

  measure() {
    return this.#open().measure();
  }

  compact() {
    return this.#open().compact();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#underway;
    this.#giveBack();
  }

  #open(): PostgresWriter {
    if (this.#isClosed) throw new TypeError('the connection is not open');
    return this.#writer;
  }
}
