import { expect, test } from 'vitest';
import { speak } from './desk.ts';

const pruned = {
  runs: 2,
  items: 1200,
  tasks: 2400,
  replies: 2390,
  bytesBefore: 5_000_000,
  bytesAfter: 1_000_000,
};

test('prune tells what was taken out and how much room that gave', async () => {
  const asked: number[] = [];
  const pruneLedger = async (keepMs: number) => {
    asked.push(keepMs);
    return pruned;
  };
  const { exitCode, out } = await speak('ledger prune --keep 90d', { pruneLedger });
  expect([exitCode, asked]).toEqual([0, [90 * 86_400_000]]);
  expect(out).toBe('2 runs taken out: 1,200 items, 2,400 tasks, 2,390 raw replies; 5 MB before, 1 MB now.\n');
  expect(JSON.parse((await speak('ledger prune --keep 90d --json', { pruneLedger })).out)).toEqual(pruned);
});

test.each([
  ['ledger prune', 'error required option "--keep <time>" not specified. See: mediasweep ledger --help\n'],
  [
    'ledger prune --keep 90',
    'error option "--keep <time>" argument "90" is invalid: expected a duration such as 25s, 500ms or 2m. See: mediasweep ledger --help\n',
  ],
])('"%s" is refused', async (line, err) => {
  expect(await speak(line)).toEqual({ exitCode: 2, out: '', err });
});

test.each([
  ['ledger backup', undefined],
  ['ledger backup --to x.db', 'x.db'],
])('"%s" says where the copy is', async (line, to) => {
  const asked: unknown[] = [];
  const saved = { ledger: '/s/ledger.db', backup: '/c/x.db', bytes: 5_000_000 };
  const spoken = await speak(line, {
    backUpLedger: async (...given) => {
      asked.push(given[0]);
      return saved;
    },
  });
  expect(asked).toEqual([to]);
  expect(spoken).toEqual({
    exitCode: 0,
    out: '/s/ledger.db was copied to /c/x.db: 5 MB, found in order.\nAnswers that come from now on are not in it.\n',
    err: '',
  });
  const { out } = await speak(`${line} --json`, { backUpLedger: async () => saved });
  expect(JSON.parse(out)).toEqual(saved);
});

test.each([
  ['ledger restore', undefined, false],
  ['ledger restore x.db --force', 'x.db', true],
])('"%s" restores, and says what is lost', async (line, backup, isForced) => {
  const asked: unknown[] = [];
  const restored = {
    backup: '/s/backups/x.db',
    madeAt: '2026-11-20T02:00:00.000Z',
    aside: '/s/ledger.db.replaced',
  };
  const spoken = await speak(line, {
    restoreLedger: async (...given) => {
      asked.push(given.slice(0, 2));
      return restored;
    },
  });
  expect(asked).toEqual([[backup, isForced]]);
  expect(spoken).toEqual({
    exitCode: 0,
    out: 'restored from /s/backups/x.db.\nwhat was there is /s/ledger.db.replaced now.\nAnswers that came after 2026-11-20T02:00:00Z are not in it: the next run pays for their media again.\n',
    err: '',
  });
  const { out } = await speak(`${line} --json`, { restoreLedger: async () => restored });
  expect(JSON.parse(out)).toEqual(restored);
});

test('copy says what it copied, in words and as JSON', async () => {
  const asked: unknown[] = [];
  const copied = {
    from: '/s/ledger.db',
    to: 'postgres://me@db:5432/audit',
    rows: 12_345,
    tables: [{ table: 'runs', rows: 12_345 }],
  };
  const copyLedger = async (to: unknown) => {
    asked.push(to);
    return copied;
  };
  const line = 'ledger copy --to postgres://me@db/audit?schema=media&tls=true';
  const { exitCode, out } = await speak(line, { copyLedger });
  expect(exitCode).toBe(0);
  expect(asked).toEqual([
    { host: 'db', port: 5432, user: 'me', database: 'audit', schema: 'media', tls: true },
  ]);
  expect(out).toBe(
    '/s/ledger.db was copied to postgres://me@db:5432/audit: 12,345 rows in 1 table, counted and summed on both sides.\nThe file stays as it is. Runs on it from now on are not in the copy.\n',
  );
  expect(JSON.parse((await speak(`${line} --json`, { copyLedger })).out)).toEqual(copied);
});

test.each([
  [
    'mysql://me@db/audit',
    'expected an address such as postgres://mediasweep@db.internal:5432/audit, found something else.',
  ],
  ['postgres://db/audit', 'found no user, host or database in it.'],
  [
    'postgres://me:secret@db/audit',
    'expected an address without a password, which every user of this machine could see.',
  ],
  ['postgres://me@db/audit?ssl=true', 'with no parameters but schema and tls; found "ssl".'],
  ['postgres://me@db/audit?tls=yes', 'tls "true" or "false"; found "yes".'],
  ['postgres://me@db/audit?schema=a-b', 'and a schema of at most 63 letters, digits and "_".'],
])('copy to "%s" is refused', async (address, says) => {
  const { exitCode, err } = await speak(`ledger copy --to ${address}`);
  expect(exitCode).toBe(2);
  expect(err).toContain(says);
  expect(err.replace(address, '')).not.toContain('secret');
});
