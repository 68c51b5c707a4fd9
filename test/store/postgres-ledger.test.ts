/** What only a ledger on a server goes through: a server that is away, lines that are cut, and processes side by side. */
import fc from 'fast-check';
import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { Stop } from '../../src/domain/problem.ts';
import { encodeList } from '../../src/store/postgres/binary.ts';
import { loadPostgresDriver } from '../../src/store/postgres/driver.ts';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import { migrations } from '../../src/store/postgres/schema.ts';
import { explainPostgresError } from '../../src/store/postgres/trouble.ts';
import { openPostgresDatabase, openPostgresLedger } from '../../src/store/postgres-ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openCuttingProxy } from '../support/cutting-proxy.ts';
import { makeSchema, removeSchema } from '../support/postgres.ts';
import { describePostgres } from '../support/postgres-suite.ts';
import { answer, begin, makeOpening, makePlanned, plan, prices, readStates } from './world.ts';

async function expectStop(promise: Promise<unknown>, exitCode: number, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(Stop);
  expect(error).toMatchObject({ exitCode, message: expect.stringMatching(message) });
}

test('without its driver it says what to install', async () => {
  const missing = () => Promise.reject(new Error(`Cannot find package 'pg' imported from /app/driver.js`));
  await expectStop(loadPostgresDriver(missing), 2, /needs the package "pg".*Run: npm install pg@8$/);
});

