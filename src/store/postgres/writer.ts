/**
 * The connection that writes. Its transactions take turns with those of every other process by a lock of the database, as
 * SQLite's do by the lock of the file; so what the ledger's rules hold on one machine, they hold on many. Writes wait until
 * something is read or committed, and go together then, without waiting for their answers: rows of one statement as one.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import type { Value, WritingDatabase } from '../sql/database.ts';
import type { Soon } from '../sql/soon.ts';
import { spellInsert } from '../sql/spell-insert.ts';
import { defaultSchema, nameLedger } from './access.ts';
import { connect, gather, type Line, persist } from './connection.ts';
import { bind, translate } from './dialect.ts';
import { nameStatement, readEach } from './question.ts';
import { type Batch, WaitingWrites } from './row-write.ts';
import { idColumns } from './schema.ts';
import { isGivenUp, isLost } from './trouble.ts';
import { findTypes, readTypes, spellLists, spreadRows } from './wide.ts';

const mostTries = 20;
const hourMs = 3_600_000;

/**
 * What is written is looked up by indexes, whatever the server thinks of the tables: a plan that was made while they were
 * empty, and reads them whole, would be kept while they grow.
 */
const byIndex = ['enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off', 'jit=off'];

/** One transaction that is under way. */
interface Transaction {
  readonly client: Client;
  /** Last ids given out, by table; what changed is stored with the commit. */
  readonly ids: Map<string, number>;
  readonly grown: Set<string>;
  readonly waiting: WaitingWrites;
  /** Resolves once what is to be sent before all else is sent. */
  ahead: Promise<void> | undefined;
  /** Of the first write that failed. */
  failure: unknown;
  /** Given up: what was still to be sent must not be, since it would be committed by itself. */
  isOver: boolean;
}

export class PostgresWriter implements WritingDatabase {
  readonly name: string;
  readonly isFar = true;
  readonly #line: Line;
  /** Under which its commits are counted. */
  readonly #id = randomUUID();
  #commits = 0;
  #client: Client | undefined;
  #transaction: Transaction | undefined;
  #isClosed = false;

  constructor(line: Line) {
    this.#line = line;
    this.name = nameLedger(line.access);
  }

  async get<Row>(sql: string, values?: readonly Value[]): Promise<Row | undefined> {
    return (await this.all<Row>(sql, values))[0];
  }

