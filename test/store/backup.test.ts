/** Copies of the ledger, and how one of them takes its place. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backUpLedger, restoreLedger, saveLedger } from '../../src/store/backup.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { acquireRunLock } from '../../src/store/run-lock.ts';
import { HandClock, hourMs, makeOpening, startMs } from './world.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-backup-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function addRun(nowMs = startMs): Promise<void> {
  const ledger = await openLedger({ folder, clock: new HandClock() });
  await ledger.openRun(makeOpening({ startNew: true, nowMs }));
  await ledger.close();
}

async function countRuns(): Promise<number> {
  const ledger = await openLedger({ folder, clock: new HandClock() });
  try {
    return (await ledger.listRuns(100)).length;
  } finally {
    await ledger.close();
  }
}

/** Each has its seal beside it. */
async function listBackups(): Promise<readonly string[]> {
  const names = (await readdir(join(folder, 'backups'))).sort();
  const copies = names.filter((name) => !name.endsWith('.seal'));
  expect(names).toEqual(copies.flatMap((name) => [name, `${name}.seal`]));
  return copies;
}

const restore = (given: { backup?: string; isForced?: boolean } = {}) =>
  restoreLedger({ folder, isForced: false, nowMs: startMs + 100 * hourMs, ...given });
const damage = () => writeFile(join(folder, 'ledger.db'), 'no database at all'.repeat(1000));

describe('a backup that is asked for', () => {
  const save = (given: Partial<Parameters<typeof saveLedger>[0]> = {}) =>
    saveLedger({ folder, nowMs: startMs, ...given });

  test('is made whatever there is already, while the ledger is in use, and is kept three times', async () => {
    await addRun();
    const ledger = await openLedger({ folder, clock: new HandClock() });
    await ledger.openRun(makeOpening({ startNew: true, nowMs: startMs + hourMs }));
    for (let minute = 0; minute < 4; minute += 1) await save({ nowMs: startMs + minute * 60_000 });
    await ledger.close();
    expect(await listBackups()).toEqual([1, 2, 3].map((minute) => `ledger-20261120T020${minute}00Z.db`));
    await damage();
    await restore();
    expect(await countRuns()).toBe(2);
  });

  test('goes into the file that is named, for its owner alone, from which the ledger can be restored', async () => {
    await addRun();
    const to = join(folder, 'mine.db');
    const saved = await save({ to });
    const { size, mode } = await stat(to);
    expect(saved).toEqual({ ledger: join(folder, 'ledger.db'), backup: to, bytes: size });
    expect(mode & 0o777).toBe(0o600);
    await addRun(startMs + hourMs);
    await damage();
    await restore({ backup: to });
    expect(await countRuns()).toBe(1);
  });

  test('takes the place of nothing, and says so', async () => {
    await expect(save()).rejects.toMatchObject({
      exitCode: 2,
      message: `ledger "${join(folder, 'ledger.db')}": there is none to copy yet. The first run makes it; --state names another folder.`,
    });
    await addRun();
    const to = join(folder, 'mine.db');
    await writeFile(to, 'mine');
    await expect(save({ to })).rejects.toMatchObject({
      exitCode: 2,
      message: `backup "${to}": expected the name of a file that is not there yet, found one. Name another.`,
    });
    expect(await readFile(to, 'utf8')).toBe('mine');
    await expect(save({ to: join(folder, 'none', 'mine.db') })).rejects.toMatchObject({
      exitCode: 2,
      message: `backup "${join(folder, 'none', 'mine.db')}": the folder "${join(folder, 'none')}" is not there. Make it, or name another.`,
    });
  });

  test('is refused of a ledger that is damaged: the copies that are in order stay', async () => {
    await addRun();
    for (let day = 0; day < 3; day += 1) await save({ nowMs: startMs + day * 24 * hourMs });
    const before = await listBackups();
    await damage();
    await expect(save({ nowMs: startMs + 72 * hourMs })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /^ledger ".*ledger\.db": it is damaged: .*, and was not copied\. `mediasweep ledger restore` puts the newest backup in its place\.$/,
      ) as string,
    });
    expect(await listBackups()).toEqual(before);
  });

  test('that is stopped leaves nothing', async () => {
    await addRun();
    expect(await save({ stop: AbortSignal.abort('SIGINT') })).toBeUndefined();
    expect(await listBackups()).toEqual([]);
  });
});

