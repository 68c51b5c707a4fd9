/**
 * Copies the ledger of a file into PostgreSQL, table by table as the rows come, in one transaction: all of it is there, or
 * nothing. What has arrived is counted and summed there before it is committed, and held against what was sent.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Clock } from '../../domain/clock.ts';
import type { CopiedLedger, CopyProgress } from '../../domain/ledger-copy.ts';
import { wrongUse } from '../../domain/problem.ts';
import type { PostgresAccess } from '../../domain/postgres.ts';
import { openHeldDatabase } from '../sqlite/database.ts';
import { loadDriver, type Driver as SqliteDriver } from '../sqlite/driver.ts';
import { defaultSchema, nameLedger } from './access.ts';
import { type Element, encodeList } from './binary.ts';
import { connect, type Line } from './connection.ts';
import { loadPostgresDriver } from './driver.ts';
import { migrate } from './migrate.ts';
import { idColumns } from './schema.ts';
import { escapeText } from './text.ts';
import { explainPostgresError } from './trouble.ts';
import { spellLists } from './wide.ts';

/** A page of rows has at most so many of them, and about so many bytes. */
const pageRows = 2000;
const pageBytes = 4 * 1024 * 1024;
const hourMs = 3_600_000;

/** Tables that a ledger on PostgreSQL has for itself. */
const ownTables = new Set(['counters', 'writers', 'ledger_version']);

export interface CopyRequest {
  /** The state folder whose `ledger.db` is copied. No run may be under way there. */
  readonly folder: string;
  readonly access: PostgresAccess;
  readonly clock: Clock;
  /** Thrown by between two pages where the person wants no more of it. */
  readonly refuseStopped: () => void;
  readonly watch: (progress: CopyProgress) => void;
}

/**
 * @throws `Stop`: exit 2 where there is no ledger to copy, or the other one is not empty; exit 3 where the server is lost,
 * or what arrived is not what was sent. Nothing is there then that was not before.
 */
export async function copyLedger(request: CopyRequest): Promise<CopiedLedger> {
  const { folder, access, clock } = request;
  const path = join(folder, 'ledger.db');
  if (!existsSync(path)) {
    throw wrongUse(
      `ledger "${path}": there is none to copy. Name the state folder that holds it with --state.`,
    );
  }
  const driver = await loadDriver();
  // Brings its tables up to date, so that both are of this program.
  const held = await openHeldDatabase(path, driver);
  try {
    const line: Line = {
      driver: await loadPostgresDriver(),
      access,
      clock,
      patienceMs: 0,
      // Sums of whole tables take their time.
      answerWithinMs: hourMs,
      tell: () => undefined,
    };
    await migrate(line);
    return await copyInto(line, path, driver, request).catch((error: unknown) => {
      throw explainPostgresError(nameLedger(access), error);
    });
  } finally {
    await held.close();
  }
}

async function copyInto(
  line: Line,
  path: string,
  driver: SqliteDriver,
  request: CopyRequest,
): Promise<CopiedLedger> {
  const client = await connect(line);
  const source = new driver(path, { readonly: true });
  try {
    source.exec('BEGIN');
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `mediasweep ${line.access.schema ?? defaultSchema}`,
    ]);
    const tables = await readTables(client, line.access.schema ?? defaultSchema);
    for (const { name } of tables) await requireEmpty(client, name, nameLedger(line.access));
    const copied: { table: string; rows: number }[] = [];
    let before = 0;
    for (const table of tables) {
      const rows = await copyTable(client, source, table, (sent) => {
        request.refuseStopped();
        request.watch({ table: table.name, rows: before + sent });
      });
      before += rows;
      copied.push({ table: table.name, rows });
    }
    await copyCounters(client, source);
    await client.query('COMMIT');
    for (const { name } of tables) await client.query(`ANALYZE ${name}`);
    return { from: path, to: nameLedger(line.access), rows: before, tables: copied };
  } finally {
    source.close();
    // What was not committed is gone with the connection.
    await client.end().catch(() => undefined);
  }
}