  async all<Row>(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    return (await this.#ask(sql, values)).rows as Row[];
  }

  async each<Row>(sql: string, values: readonly (readonly Value[])[]): Promise<readonly (readonly Row[])[]> {
    const transaction = this.#require();
    return await sendBehind(transaction, () => readEach<Row>(transaction.client, sql, values));
  }

  run(sql: string, values: readonly Value[] = []): void {
    const transaction = this.#require();
    if (transaction.waiting.add(sql, values)) return;
    this.#ask(sql, values).catch((error: unknown) => {
      transaction.failure ??= error;
    });
  }

  async change(sql: string, values: readonly Value[] = []): Promise<number> {
    return (await this.#ask(sql, values)).rowCount ?? 0;
  }

  insert(table: string, row: Readonly<Record<string, Value>>): number {
    const { ids, grown } = this.#require();
    const id = (ids.get(table) ?? 0) + 1;
    ids.set(table, id);
    grown.add(table);
    const idColumn = idColumns[table] ?? '';
    this.run(spellInsert(table, [idColumn, ...Object.keys(row)]), [id, ...Object.values(row)]);
    return id;
  }

  async nextId(table: 'attempts'): Promise<number> {
    return (this.#require().ids.get(table) ?? 0) + 1;
  }

  /** @throws `Stop` where the server stays away, or refuses; nothing is committed then */
  async transact<Result>(work: () => Soon<Result>, foresee?: () => Promise<unknown>): Promise<Result> {
    for (let triesLeft = mostTries; ; triesLeft -= 1) {
      const done = await persist(this.#line, () => this.#try(work, foresee, triesLeft > 1));
      if (done !== givenUp) return done.result;
    }
  }

  async measure(): Promise<number> {
    const { schema = defaultSchema } = this.#line.access;
    return await persist(this.#line, async () => {
      const { rows } = await (await this.#connect()).query<{ bytes: number }>(
        `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bytes FROM pg_class AS c
           JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`,
        [schema],
      );
      return rows[0]?.bytes ?? 0;
    });
  }

  /** The room is used again by what comes; giving it back to the disk would lock everyone out. */
  async compact(): Promise<void> {
    await persist(this.#line, async () => {
      const client = await this.#connect();
      for (const table of ['items', 'tasks', 'attempts', 'replies', 'broken', 'canary']) {
        // The driver's types do not know the bound of a single question.
        const vacuum = { text: `VACUUM (ANALYZE) ${table}`, query_timeout: hourMs };
        await client.query(vacuum);
      }
    });
  }

  /** What is not committed by now never will be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    await client.query('DELETE FROM writers WHERE id = $1', [this.#id]).catch(() => undefined);
    await client.end().catch(() => undefined);
  }

  async #connect(): Promise<Client> {
    if (this.#isClosed) throw new Error('the ledger is closed');
    this.#client ??= await connect(this.#line, byIndex);
    return this.#client;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.end().catch(() => undefined);
  }

  async #try<Result>(
    work: () => Soon<Result>,
    foresee: (() => Promise<unknown>) | undefined,
    mayTryAgain: boolean,
  ): Promise<{ readonly result: Result } | typeof givenUp> {
    const client = await this.#connect();
    let result: Result;
    const ids = new Map<string, number>();
    const transaction: Transaction = {
      client,
      ids,
      grown: new Set(),
      waiting: new WaitingWrites(),
      ahead: undefined,
      failure: undefined,
      isOver: false,
    };
    try {
      this.#transaction = transaction;
      gather(client);
      // What is foreseen is asked behind the beginning, and answered with it.
      await Promise.all([this.#begin(client, ids), foresee?.()]);
      result = await work();
      this.#storeIds(transaction);
    } catch (error) {
      const failure = transaction.failure ?? error;
      this.#transaction = undefined;
      transaction.isOver = true;
      await this.#rollBack(client, failure);
      if (isGivenUp(failure) && mayTryAgain) return givenUp;
      throw failure;
    }
    this.#transaction = undefined;
    await this.#commit(client, transaction);
    return { result };
  }

  async #begin(client: Client, ids: Map<string, number>): Promise<void> {
    const [, , counters] = await Promise.all([
      client.query('BEGIN'),
      client.query({ name: 'begin', text: beginSql, values: [this.#lockName()] }),
      client.query({ name: 'counters', text: 'SELECT name, last FROM counters' }),
    ]);
    const rows = counters.rows as readonly { readonly name: string; readonly last: number }[];
    for (const { name, last } of rows) ids.set(name, last);
  }

  #storeIds({ ids, grown }: Transaction): void {
    for (const table of grown) {
      this.run('INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = excluded.last', [
        table,
        ids.get(table) ?? 0,
      ]);
    }
    this.run(
      `INSERT INTO writers VALUES (?, ?, now())
       ON CONFLICT (id) DO UPDATE SET commits = excluded.commits, seen = excluded.seen`,
      [this.#id, this.#commits + 1],
    );
  }

  /** After an error of the server's the connection is given up: statements that it skipped would be taken for prepared. */
  async #rollBack(client: Client, failure: unknown): Promise<void> {
    const isOurs = !(failure instanceof Error && 'severity' in failure) && !isLost(failure);
    if (!isOurs) {
      this.#drop();
      return;
    }
    await client.query('ROLLBACK').catch(() => this.#drop());
  }

  /**
   * The commit gives the lock free without waiting for the disk: whatever others build on it comes behind it in the log, and
   * cannot be durable without it. This process waits, by a change of its own row behind the commit, which is durable when it
   * is answered. Either whose answer is lost may have come through: the count of commits tells, once the lock is free.
   */
  async #commit(client: Client, transaction: Transaction): Promise<void> {
    const count = this.#commits + 1;
    try {
      // Answered behind all that was written; where some of that failed, nothing is committed.
      const [{ command }] = await sendBehind(transaction, () =>
        Promise.all([client.query('COMMIT'), this.#waitForDisk(client)]),
      );
      if (command !== 'COMMIT')
        throw transaction.failure ?? new Error(`the server answered ${command} to COMMIT`);
    } catch (error) {
      this.#drop();
      if (!isLost(error)) throw error;
      const committed = await persist(this.#line, () => this.#countCommits());
      if (committed !== count) throw error;
    }
    this.#commits = count;
  }

  async #waitForDisk(client: Client): Promise<void> {
    await client.query({ name: 'durable', text: durableSql, values: [this.#id] });
  }

  async #countCommits(): Promise<number> {
    const client = await this.#connect();
    try {
      await client.query('BEGIN');
      await client.query(lockSql, [this.#lockName()]);
      const { rows } = await client.query<{ commits: number }>('SELECT commits FROM writers WHERE id = $1', [
        this.#id,
      ]);
      await client.query('COMMIT');
      await this.#waitForDisk(client);
      return rows[0]?.commits ?? 0;
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  #lockName(): string {
    return `mediasweep ${this.#line.access.schema ?? defaultSchema}`;
  }

  async #ask(sql: string, values: readonly Value[]) {
    const transaction = this.#require();
    return await sendBehind(transaction, () => ask(transaction.client, sql, values));
  }

  #require(): Transaction {
    if (!this.#transaction) throw new Error('the ledger is written within transactions only');
    return this.#transaction;
  }
}

async function ask(client: Client, sql: string, values: readonly Value[]) {
  const statement = translate(sql);
  const { text } = statement;
  return await client.query({ name: nameStatement(text), text, values: bind(statement, values) });
}

/** Sends what waits, and then this. */
function sendBehind<Answer>(transaction: Transaction, send: () => Promise<Answer>): Promise<Answer> {
  const { client, waiting } = transaction;
  const batches = waiting.take();
  const unknown = batches.filter(({ sql, rows }) => rows.length > 1 && !findTypes(sql));
  const go = () => {
    if (transaction.isOver) throw new Error('the transaction was given up');
    if (batches.length > 0) gather(client);
    for (const batch of batches) {
      sendBatch(client, batch).catch((error: unknown) => {
        transaction.failure ??= error;
      });
    }
    return send();
  };
  if (unknown.length === 0 && !transaction.ahead) return go();
  // Only for types of values that are not known yet the server is waited for, and whoever comes later waits too.
  const types = unknown.map(({ sql }) => readTypes(client, sql));
  const sent = Promise.all([transaction.ahead, ...types]).then(() => ({ answer: go() }));
  const ahead = sent.then(
    () => undefined,
    () => undefined,
  );
  transaction.ahead = ahead;
  void ahead.then(() => {
    if (transaction.ahead === ahead) transaction.ahead = undefined;
  });
  return sent.then(({ answer }) => answer);
}

async function sendBatch(client: Client, { sql, rows, spell }: Batch): Promise<void> {
  const [first = []] = rows;
  if (rows.length === 1) {
    await ask(client, sql, first);
    return;
  }
  const types = findTypes(sql) ?? [];
  const text = spell(spellLists(types));
  await client.query({ name: nameStatement(text), text, values: spreadRows(sql, types, rows) });
}

const givenUp = Symbol('given up');

const lockSql = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';
const beginSql = `SELECT pg_advisory_xact_lock(hashtextextended($1, 0)), set_config('synchronous_commit', 'off', true)`;
const durableSql = 'UPDATE writers SET seen = now() WHERE id = $1';