test.each([
  {
    code: '28P01',
    exitCode: 2,
    says: /does not let this user in: .*environment variable that holds the password/,
  },
  { code: '42501', exitCode: 2, says: /the user may not do this: .*Let them create a schema/ },
  { code: '53100', exitCode: 3, says: /the server's disk is full: .*Free some space there, then run again/ },
  { code: '55P03', exitCode: 3, says: /another process has been writing for a minute: .*pg_stat_activity/ },
  { code: '25006', exitCode: 3, says: /the server takes no writes: .*Name the primary/ },
  { code: '57P01', exitCode: 3, says: /the server cannot be reached: .*run again to go on/ },
])('trouble $code is told in words', ({ code, exitCode, says }) => {
  const error = explainPostgresError(
    'postgres://me@db:5432/audit',
    Object.assign(new Error('words'), { code }),
  );
  expect(error).toMatchObject({
    exitCode,
    message: expect.stringMatching(/^ledger "postgres:\/\/me@db:5432\/audit": /),
  });
  expect(error).toMatchObject({ message: expect.stringMatching(says) });
});

// The words of pg 8.23: its server asks, and there is nothing to answer.
test.each([
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string',
])('a password that was not given is asked for: %s', (words) => {
  expect(explainPostgresError('postgres://me@db:5432/audit', new Error(words))).toMatchObject({
    exitCode: 2,
    message:
      'ledger "postgres://me@db:5432/audit": the server asks for a password, and none was given. Name the environment variable that holds it in config/cluster.yaml (password: "${POSTGRES_PASSWORD}"), or set PGPASSWORD where an address is given.',
  });
});

describePostgres('a ledger on a PostgreSQL server', (server) => {
  let access: PostgresAccess;

  beforeEach(() => {
    access = makeSchema(server.access);
  });

  const open = (to: PostgresAccess = access, tell?: (words: string) => void) =>
    openPostgresLedger({ access: to, clock: systemClock, tell });

  async function ask<Row extends object>(sql: string): Promise<readonly Row[]> {
    const { schema = '', ...rest } = access;
    const client = new pg.Client({ ...rest, options: `-c search_path=${schema}` });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  test('that cannot be reached, or has no such database, is told at once', async () => {
    await expectStop(
      open({ ...access, port: 1 }),
      3,
      /^ledger "postgres:\/\/tester@127\.0\.0\.1:1\/postgres \(schema .*\)": the server cannot be reached: .*ECONNREFUSED.*run again to go on\.$/,
    );
    await expectStop(open({ ...access, database: 'nowhere' }), 2, /there is no such database: .*createdb/);
  });

  test('of a newer program, or in another encoding, is not touched', async () => {
    await (await open()).close();
    await ask(`UPDATE ledger_version SET version = ${migrations.length + 1}`);
    await expectStop(
      open(),
      2,
      /written by a newer program: expected version \d+ or older, found \d+\. Update/,
    );
    await ask(`CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0`);
    await expectStop(
      open({ ...access, database: 'ascii' }),
      2,
      /expected a database in UTF8, found SQL_ASCII/,
    );
  });

  test('keeps keys of any characters apart and in the order of their bytes', async () => {
    const ledger = await open();
    const run = await ledger.openRun(makeOpening());
    const ids = ['a', 'a\0', 'a\0b', 'a\u0001', 'a\u0001\u0001', 'a\u0002', 'é', '好', '🎬'];
    await plan(run, ids.map((id) => makePlanned(id, { item: { id } })).toReversed());
    const rows = await ledger.readItems(run.record.id, undefined, 100);
    expect(rows.map(({ item }) => item.id)).toEqual(ids);
    expect((await ledger.readNamed(run.record.id, ['a\0', '好'])).map(({ item }) => item.id).sort()).toEqual([
      'a\0',
      '好',
    ]);
    await ledger.close();
  });

  test('what a transaction that is given up had still to send is never sent', async () => {
    const db = await openPostgresDatabase({ access, clock: systemClock });
    const givenUp = db.transact(async () => {
      for (const name of ['a', 'b']) db.run('INSERT INTO pace VALUES (?, ?)', [name, '{}']);
      // Sends what waits, of which the types of the values have to be asked for first.
      db.run('DELETE FROM broken WHERE run = ?', [1]);
      throw new Error('thought better of it');
    });
    await expect(givenUp).rejects.toThrow('thought better of it');
    await db.transact(async () => {
      expect(await db.all('SELECT 1 AS one')).toHaveLength(1);
    });
    expect(await db.all('SELECT name FROM pace')).toEqual([]);
    await db.close();
  });

  test('lists arrive as they were sent', async () => {
    const client = new pg.Client({ ...server.access });
    await client.connect();
    const text = fc.string({ unit: 'binary' }).map((one) => one.replaceAll('\0', ''));
    const long = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
    const lists = fc.record({
      bigint: fc.array(fc.option(long)),
      text: fc.array(fc.option(text)),
      bytea: fc.array(fc.option(fc.uint8Array())),
      boolean: fc.array(fc.option(fc.constantFrom(0, 1))),
    });
    await fc.assert(
      fc.asyncProperty(lists, async (given) => {
        for (const [type, list] of Object.entries(given)) {
          const { rows } = await client.query<{ value: string | null }>({
            text: `SELECT value::text AS value FROM unnest($1::${type}[]) AS value`,
            values: [encodeList(type, list)],
          });
          const spell = (value: (typeof list)[number]) => {
            if (value === null) return null;
            if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
            return type === 'boolean' ? `${value === 1}` : `${value}`;
          };
          expect(rows.map(({ value }) => value)).toEqual(list.map(spell));
        }
      }),
      { numRuns: 50 },
    );
    await client.end();
  });

  test('an id longer than an index takes is found again', async () => {
    const ledger = await open();
    const run = await ledger.openRun(makeOpening());
    const long = Array.from({ length: 4000 }, (_, index) =>
      String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000)),
    ).join('');
    await plan(run, [makePlanned('k1', { item: { id: long } }), makePlanned('k2', { item: { id: long } })]);
    const rows = await ledger.readItems(run.record.id, undefined, 10);
    expect(rows.map(({ item }) => item.id)).toEqual([long, `${long}#2`]);
    expect(await ledger.readLatest([long])).toHaveLength(1);
    await ledger.close();
  });

  test.each([
    'before',
    'after',
  ] as const)('a line that is cut %s the server has the commit loses nothing and does nothing twice', async (when) => {
    const proxy = await openCuttingProxy(server.access);
    const told: string[] = [];
    const ledger = await open({ ...access, port: proxy.port }, (words) => told.push(words));
    const run = await ledger.openRun(makeOpening());
    proxy.cutNext(when);
    const [task] = await plan(run, [makePlanned('a')]);
    proxy.cutNext(when);
    const attempt = await begin(run, task);
    expect(attempt).toMatchObject({ number: 1 });
    proxy.cutNext(when);
    await answer(run, attempt);
    expect(proxy.cuts).toBe(3);
    // What was lost before it was committed is done again, and said; a commit that came through only looks so.
    expect(told.length > 0).toBe(when === 'before');
    expect(await readStates(ledger, run.record.id)).toEqual([expect.stringContaining('answered')]);
    expect(await ledger.readBill(run.record.id, prices)).toMatchObject([{ observed: 1 }]);
    await ledger.close();
    await proxy.close();
  });

  test('a line that falls silent is given up, and the work is done on another', async () => {
    const proxy = await openCuttingProxy(server.access);
    const ledger = await openPostgresLedger({
      access: { ...access, port: proxy.port },
      clock: systemClock,
      answerWithinMs: 1000,
    });
    const run = await ledger.openRun(makeOpening());
    const [task] = await plan(run, [makePlanned('a')]);
    // The far end of the old connection still holds its transaction's lock until the server takes it away.
    proxy.stall();
    const attempt = await begin(run, task);
    expect(attempt).toMatchObject({ number: 1 });
    proxy.stall();
    expect(await run.readReady('quality', 0, 10)).toEqual([]);
    await ledger.close();
    await proxy.close();
  });

  test('a run goes on when the server is back, with every answer that it was told is durable', async () => {
    const told: string[] = [];
    const ledger = await open(access, (words) => told.push(words));
    const run = await ledger.openRun(makeOpening());
    const tasks = await plan(
      run,
      Array.from({ length: 200 }, (_, index) => makePlanned(`key-${index}`)),
    );
    let answered = 0;
    const work = Promise.all(
      tasks.map(async (task, index) => {
        await systemClock.sleep(10 * index);
        await answer(run, await begin(run, task));
        answered += 1;
      }),
    );
    for (let restart = 0; restart < 2; restart += 1) {
      await systemClock.sleep(300);
      await server.kill();
      const before = answered;
      await systemClock.sleep(300);
      expect(answered - before).toBeLessThan(20);
      await server.start();
    }
    await work;
    // However many wait for it, it is told once that the server is away, and once that it is back.
    expect(told.length).toBeGreaterThanOrEqual(2);
    for (const [index, words] of told.entries()) {
      expect(words).toMatch(
        index % 2 === 0 ? /cannot be reached: .*\. Waiting for it\.$/ : /the server is back$/,
      );
    }
    expect(told.at(-1)).toMatch(/the server is back$/);
    expect(await ledger.readBill(run.record.id, prices)).toMatchObject([{ observed: 200 }]);
    const attempts = await ask<{ count: string }>('SELECT count(*) AS count FROM attempts');
    expect(attempts).toEqual([{ count: '200' }]);
    await ledger.close();
    await removeSchema(access);
  }, 60_000);

  test('a server that stays away ends the run in words, and the next one goes on', async () => {
    const proxy = await openCuttingProxy(server.access);
    const impatient = await openPostgresLedger({
      access: { ...access, port: proxy.port },
      clock: systemClock,
      patienceMs: 300,
    });
    const run = await impatient.openRun(makeOpening());
    const [task] = await plan(run, [makePlanned('a')]);
    await proxy.close();
    await expectStop(begin(run, task), 3, /the server cannot be reached: .*run again to go on\.$/);
    await impatient.close();
    const ledger = await open();
    const next = await ledger.openRun(makeOpening());
    expect(next.isResumed).toBe(true);
    expect(await next.readReady('quality', 0, 10)).toHaveLength(1);
    await ledger.close();
  });
});
