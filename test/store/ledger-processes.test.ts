/** One ledger under several real processes, and under a kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listLedgers, type LedgerPlace } from '../support/ledgers.ts';
import { describeReal } from '../support/server.ts';
import { HandClock, makeOpening, prices, readStates } from './world.ts';

const ledgers = listLedgers().filter(({ isThreaded }) => isThreaded !== true);

/** Answers the lines that the worker wrote until it ended, or until it was killed after `killAfter` of them. */
async function runWorker(
  place: LedgerPlace,
  name: string,
  count: number,
  killAfter = Number.POSITIVE_INFINITY,
) {
  const script = join(import.meta.dirname, 'ledger-worker.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, place.word, name, String(count)], {
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

describe.each(ledgers)('a ledger on $name', ({ name: kind, missing, makePlace }) => {
  describeReal(kind, missing, () => {
    let place: LedgerPlace;

    beforeEach(async () => {
      place = await makePlace();
    }, 60_000);

    afterEach(async () => {
      await place.remove();
    });

    test('processes that begin together on a new ledger pay for each content once', async () => {
      const count = 300;
      const outputs = await Promise.all(
        ['nightly', 'weekly', 'monthly'].map((name) => runWorker(place, name, count)),
      );
      expect(outputs.map((lines) => lines.at(-1))).toEqual(['done', 'done', 'done']);
      const answered = outputs.flat().filter((line) => line.startsWith('answered'));
      expect(new Set(answered).size).toBe(count);
      expect(answered).toHaveLength(count);

      const ledger = await place.open(new HandClock());
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
      const lines = await runWorker(place, 'nightly', 2000, 40);
      expect(lines).not.toContain('done');
      const told = lines
        .filter((line) => line.startsWith('answered'))
        .map((line) => line.split(' ')[1] ?? '');
      expect(told.length).toBeGreaterThanOrEqual(40);

      const ledger = await place.open(new HandClock());
      const run = await ledger.openRun(makeOpening());
      expect(run.isResumed).toBe(true);
      const { settledKeys } = await run.readKnown(told, []);
      expect(told.filter((key) => !settledKeys.has(key))).toEqual([]);
      await ledger.close();
    });
  });
});
