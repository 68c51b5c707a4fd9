/** Reads what is committed, through a few connections. */
import type { Pool, PoolClient } from 'pg';
import type { Database, Value } from '../sql/database.ts';
import { nameLedger } from './access.ts';
import { type Line, makeConfig, persist } from './connection.ts';
import { bind, translate } from './dialect.ts';
import { nameStatement, readEach } from './question.ts';

const mostConnections = 4;

export class PostgresReader implements Database {
  readonly name: string;
  readonly #line: Line;
  readonly #pool: Pool;

  constructor(line: Line) {
    this.name = nameLedger(line.access);
    this.#line = line;
    this.#pool = new line.driver.Pool({
      ...makeConfig(line),
      max: mostConnections,
      idleTimeoutMillis: 30_000,
    });
    // A connection that is lost while nobody uses it is replaced when it is needed; who uses one is told by the question.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async get<Row>(sql: string, values?: readonly Value[]): Promise<Row | undefined> {
    return (await this.all<Row>(sql, values))[0];
  }

  async all<Row>(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    const statement = translate(sql);
    const asked = {
      name: nameStatement(statement.text),
      text: statement.text,
      values: bind(statement, values),
    };
    return await this.#ask(async (client) => (await client.query(asked)).rows as Row[]);
  }

  async each<Row>(sql: string, values: readonly (readonly Value[])[]): Promise<readonly (readonly Row[])[]> {
    return await this.#ask((client) => readEach<Row>(client, sql, values));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #ask<Answer>(question: (client: PoolClient) => Promise<Answer>): Promise<Answer> {
    return await persist(this.#line, async () => {
      const client = await this.#pool.connect();
      let failure: Error | undefined;
      try {
        return await question(client);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        // One that failed is not used again: what it was in the middle of is not known.
        client.release(failure);
      }
    });
  }
}
