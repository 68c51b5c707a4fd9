/** Makes the ledger's schema where it is not there, and brings its tables up to date. */
import { wrongUse } from '../../domain/problem.ts';
import { defaultSchema, nameLedger } from './access.ts';
import { connect, type Line, quoteSchema } from './connection.ts';
import { migrations } from './schema.ts';
import { explainPostgresError } from './trouble.ts';

const leastVersion = 150_000;

/** @throws `Stop` where the server cannot be reached, does not let us in, is too old, or the ledger is too new */
export async function migrate(line: Line): Promise<void> {
  const ledger = nameLedger(line.access);
  try {
    const client = await connect(line);
    try {
      const { rows } = await client.query<{ version: number; encoding: string }>(
        `SELECT current_setting('server_version_num')::int AS version, pg_encoding_to_char(encoding) AS encoding
         FROM pg_database WHERE datname = current_database()`,
      );
      const { version = 0, encoding = '' } = rows[0] ?? {};
      if (version < leastVersion) {
        throw wrongUse(
          `ledger "${ledger}": expected PostgreSQL 15 or newer, found ${Math.floor(version / 10_000)}. Update the server.`,
        );
      }
      if (encoding !== 'UTF8') {
        throw wrongUse(
          `ledger "${ledger}": expected a database in UTF8, found ${encoding}. Make one with \`createdb --encoding UTF8 --template template0\`.`,
        );
      }
      await client.query('BEGIN');
      // Others may be opening it for the first time at this moment.
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `mediasweep ${line.access.schema ?? defaultSchema} tables`,
      ]);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteSchema(line.access)}`);
      await client.query('CREATE TABLE IF NOT EXISTS ledger_version (version bigint NOT NULL)');
      const found = await client.query<{ version: number }>('SELECT version FROM ledger_version');
      const had = found.rows[0]?.version ?? 0;
      if (had > migrations.length) {
        throw wrongUse(
          `ledger "${ledger}": it was written by a newer program: expected version ${migrations.length} or older, found ${had}. Update this program, or name another schema.`,
        );
      }
      for (const sql of migrations.slice(had)) await client.query(sql);
      if (had < migrations.length) {
        await client.query('DELETE FROM ledger_version');
        await client.query('INSERT INTO ledger_version VALUES ($1)', [migrations.length]);
      }
      await client.query('COMMIT');
    } finally {
      await client.end().catch(() => undefined);
    }
  } catch (error) {
    throw explainPostgresError(ledger, error);
  }
}
