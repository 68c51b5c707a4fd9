import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Ledger } from '../../src/domain/ledger.ts';
import type { PaceRequest } from '../../src/domain/pace.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { acquireRunLock, isRunLocked } from '../../src/store/run-lock.ts';
import { HandClock, makeOpening, makePipeline } from './world.ts';

const limits = { concurrency: 4, perSecond: 100, maxOpenJobs: 10 };

function ask(changes: Partial<PaceRequest> = {}): PaceRequest {
  return {
    limit: 'pai-prod',
    part: '',
    limits,
    turns: 1000,
    flights: { used: 0, wanted: 4 },
    jobs: { used: 0, wanted: 0, grain: 1 },
    isThrottled: false,
    successes: 0,
    quietMs: 0,
    ...changes,
  };
}

async function openPlace() {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-pace-'));
  const clock = new HandClock();
  const ledgers: Ledger[] = [];
  onTestFinished(async () => {
    for (const ledger of ledgers) await ledger.close();
    await rm(folder, { recursive: true });
  });
  /** A process of its own, as far as the ledger can tell. */
  const begin = async (pipeline: string) => {
    const release = await acquireRunLock(folder, pipeline, { pid: 1, startedAt: '' });
    const ledger = await openLedger({ folder, clock });
    ledgers.push(ledger);
    const run = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: pipeline }) }));
    return { pace: run.sharePace({ clock, isAlive: (name) => isRunLocked(folder, name) }), release };
  };
  return { clock, begin };
}

test('processes on one ledger are granted turns one after the other, and places as far as there are any', async () => {
  const { begin } = await openPlace();
  const [one, other] = [await begin('one'), await begin('other')];
  const first = await one.pace.exchange(ask());
  const second = await other.pace.exchange(ask());
  expect(first).toMatchObject({ flights: 4, turns: { firstAtMs: 0, everyMs: 10, count: 25 } });
  expect(second.flights).toBe(0);
  // Whoever was alone may be a little late for its turns, and nobody calls meanwhile.
  expect(second.turns.firstAtMs).toBeGreaterThanOrEqual(250 + first.turns.graceMs);
  expect((await one.pace.exchange(ask({ flights: { used: 1, wanted: 4 } }))).flights).toBe(2);
  expect((await other.pace.exchange(ask())).flights).toBe(2);
  expect((await other.pace.exchange(ask({ limit: 'qiniu-prod' }))).flights).toBe(4);
  one.release();
  other.release();
});

test('places of a process that died are free as soon as its lock is, and its open jobs a quarter of an hour later', async () => {
  const { clock, begin } = await openPlace();
  const [one, other] = [await begin('one'), await begin('other')];
  await one.pace.exchange(ask({ jobs: { used: 8, wanted: 8, grain: 1 } }));
  clock.nowMs += 5000;
  const wants = ask({ jobs: { used: 0, wanted: 10, grain: 1 } });
  expect(await other.pace.exchange(wants)).toMatchObject({ flights: 0, jobs: 2 });
  one.release();
  clock.nowMs += 5000;
  expect(await other.pace.exchange(wants)).toMatchObject({ flights: 4, jobs: 2 });
  clock.nowMs += 15 * 60_000;
  expect(await other.pace.exchange(wants)).toMatchObject({ flights: 4, jobs: 10 });
  other.release();
});

test('turns that nobody used are given back, unless others were granted later ones', async () => {
  const { begin } = await openPlace();
  const { pace, release } = await begin('one');
  const { turns } = await pace.exchange(ask());
  const unused = { fromMs: 50, endMs: turns.firstAtMs + turns.count * turns.everyMs };
  expect((await pace.exchange(ask({ unused }))).turns.firstAtMs).toBe(50);
  expect((await pace.exchange(ask({ unused }))).turns.firstAtMs).toBe(300);
  release();
});
