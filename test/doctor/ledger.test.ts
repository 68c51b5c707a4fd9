/** What the doctor says of the PostgreSQL that machines share, and of one that is really there. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examineLedger } from '../../src/doctor/ledger.ts';
import type { PostgresAccess, PostgresFacts } from '../../src/domain/postgres.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { readPostgresFacts } from '../../src/store/postgres-ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { makeSchema } from '../support/postgres.ts';
import { describePostgres } from '../support/postgres-suite.ts';

const place = { host: 'postgres.internal', port: 5432 };
const fine: PostgresFacts = {
  version: '15.18',
  encoding: 'UTF8',
  isSynced: true,
  isTornProof: true,
  mostConnections: 97,
  connections: 12,
  aheadMs: 3,
  roundTripMs: 2,
};

async function look(facts: PostgresFacts): Promise<readonly string[]> {
  const told = await examineLedger(place, async () => facts);
  return told.map(({ level, subject, message }) => `${level} ${subject}: ${message}`);
}

const inOrder =
  'ok postgres postgres.internal:5432: ledger opened and read in 2 ms, version 15.18, UTF8, clock in step, 12 of 97 connections in use, 5 at most for each process';

test.each<[string, PostgresFacts, readonly string[]]>([
  ['in order', fine, [inOrder]],
  ['a clock a little apart', { ...fine, aheadMs: 1500 }, [inOrder.replace('in step', '1500 ms ahead of it')]],
  [
    'far away, and behind',
    { ...fine, roundTripMs: 180, aheadMs: 60_000 },
    [
      inOrder.replace('2 ms', '180 ms').replace('in step', '1 min 00 s ahead of it'),
      'warn postgres postgres.internal:5432: it answers in 180 ms: each call waits four times as long for what must be durable. Run it near the workers.',
      'warn postgres postgres.internal:5432: the clock of this machine is 1 min 00 s ahead of it: days, months and ages of answers differ from machine to machine. Let all of them be set by NTP.',
    ],
  ],
])('one that is %s', async (_, facts, lines) => {
  expect(await look(facts)).toEqual(lines);
});

test('one that cannot be reached fails with what to do', async () => {
  const message = 'ledger "postgres://me@postgres.internal:5432/audit": the server cannot be reached.';
  const told = await examineLedger(place, () => Promise.reject(new Stop(exitCodes.halted, message)));
  const subject = 'postgres postgres.internal:5432';
  expect(told).toEqual([{ level: 'fail', subject, message, exitCode: 3 }]);
});

const terms = { isDurable: true, settings: ['max_connections=20'] };

describePostgres(
  'a PostgreSQL that is there',
  (server) => {
    let access: PostgresAccess;
    let admin: pg.Client;

    beforeAll(async () => {
      access = makeSchema(server.access);
      admin = await enter();
    });

    afterAll(async () => {
      await admin.end();
    });

    async function enter(): Promise<pg.Client> {
      const client = new pg.Client({ ...server.access });
      await client.connect();
      return client;
    }

    const examine = async (offByMs = 0) =>
      (
        await examineLedger(access, () =>
          readPostgresFacts({
            access,
            clock: { ...systemClock, now: () => systemClock.now() + offByMs },
          }),
        )
      ).map(({ level, message }) => `${level}: ${message}`);

    test('is told with its version, encoding, clock and connections', async () => {
      expect(await examine()).toEqual([
        expect.stringMatching(
          /^ok: ledger opened and read in \d+ ms, version \d+\.\d+, UTF8, clock in step, 1 of 17 connections in use, 5 at most for each process$/,
        ),
      ]);
    });

    test('is told how far this machine’s clock is off', async () => {
      const [, warning] = await examine(-90_000);
      expect(warning).toMatch(
        /^warn: the clock of this machine is 1 min (?:29|30) s behind it: days, .*NTP\.$/,
      );
    });

    test('that a crash would take durable answers from is told', async () => {
      await admin.query('ALTER SYSTEM SET full_page_writes = off');
      await admin.query('SELECT pg_reload_conf()');
      await expect
        .poll(async () => (await examine())[1])
        .toMatch(/^warn: .*\(full_page_writes off\): the ledger could be lost\. Set full_page_writes on/);
      await admin.query('ALTER SYSTEM SET fsync = off');
      await admin.query('SELECT pg_reload_conf()');
      await expect
        .poll(async () => (await examine())[1])
        .toMatch(
          /^warn: .*\(fsync off\): calls that were paid for would be paid for again\. Set fsync on\.$/,
        );
      await admin.query('ALTER SYSTEM RESET ALL');
      await admin.query('SELECT pg_reload_conf()');
    });

    test('whose connections are nearly used up is told, with how many processes still fit', async () => {
      const held = await Promise.all(Array.from({ length: 8 }, enter));
      const told = await examine();
      expect(told.at(-1)).toBe(
        'warn: room for 1 more of our processes: expected 3, found 9 of 17 connections in use. Raise max_connections, or end what holds them (pg_stat_activity).',
      );
      held.push(...(await Promise.all(Array.from({ length: 5 }, enter))));
      expect((await examine()).at(-1)).toMatch(
        /^fail: room for 0 more of our processes: .* found 14 of 17 connections/,
      );
      await Promise.all(held.map((client) => client.end()));
    });
  },
  terms,
);
