/** One ledger file under several real processes, and under a kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLedger } from '../../src/store/ledger.ts';
import { HandClock, makeOpening, prices, readStates } from './world.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-processes-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Answers the lines that the worker wrote until it ended, or until it was killed after `killAfter` of them. */
async function runWorker(name: string, count: number, killAfter = Number.POSITIVE_INFINITY) {
  const script = join(import.meta.dirname, 'ledger-worker.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length >= killAfter) child.kill('SIGKILL');
  }
  await ended;
  return lines;
}

test('processes that begin together on a new ledger pay for each content once', async () => {
  const count = 300;
  const outputs = await Promise.all(['nightly', 'weekly', 'monthly'].map((name) => runWorker(name, count)));
  expect(outputs.map((lines) => lines.at(-1))).toEqual(['done', 'done', 'done']);
  const answered = outputs.flat().filter((line) => line.startsWith('answered'));
  expect(new Set(answered).size).toBe(count);
  expect(answered).toHaveLength(count);

  const ledger = await openLedger({ folder, clock: new HandClock() });
  let units = 0;
  for (const { id } of await ledger.listRuns(10)) {
    for (const row of await ledger.readBill(id, prices)) units += row.observed;
    const states = new Set((await readStates(ledger, id)).map((text) => text.split(' ')[2]));
    expect([...states].filter((state) => state !== 'answered' && state !== 'reused')).toEqual([]);
  }
  expect(units).toBe(count);
  await ledger.close();
});

test('a killed process loses nothing that it was told is durable', async () => {
  const lines = await runWorker('nightly', 2000, 40);
  expect(lines).not.toContain('done');
  const told = lines.filter((line) => line.startsWith('answered')).map((line) => line.split(' ')[1] ?? '');
  expect(told.length).toBeGreaterThanOrEqual(40);

  const ledger = await openLedger({ folder, clock: new HandClock() });
  const run = await ledger.openRun(makeOpening());
  expect(run.isResumed).toBe(true);
  const { settledKeys } = await run.readKnown(told, []);
  expect(told.filter((key) => !settledKeys.has(key))).toEqual([]);
  await ledger.close();
});
