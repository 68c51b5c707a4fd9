/** What a person reads when the ledger's file, its folder or its driver is not as it should be. */
import { chmod, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLedger } from '../../src/store/ledger.ts';
import { openAgain, openDatabase } from '../../src/store/sqlite/database.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { migrations } from '../../src/store/sqlite/schema.ts';
import { SqlLedger } from '../../src/store/sql/sql-ledger.ts';
import { explainDatabaseError } from '../../src/store/trouble.ts';
import { HandClock, makeOpening, makePlanned, plan } from './world.ts';

const Sqlite = await loadDriver();

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-database-'));
  file = join(folder, 'ledger.db');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function openHere() {
  return openLedger({ folder, clock: new HandClock() });
}

async function expectStop(promise: Promise<unknown>, exitCode: number, message: RegExp) {
  await expect(promise).rejects.toMatchObject({
    name: 'Stop',
    exitCode,
    message: expect.stringMatching(message) as string,
  });
}

describe('the driver', () => {
  test.each([
    ['was not built', 'Could not locate the bindings file. Tried:\n → /somewhere/better_sqlite3.node'],
    [
      'was built for another Node',
      "The module 'better_sqlite3.node' was compiled against a different Node.js version",
    ],
  ])('says how to mend it where it %s', async (_, words) => {
    await expectStop(
      loadDriver(() => Promise.reject(new Error(words))),
      2,
      /^ledger: the SQLite driver cannot be loaded by Node v\d+.*: (Could not locate|The module)[^\n]* Run: npm rebuild better-sqlite3$/,
    );
  });

  test('is proved when it is loaded, since its native part is looked for only then', async () => {
    class Broken {
      constructor() {
        throw new Error('Could not locate the bindings file.');
      }
    }
    const driver = Broken as unknown as typeof Sqlite;
    await expectStop(
      loadDriver(async () => ({ default: driver })),
      2,
      /npm rebuild better-sqlite3$/,
    );
  });
});

describe('a ledger file', () => {
  test('and its folder are for their owner alone', async () => {
    const state = join(folder, 'state');
    const ledger = await openLedger({ folder: state, clock: new HandClock() });
    await plan(await ledger.openRun(makeOpening()), [makePlanned('a')]);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    const modes = await Promise.all(
      (await readdir(state)).map(async (name) => [name, (await stat(join(state, name))).mode & 0o777]),
    );
    expect(modes).toEqual([
      ['ledger.db', 0o600],
      ['ledger.db-shm', 0o600],
      ['ledger.db-wal', 0o600],
      ['ledger.lock', 0o600],
    ]);
    await ledger.close();
    expect((await stat(join(state, 'ledger.db.seal'))).mode & 0o777).toBe(0o600);
  });

  test('of a newer program is refused and left as it is', async () => {
    await (await openHere()).close();
    const newer = new Sqlite(file);
    newer.pragma(`user_version = ${migrations.length + 1}`);
    newer.close();
    await rm(`${file}.seal`);
    await expectStop(
      openHere(),
      2,
      new RegExp(
        `^ledger ".*ledger\\.db": it was written by a newer program: expected version ${migrations.length} or older, found ${migrations.length + 1}\\. Update`,
      ),
    );
  });

  test('that is no database is refused', async () => {
    await writeFile(file, 'bucket,key\nmedia,a.jpg\n'.repeat(200));
    await expectStop(
      openHere(),
      3,
      /^ledger ".*": the file is damaged or of another kind: .*Put a copy of it back/,
    );
  });

  test('that is damaged is refused when the damage is met', async () => {
    const ledger = await openHere();
    const run = await ledger.openRun(makeOpening());
    await plan(
      run,
      Array.from({ length: 500 }, (_, index) => makePlanned(`key-${index}`)),
    );
    await ledger.close();
    const handle = await open(file, 'r+');
    const { size } = await handle.stat();
    for (let at = 4096; at < size; at += 4096) await handle.write(Buffer.alloc(64, 0xff), 0, 64, at);
    await handle.close();
    // As a process that is killed leaves it.
    await rm(`${file}.seal`);
    const meet = async () => {
      const damaged = await openHere();
      try {
        await damaged.readItems(run.record.id, undefined, 1000);
      } finally {
        await damaged.close();
      }
    };
    await expectStop(meet(), 3, /^ledger ".*": the file is damaged/);
  });

  test('in a folder that is a file is refused, naming it', async () => {
    await writeFile(join(folder, 'state'), '');
    await expectStop(
      openLedger({ folder: join(folder, 'state'), clock: new HandClock() }),
      2,
      /^ledger ".*state\/ledger\.db": something else stands there.*name another folder\.$/,
    );
  });

  test.each([
    ['a folder', 0o555, undefined],
    ['a file', 0o755, 0o444],
  ])('in %s that this user may not write is refused', async (_, folderMode, fileMode) => {
    await (await openHere()).close();
    if (fileMode !== undefined) await chmod(file, fileMode);
    else await rm(file);
    await chmod(folder, folderMode);
    // Permissions hold nothing back from root, so it becomes nobody for a moment.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      await expectStop(openHere(), 2, /^ledger ".*": it cannot be written: .*Let this user write there/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(folder, 0o755);
    }
  });

  test('on a full disk stops the run, keeps what was told durable, and goes on when there is space', async () => {
    const db = openDatabase(file, Sqlite);
    const writer = openAgain(file, Sqlite);
    const ledger = new SqlLedger({ db, openWriter: async () => writer, now: () => 0 });
    const run = await ledger.openRun(makeOpening());
    await writer.get('PRAGMA max_page_count = 120');
    const pages = Array.from({ length: 40 }, (_, page) =>
      Array.from({ length: 100 }, (__, index) => makePlanned(`key-${page}-${index}`)),
    );
    let stored = 0;
    const fill = async () => {
      for (const items of pages) {
        await plan(run, items);
        stored += items.length;
      }
    };
    await expectStop(
      fill(),
      3,
      /^ledger ".*": the disk is full: .*Free some space, then run again to go on\.$/,
    );
    expect(stored).toBeGreaterThan(0);
    expect(await ledger.countTasks(run.record.id)).toMatchObject([{ count: stored }]);
    await writer.get('PRAGMA max_page_count = 100000');
    await plan(run, [makePlanned('last')]);
    expect(await ledger.countTasks(run.record.id)).toMatchObject([{ count: stored + 1 }]);
    expect((await ledger.readItems(run.record.id, undefined, 10_000)).length).toBe(stored + 1);
    await ledger.close();
  });

  test('that another process keeps locked stops the run', async () => {
    await (await openHere()).close();
    const other = new Sqlite(file);
    other.exec('BEGIN IMMEDIATE');
    const ours = new Sqlite(file, { timeout: 0 });
    const attempt = async () => {
      try {
        ours.exec('BEGIN IMMEDIATE');
      } catch (error) {
        throw explainDatabaseError('ledger', file, error);
      }
    };
    await expectStop(attempt(), 3, /^ledger ".*": another process keeps it locked: database is locked/);
    ours.close();
    other.close();
  });

  test('that is closed takes no more writes', async () => {
    const ledger = await openHere();
    const run = await ledger.openRun(makeOpening());
    const last = plan(run, [makePlanned('a')]);
    await ledger.close();
    expect(await last).toHaveLength(1);
    await expect(plan(run, [makePlanned('b')])).rejects.toThrow('the ledger is closed');
  });
});