describe('a backup', () => {
  test('is made once a day, for its owner alone, and nothing else is left beside it', async () => {
    await addRun();
    const path = await backUpLedger(folder, startMs);
    expect(path).toBe(join(folder, 'backups', 'ledger-20261120T020000Z.db'));
    expect((await stat(path ?? '')).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'backups'))).mode & 0o777).toBe(0o700);
    expect(await backUpLedger(folder, startMs + 19 * hourMs)).toBeUndefined();
    expect(await listBackups()).toEqual(['ledger-20261120T020000Z.db']);
  });

  test('is kept three times', async () => {
    await addRun();
    for (let day = 0; day < 5; day += 1) await backUpLedger(folder, startMs + day * 24 * hourMs);
    expect(await listBackups()).toEqual([22, 23, 24].map((day) => `ledger-202611${day}T020000Z.db`));
  });

  test('is not begun where the disk has no room for it, and says what to do', async () => {
    await addRun();
    const full = backUpLedger(folder, startMs, { readFree: async () => 5_000_000 });
    await expect(full).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /^backup ".*ledger-20261120T020000Z\.db": no copy was begun: expected room for .*, found 5 MB\. Free some space, or take old runs out with `mediasweep ledger prune`\.$/,
      ) as string,
    });
    expect(await listBackups()).toEqual([]);
  });

  test('is as rare as it is asked for', async () => {
    await addRun();
    await backUpLedger(folder, startMs, { everyMs: 7 * 24 * hourMs });
    expect(
      await backUpLedger(folder, startMs + 6 * 24 * hourMs, { everyMs: 7 * 24 * hourMs }),
    ).toBeUndefined();
    await backUpLedger(folder, startMs + 7 * 24 * hourMs, { everyMs: 7 * 24 * hourMs });
    expect(await listBackups()).toHaveLength(2);
  });

  test('that is stopped leaves nothing', async () => {
    await addRun();
    expect(await backUpLedger(folder, startMs, { stop: AbortSignal.abort() })).toBeUndefined();
    expect(await listBackups()).toEqual([]);
  });

  test('is one file that is read where nothing can be written beside it', async () => {
    await addRun();
    const path = (await backUpLedger(folder, startMs)) ?? '';
    const copy = new Sqlite(path, { readonly: true });
    expect(copy.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(copy.prepare('SELECT count(*) AS count FROM runs').get()).toEqual({ count: 1 });
    copy.close();
    expect(await listBackups()).toEqual(['ledger-20261120T020000Z.db']);
  });

  test('is made while others write', async () => {
    await addRun();
    const ledger = await openLedger({ folder, clock: new HandClock() });
    const opening = ledger.openRun(makeOpening({ startNew: true }));
    await backUpLedger(folder, startMs);
    await opening;
    await ledger.close();
    await damage();
    await restore();
    expect(await countRuns()).toBeGreaterThanOrEqual(1);
  });

  test('that cannot be made says why, and leaves the ledger as it was', async () => {
    await addRun();
    await writeFile(join(folder, 'backups'), '');
    await expect(backUpLedger(folder, startMs)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^backup ".*": something else stands there/),
    });
    await rm(join(folder, 'backups'));
    await rm(join(folder, 'ledger.db'));
    await expect(backUpLedger(folder, startMs)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^backup ".*ledger-20261120T020000Z\.db": /),
    });
    expect(await listBackups()).toEqual([]);
  });
});

describe('restoring', () => {
  test('takes the newest backup in order, and moves what was there aside', async () => {
    await addRun();
    await backUpLedger(folder, startMs);
    await addRun();
    await backUpLedger(folder, startMs + 24 * hourMs);
    await mkdir(join(folder, 'x'));
    await writeFile(join(folder, 'backups', 'ledger-20261125T020000Z.db'), 'half a copy');
    await damage();
    const restored = await restore();
    expect(restored).toEqual({
      backup: join(folder, 'backups', 'ledger-20261121T020000Z.db'),
      madeAt: '2026-11-21T02:00:00.000Z',
      aside: join(folder, 'ledger.db.replaced-20261124T060000Z'),
    });
    expect(await countRuns()).toBe(2);
    expect((await stat(join(folder, 'ledger.db'))).mode & 0o777).toBe(0o600);
    expect((await stat(restored.aside ?? '')).size).toBe(18_000);
  });

  test('passes over a backup in which one bit has changed', async () => {
    await addRun();
    await backUpLedger(folder, startMs);
    await addRun();
    const newest = (await backUpLedger(folder, startMs + 24 * hourMs)) ?? '';
    const bytes = await readFile(newest);
    const at = bytes.indexOf('nightly');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(newest, bytes);
    await damage();
    await expect(restore({ backup: newest })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /^backup ".*ledger-20261121T020000Z\.db": it is damaged: bytes 0 to \d+ are not what they were left as\. Name another/,
      ) as string,
    });
    expect((await restore()).madeAt).toBe('2026-11-20T02:00:00.000Z');
    expect(await countRuns()).toBe(1);
  });

  test('brings back a ledger that is gone', async () => {
    await addRun();
    await backUpLedger(folder, startMs);
    await rm(join(folder, 'ledger.db'));
    expect((await restore()).aside).toBeUndefined();
    expect(await countRuns()).toBe(1);
  });

  test('over a ledger in order needs to be forced, and takes the copy that is named', async () => {
    await addRun();
    await backUpLedger(folder, startMs);
    await addRun();
    await expect(restore()).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /^ledger ".*ledger\.db": it is in order: a backup would forget every answer that came after it\. Leave it, or say --force\.$/,
      ),
    });
    await restore({ isForced: true, backup: 'ledger-20261120T020000Z.db' });
    expect(await countRuns()).toBe(1);
  });

  test.each<[string, { backup?: string }, RegExp]>([
    ['without any copy', {}, /^backup: there is none in ".*backups"\. Name a copy of the ledger, or move/],
    [
      'of a copy that is not there',
      { backup: 'x.db' },
      /^backup "x\.db": there is no such file\. Name another/,
    ],
    [
      'of a damaged copy',
      { backup: 'bad.db' },
      /^backup "bad\.db": it is damaged, or no database\. Name another/,
    ],
  ])('%s is refused, and touches nothing', async (_, given, message) => {
    await damage();
    if (given.backup === 'bad.db') {
      await mkdir(join(folder, 'backups'));
      await writeFile(join(folder, 'backups', 'bad.db'), 'x'.repeat(5000));
    }
    await expect(restore(given)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message),
    });
    expect((await stat(join(folder, 'ledger.db'))).size).toBe(18_000);
  });

  test('while a run goes on is refused with exit 6', async () => {
    await addRun();
    const release = await acquireRunLock(folder, 'nightly', { pid: 1, startedAt: '' });
    await expect(restore({ isForced: true })).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringContaining(
        'pipeline "nightly" is running on it. Wait until it has ended, or stop it.',
      ),
    });
    release();
  });
});
