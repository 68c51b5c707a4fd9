/** Opens a ledger on PostgreSQL. */
import type { Clock } from '../domain/clock.ts';
import type { Ledger } from '../domain/ledger.ts';
import type { PostgresAccess, PostgresFacts } from '../domain/postgres.ts';
import type { Line } from './postgres/connection.ts';
import { loadPostgresDriver } from './postgres/driver.ts';
import { readFacts } from './postgres/facts.ts';
import { migrate } from './postgres/migrate.ts';
import { PostgresReader } from './postgres/reader.ts';
import { PostgresWriter } from './postgres/writer.ts';
import type { WritingDatabase } from './sql/database.ts';
import { SqlLedger } from './sql/sql-ledger.ts';

export interface PostgresOpening {
  readonly access: PostgresAccess;
  readonly clock: Clock;
  /** How long a server that goes away is waited for; five minutes if absent. Milliseconds. */
  readonly patienceMs?: number | undefined;
  /** How long an answer may take before the connection is given up; longer than others may write. Milliseconds. */
  readonly answerWithinMs?: number | undefined;
  /** Is told in words when the server is away, and when it is back. */
  readonly tell?: ((words: string) => void) | undefined;
}

const usualPatienceMs = 300_000;
const usualAnswerMs = 90_000;

/**
 * The ledger in a schema of a PostgreSQL database, which is made where it is not there.
 *
 * @throws `Stop` where the driver is not installed, the server cannot be reached (exit 3) or does not let us in, is older
 * than 15, or the ledger is too new (exit 2).
 */
export async function openPostgresLedger(opening: PostgresOpening): Promise<Ledger> {
  const line = await openLine(opening);
  return new SqlLedger({
    db: new PostgresReader(line),
    openWriter: async () => new PostgresWriter(line),
    now: () => opening.clock.now(),
  });
}

async function openLine({
  access,
  clock,
  patienceMs = usualPatienceMs,
  answerWithinMs = usualAnswerMs,
  tell = () => undefined,
}: PostgresOpening): Promise<Line> {
  const line: Line = { driver: await loadPostgresDriver(), access, clock, patienceMs, answerWithinMs, tell };
  await migrate(line);
  return line;
}

/**
 * What the server tells of itself, once the ledger is there.
 *
 * @throws `Stop` as `openPostgresLedger` does
 */
export async function readPostgresFacts(opening: PostgresOpening): Promise<PostgresFacts> {
  return await readFacts(await openLine(opening), opening.clock);
}

/** The tables themselves: what is committed is read beside those who write. */
export async function openPostgresDatabase(opening: PostgresOpening): Promise<WritingDatabase> {
  const line = await openLine(opening);
  const [reader, writer] = [new PostgresReader(line), new PostgresWriter(line)];
  return {
    name: reader.name,
    isFar: writer.isFar,
    get: (...given) => reader.get(...given),
    all: (...given) => reader.all(...given),
    each: (...given) => reader.each(...given),
    run: (...given) => writer.run(...given),
    change: (...given) => writer.change(...given),
    insert: (...given) => writer.insert(...given),
    nextId: (...given) => writer.nextId(...given),
    transact: (...given) => writer.transact(...given),
    measure: () => writer.measure(),
    compact: () => writer.compact(),
    close: async () => {
      await Promise.all([reader.close(), writer.close()]);
    },
  };
}
