/** A ledger at rest is held against what it was left as; one that somebody has open, or was killed with, has no seal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backUpLedger, restoreLedger } from '../../src/store/backup.ts';
import { clearState } from '../../src/store/clear-state.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { HandClock, hourMs, makeOpening, startMs } from './world.ts';

let folder: string;
let file: string;
let seal: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-seal-'));
  file = join(folder, 'ledger.db');
  seal = `${file}.seal`;
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const openHere = () => openLedger({ folder, clock: new HandClock() });

async function addRun(): Promise<void> {
  const ledger = await openHere();
  await ledger.openRun(makeOpening({ startNew: true }));
  await ledger.close();
}

async function countRuns(): Promise<number> {
  const ledger = await openHere();
  const { length } = await ledger.listRuns(100);
  await ledger.close();
  return length;
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** A process of its own that has the ledger open until it is told to close it, or killed. */
async function openElsewhere() {
  const script = join(import.meta.dirname, 'ledger-holder.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const end = async (how: () => void): Promise<void> => {
    const ended = once(child, 'exit');
    how();
    await ended;
  };
  return {
    close: () => end(() => child.stdin.end('close\n')),
    kill: () => end(() => child.kill('SIGKILL')),
  };
}

describe('the seal of a ledger', () => {
  test('stays while the ledger is only read, and is gone before anything is written', async () => {
    await addRun();
    const before = await readFile(seal, 'utf8');
    expect(await countRuns()).toBe(1);
    expect(await readFile(seal, 'utf8')).toBe(before);
    const ledger = await openHere();
    expect(existsSync(seal)).toBe(true);
    await ledger.openRun(makeOpening({ startNew: true }));
    expect(existsSync(seal)).toBe(false);
    await ledger.close();
    expect(await readFile(seal, 'utf8')).not.toBe(before);
    expect(await countRuns()).toBe(2);
  });

  test('names the place of one flipped bit, and what to do; without it the file is taken as it is', async () => {
    await addRun();
    await flip(file, 70_000);
    await expect(openHere()).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /^ledger ".*ledger\.db": the file is damaged: bytes 0 to \d+ are not what they were left as\. Put a copy of it back: `mediasweep ledger restore` takes the newest backup\. If it was changed on purpose, remove "ledger\.db\.seal" beside it to go on with what is there\.$/,
      ) as string,
    });
    await rm(seal);
    expect(await countRuns()).toBe(1);
  });

  test.each([0, 5, 4096])('tells that a file was cut to %i bytes', async (length) => {
    await addRun();
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, length));
    await expect(openHere()).rejects.toThrow(`it was left with ${bytes.length} bytes, and has ${length}.`);
  });

  test('denies nothing once it was damaged itself or cut off', async () => {
    await addRun();
    const whole = await readFile(seal);
    for (const at of [0, 3, 15, whole.length - 3]) {
      await flip(seal, at);
      expect(await countRuns()).toBe(1);
      await writeFile(seal, whole);
    }
    await writeFile(seal, whole.subarray(0, 20));
    expect(await countRuns()).toBe(1);
  });

  test('is left to the last of those in one process that have the ledger open', async () => {
    const first = await openHere();
    const second = await openHere();
    await first.openRun(makeOpening({ startNew: true }));
    await first.close();
    expect(existsSync(seal)).toBe(false);
    await second.close();
    expect(existsSync(seal)).toBe(true);
    expect(await countRuns()).toBe(1);
  });

  test('is left to the last of several processes; one that is killed leaves none, and the next closes with one', async () => {
    await addRun();
    const other = await openElsewhere();
    await addRun();
    expect(existsSync(seal)).toBe(false);
    await other.close();
    expect(existsSync(seal)).toBe(true);
    await (await openElsewhere()).kill();
    expect(await countRuns()).toBe(2);
    const [killed, again] = [await openElsewhere(), await openElsewhere()];
    await addRun();
    await killed.kill();
    expect(existsSync(seal)).toBe(false);
    await again.kill();
    expect(await countRuns()).toBe(3);
    expect(existsSync(seal)).toBe(true);
  }, 30_000);

  test('goes with the ledger that is replaced or cleared away', async () => {
    await addRun();
    await backUpLedger(folder, startMs);
    await addRun();
    await flip(file, 70_000);
    const { aside } = await restoreLedger({ folder, isForced: false, nowMs: startMs + hourMs });
    expect([existsSync(seal), existsSync(`${aside}.seal`)]).toEqual([true, true]);
    expect(await countRuns()).toBe(1);
    await clearState(folder, 'nightly', { pid: 1, startedAt: '' });
    expect(existsSync(seal)).toBe(false);
    expect(await countRuns()).toBe(0);
  });
});

describe('a ledger that is gone', () => {
  test('is not begun anew while its seal or a copy of it is still there', async () => {
    await addRun();
    await backUpLedger(folder, startMs);
    await rm(file);
    const gone = (left: string) => ({
      exitCode: 3,
      message: `ledger "${file}": the file is gone, but not ${left}: an empty ledger knows no answer that was paid for before. Put a copy back: \`mediasweep ledger restore\` takes the newest backup. To begin with an empty one, move what is left away.`,
    });
    await expect(openHere()).rejects.toMatchObject(
      gone('its seal "ledger.db.seal" and 1 of its copies in "backups"'),
    );
    await rm(seal);
    await writeFile(file, '');
    await expect(openHere()).rejects.toMatchObject(gone('1 of its copies in "backups"'));
    await restoreLedger({ folder, isForced: false, nowMs: startMs });
    expect(existsSync(seal)).toBe(true);
    expect(await countRuns()).toBe(1);
    await rm(file);
    await rm(join(folder, 'backups'), { recursive: true });
    await expect(openHere()).rejects.toMatchObject(gone('its seal "ledger.db.seal"'));
    await rm(seal);
    expect(await countRuns()).toBe(0);
  });
});
