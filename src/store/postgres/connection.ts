/** Connections to PostgreSQL, set up for the ledger, and brought back when they are lost. */
import type { Writable } from 'node:stream';
import type { Client, ClientConfig } from 'pg';
import type { Clock } from '../../domain/clock.ts';
import type { PostgresAccess } from '../../domain/postgres.ts';
import { describeError } from '../../domain/problem.ts';
import { defaultSchema, nameLedger } from './access.ts';
import { types } from './dialect.ts';
import type { Driver } from './driver.ts';
import { explainPostgresError, isLost } from './trouble.ts';

/** All that opening connections takes. */
export interface Line {
  readonly driver: Driver;
  readonly access: PostgresAccess;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** How long a ledger that was there once is waited for. Milliseconds. */
  readonly patienceMs: number;
  /** A server that does not answer a question for so long is taken for lost. Milliseconds. */
  readonly answerWithinMs: number;
  /** Is told in words when the server is away, and when it is back. */
  readonly tell: (words: string) => void;
}

const connectWithinMs = 10_000;
const firstPauseMs = 200;
const mostPauseMs = 5_000;

/** Of a schema's name in statements. */
export function quoteSchema({ schema = defaultSchema }: PostgresAccess): string {
  return `"${schema.replaceAll('"', '""')}"`;
}

/**
 * A commit is durable when it is told, also where the server's default is laxer; and who falls silent in the middle of a
 * transaction does not keep the others waiting for long.
 */
export function makeConfig({ access, answerWithinMs }: Line, settings: readonly string[] = []): ClientConfig {
  const { host, port, database, user, password, tls } = access;
  return {
    host,
    port,
    database,
    user,
    ...(password !== undefined && { password }),
    ...(tls !== undefined && tls !== false && { ssl: tls === true ? true : { ca: tls.ca } }),
    types,
    application_name: 'mediasweep',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: answerWithinMs,
    connectionTimeoutMillis: connectWithinMs,
    options: [
      `-c search_path=${quoteSchema(access).replaceAll(/([\\ ])/g, '\\$1')}`,
      '-c synchronous_commit=on',
      '-c idle_in_transaction_session_timeout=30000',
      '-c lock_timeout=60000',
      '-c tcp_keepalives_idle=10',
      '-c tcp_keepalives_interval=5',
      '-c tcp_keepalives_count=3',
      '-c client_encoding=UTF8',
      '-c standard_conforming_strings=on',
      ...settings.map((setting) => `-c ${setting}`),
    ].join(' '),
  };
}

export async function connect(line: Line, settings: readonly string[] = []): Promise<Client> {
  const client = new line.driver.Client({ ...makeConfig(line, settings), pipeline: true });
  // Whoever uses the connection is told by their own question.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** As the driver is built, though its types do not tell. */
interface Wired {
  readonly connection?: { readonly stream?: Partial<Pick<Writable, 'cork' | 'uncork'>> };
}

/** What is sent in this turn of the event loop goes to the network at once, at its end. */
export function gather(client: Client): void {
  const { stream } = (client as Wired).connection ?? {};
  stream?.cork?.();
  setImmediate(() => stream?.uncork?.());
}

/** How many wait for the server of a line: it is told once that it is away, and once that it is back. */
const waiting = new WeakMap<Line, number>();

function noteWaiting(line: Line, change: 1 | -1): boolean {
  const before = waiting.get(line) ?? 0;
  waiting.set(line, before + change);
  return before + change === (change === 1 ? 1 : 0);
}

/**
 * Does `work` again while the connection is lost, for as long as patience lasts. It must be fit to be done twice.
 *
 * @throws `Stop` in words
 */
export async function persist<Value>(line: Line, work: () => Promise<Value>): Promise<Value> {
  const { clock, patienceMs, access, tell } = line;
  const name = `ledger "${nameLedger(access)}"`;
  const untilMs = clock.monotonic() + patienceMs;
  let isAway = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(mostPauseMs, 2 * pauseMs)) {
    try {
      const value = await work();
      if (isAway && noteWaiting(line, -1)) tell(`${name}: the server is back`);
      return value;
    } catch (error) {
      if (!isLost(error) || clock.monotonic() >= untilMs) {
        if (isAway) noteWaiting(line, -1);
        throw explainPostgresError(nameLedger(access), error);
      }
      if (!isAway && noteWaiting(line, 1)) {
        tell(`${name}: the server cannot be reached: ${describeError(error)}. Waiting for it.`);
      }
      isAway = true;
    }
    await clock.sleep(pauseMs);
  }
}