interface Column {
  readonly name: string;
  /** As PostgreSQL spells it. */
  readonly type: string;
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

async function readTables(client: Client, schema: string): Promise<readonly Table[]> {
  const { rows } = await client.query<{ table_name: string; column_name: string; data_type: string }>(
    `SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
     WHERE table_schema = $1 ORDER BY table_name, ordinal_position`,
    [schema],
  );
  const tables = new Map<string, Column[]>();
  for (const { table_name: table, column_name: name, data_type: type } of rows) {
    if (ownTables.has(table)) continue;
    tables.set(table, [...(tables.get(table) ?? []), { name, type }]);
  }
  return [...tables].map(([name, columns]) => ({ name, columns }));
}

async function requireEmpty(client: Client, table: string, ledger: string): Promise<void> {
  const { rows } = await client.query(`SELECT 1 FROM ${table} LIMIT 1`);
  if (rows.length === 0) return;
  throw wrongUse(
    `ledger "${ledger}": expected an empty ledger, found rows in "${table}". Name another schema or database, or drop this one if nothing in it is needed.`,
  );
}

/** What is counted on both sides: rows, sums of numbers and bytes of all else, column by column. */
type Sums = readonly bigint[];

async function copyTable(
  client: Client,
  source: InstanceType<SqliteDriver>,
  { name, columns }: Table,
  turn: (sent: number) => void,
): Promise<number> {
  const names = columns.map((column) => column.name);
  const types = columns.map(({ type }) => type);
  const statement = source.prepare(`SELECT ${names.join()} FROM ${name}`).raw(true).safeIntegers(true);
  const text = `INSERT INTO ${name} (${names.join()}) SELECT * FROM ${spellLists(types)}`;
  const sums = columns.map(() => 0n);
  let page: Element[][] = columns.map(() => []);
  let [sent, waiting, bytes] = [0, 0, 0];
  let before: Promise<unknown> = Promise.resolve();
  const send = async () => {
    const values = page.map((list, index) => encodeList(types[index] ?? '', list));
    const sending = client.query({ name: `copy_${name}`, text, values });
    sending.catch(() => undefined);
    // While the server takes this page the next one is read.
    await before;
    before = sending;
    sent += waiting;
    page = columns.map(() => []);
    waiting = 0;
    bytes = 0;
    turn(sent);
  };
  for (const row of statement.iterate() as IterableIterator<readonly Element[]>) {
    for (const [index, value] of row.entries()) {
      const element = typeof value === 'string' ? escapeText(value) : value;
      const size = measure(element);
      bytes += size;
      sums[index] = (sums[index] ?? 0n) + (typeof element === 'bigint' ? element : BigInt(size));
      page[index]?.push(element);
    }
    waiting += 1;
    if (waiting >= pageRows || bytes >= pageBytes) await send();
  }
  if (waiting > 0) await send();
  await before;
  await requireArrived(client, { name, columns }, sent, sums);
  return sent;
}

/** In bytes. */
function measure(element: Element): number {
  if (typeof element === 'string') return Buffer.byteLength(element);
  if (element instanceof Uint8Array) return element.byteLength;
  return element === null ? 0 : 8;
}

async function requireArrived(
  client: Client,
  { name, columns }: Table,
  sent: number,
  sums: Sums,
): Promise<void> {
  const counted = columns.map(({ name: column, type }) =>
    type === 'bigint' ? `sum(${column})` : `sum(octet_length(${column}))`,
  );
  const { rows } = await client.query<Record<string, string>>(
    `SELECT count(*)::text AS rows, ${counted.map((sum, index) => `coalesce(${sum}, 0)::text AS c${index}`).join()} FROM ${name}`,
  );
  const found = rows[0] ?? {};
  const told = [sent, ...sums].map(String);
  const arrived = ['rows', ...columns.map((_, index) => `c${index}`)].map((key) => found[key] ?? '');
  if (told.every((sum, index) => sum === arrived[index])) return;
  throw new Error(`table "${name}": expected ${told.join(' ')} to arrive, found ${arrived.join(' ')}`);
}

/** Ids go on where they were, those of rows that are gone included. */
async function copyCounters(client: Client, source: InstanceType<SqliteDriver>): Promise<void> {
  for (const [table, column] of Object.entries(idColumns)) {
    const { last } = source.prepare(`SELECT coalesce(max(${column}), 0) AS last FROM ${table}`).get() as {
      readonly last: number;
    };
    const given = source.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(table) as
      | { readonly seq: number }
      | undefined;
    await client.query('INSERT INTO counters VALUES ($1, $2)', [table, Math.max(last, given?.seq ?? 0)]);
  }
}
