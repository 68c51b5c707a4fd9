/** What a server tells of itself, for whoever looks whether it is fit to hold a ledger. */
import type { Clock } from '../../domain/clock.ts';
import type { PostgresFacts } from '../../domain/postgres.ts';
import { nameLedger } from './access.ts';
import { connect, type Line } from './connection.ts';
import { explainPostgresError } from './trouble.ts';

interface Row {
  readonly version: string;
  readonly encoding: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly most: number;
  readonly used: number;
  readonly now_ms: number;
}

const sql = `SELECT current_setting('server_version') AS version, pg_encoding_to_char(d.encoding) AS encoding,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
    (SELECT sum(numbackends) FROM pg_stat_database)::int AS used,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
  FROM pg_database AS d WHERE d.datname = current_database()`;

/** @throws `Stop` where the server cannot be reached, or does not let us in */
export async function readFacts(line: Line, clock: Pick<Clock, 'now' | 'monotonic'>): Promise<PostgresFacts> {
  try {
    const client = await connect(line);
    try {
      // The first question brings the server's own tables to its memory.
      await client.query<Row>(sql);
      const askedMs = clock.monotonic();
      const { rows } = await client.query<Row>(sql);
      const roundTripMs = clock.monotonic() - askedMs;
      const nowMs = clock.now();
      const [row] = rows;
      if (!row) throw new Error('the server does not know the database that it has let us into');
      return {
        version: row.version.split(' ', 1)[0] ?? '',
        encoding: row.encoding,
        isSynced: row.fsync === 'on',
        isTornProof: row.full_page_writes === 'on',
        mostConnections: row.most,
        // Without the one that asks.
        connections: Math.max(0, row.used - 1),
        aheadMs: nowMs - roundTripMs / 2 - row.now_ms,
        roundTripMs,
      };
    } finally {
      await client.end().catch(() => undefined);
    }
  } catch (error) {
    throw explainPostgresError(nameLedger(line.access), error);
  }
}
