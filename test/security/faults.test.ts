/** The world fails under a run: its store, its vendors, its ledger's file. Nothing is lost, whatever it was. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jitter } from '../../src/domain/clock.ts';
import type { Handler } from '../../src/domain/exchange.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { openSource } from '../../src/source/open-source.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { serve } from '../../src/wire/server.ts';
import { limitToy, makeImages, makeVideos, ToyWorld, toyPrices, useToy } from '../support/toy-run.ts';
import { tries } from './hostile.ts';

describe('an object store that answers SlowDown and drops connections in the middle of pages', () => {
  test('is listed whole, over as many sessions as it takes: lost 0, twice 0', async () => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
    const shelf = await openShelf(makeMemoryVault());
    await shelf.addBucket('media', systemClock.now());
    const keys = Array.from({ length: 3000 }, (_, index) => `ugc/${index % 7}/${index}.jpg`);
    for (const key of keys) {
      await shelf.put('media', key, Buffer.from(key), { contentType: 'image/jpeg', lastModifiedMs: 0 });
    }
    const store = makeStore({ clock: systemClock, credentials: { AKID: 'secret' }, shelf, pageCap: 60 });
    const faults = { slowDowns: 0, cut: 0, reset: 0 };
    let asked = 0;
    const handler: Handler = async (request) => {
      asked += 1;
      const fate = jitter(`page ${asked}`);
      if (fate < 0.2) {
        faults.slowDowns += 1;
        return {
          status: 503,
          body: '<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>',
        };
      }
      if (fate < 0.3) {
        faults.reset += 1;
        return { status: 200, fault: 'reset' };
      }
      const answer = await store.handler(request);
      if (fate < 0.5) {
        faults.cut += 1;
        return { ...answer, fault: 'truncate' };
      }
      return answer;
    };
    const server = await serve(handler, { maxBodyBytes: 1_000_000, timeoutMs: 5000 });
    onTestFinished(() => server.close());
    const main = { name: 'main', endpoint: server.url, region: 'us-east-1', pathStyle: true, ...credentials };
    const storage = openObjectStorage(new Map([['main', main]]), { maxAttempts: 3, timeoutMs: 5000 });
    onTestFinished(() => storage.close());
    const source = { form: 'bucket', storage: 'main', bucket: 'media', prefixes: [''], parallel: 8 } as const;
    const select = { include: [], exclude: [], kinds: [] };
    const seen: string[] = [];
    let checkpoint: string | undefined;
    let sessions = 0;
    for (let isDone = false; !isDone; ) {
      sessions += 1;
      expect(sessions).toBeLessThan(500);
      try {
        const tools = { storage, nowMs: 0, log: { info: () => undefined, warn: () => undefined } };
        for await (const page of openSource({ source, select }, tools, checkpoint)) {
          seen.push(...page.items.map(({ key }) => key ?? ''));
          checkpoint = page.checkpoint ?? checkpoint;
          isDone = page.isLast;
        }
      } catch (error) {
        if (!(error instanceof Stop)) throw error;
        assert.equal(error.exitCode, exitCodes.halted);
        assert.match(error.message, /^storage "main" .*: listing bucket "media": .*[Rr]un again to go on\.$/);
      }
    }
    expect(Math.min(faults.slowDowns, faults.cut, faults.reset)).toBeGreaterThan(3);
    // What a session had listed when it was lost is listed again from the last checkpoint, and known by its id.
    expect(keys.filter((key) => !seen.includes(key))).toEqual([]);
    expect(new Set(seen).size).toBe(keys.length);
  }, 120_000);
});

describe('vendors that flap for an hour', () => {
  test('lose nothing: every task is answered, or held for a person where nobody can be asked, and no video is submitted twice', async () => {
    const world = await ToyWorld.open();
    const minute = 60_000;
    world.vendor.fate = (call, path, number) => {
      const elapsed = world.clock.monotonic();
      // Up for some minutes, down for some, each in its own way; two vendors out of step.
      const isVideo = path.includes('job');
      const round = Math.floor(elapsed / (isVideo ? 4 * minute : 3 * minute));
      if (elapsed > 60 * minute || round % 2 === 0) return undefined;
      const chance = jitter(`${path} ${number} ${call.method}`);
      if (chance < 0.3) return { is: 'refuse', status: 503 };
      if (chance < 0.5) return { is: 'not-sent' };
      if (chance < 0.7) return { is: 'lost' };
      return { is: 'lost-answer' };
    };
    const account = limitToy({ perSecond: 0.2, concurrency: 4 });
    const services = [useToy('toy/image', { account }), useToy('toy/watch', { account })];
    const items = [...makeImages(500), ...makeVideos(100)];
    const setting = { services, items, resendBelow: 0n } as const;
    let outcome = await world.run(setting);
    for (let session = 0; session < 20 && (outcome.statuses['open'] ?? 0) > 0; session += 1) {
      outcome = await world.run(setting);
    }
    expect(world.clock.monotonic()).toBeGreaterThan(60 * minute);
    const { answered = 0, held = 0, failed = 0 } = outcome.statuses;
    expect(outcome.tasks.length).toBe(600);
    expect(answered + held + failed).toBe(600);
    expect(answered).toBeGreaterThan(300);
    // Nothing that was carried out is unaccounted for, and nothing was carried out twice.
    expect(world.vendor.doubles).toEqual([]);
    const submitted = [...world.vendor.submitted.keys()].length;
    expect(submitted).toBeLessThanOrEqual(answered + held + failed);
    // The service of videos can be asked what became of a call: none is left to a person.
    const videos = outcome.tasks.filter(({ service }) => service === 'toy/watch');
    expect(new Set(videos.map(({ status }) => status))).toEqual(new Set(['answered']));
  }, 240_000);
});

describe('a ledger file', () => {
  /** What a report would read of every run: rows, counts, bill. */
  async function readEverything(folder: string): Promise<string> {
    const ledger = await openLedger({ folder, clock: systemClock });
    try {
      const [run] = await ledger.listRuns(1);
      if (!run) return 'no run';
      const rows = await ledger.readItems(run.id, undefined, 10_000);
      const parts = [run, rows, await ledger.countTasks(run.id), await ledger.readBill(run.id, toyPrices)];
      return JSON.stringify(parts, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
    } finally {
      await ledger.close();
    }
  }

  test('truncated or bit-flipped anywhere is refused with the way to restore it; where a kill left no checksums, it is refused or read, and never ends in a mistake', async () => {
    const world = await ToyWorld.open();
    const items = [...makeImages(150), ...makeVideos(40)];
    await world.run({ services: [useToy('toy/image'), useToy('toy/video')], items });
    const whole = dirname(world.out);
    const expected = await readEverything(whole);
    const bytes = await readFile(join(whole, 'ledger.db'));
    const folder = await mkdtemp(join(tmpdir(), 'mediasweep-damage-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const judge = async (
      damaged: Uint8Array,
      { isSealed }: { readonly isSealed: boolean },
    ): Promise<'refused' | 'unharmed' | 'misread'> => {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
      await writeFile(join(folder, 'ledger.db'), damaged);
      if (isSealed) await cp(join(whole, 'ledger.db.seal'), join(folder, 'ledger.db.seal'));
      try {
        return (await readEverything(folder)) === expected ? 'unharmed' : 'misread';
      } catch (error) {
        if (!(error instanceof Stop)) throw error;
        assert.match(error.message, /^ledger(?: "|:)/);
        assert.match(error.message, /ledger restore/);
        return 'refused';
      }
    };
    const { numRuns } = tries(40);
    const cut = (number: number) =>
      bytes.subarray(0, Math.floor((bytes.length * (number - 1)) / (numRuns + 1)));
    const flip = (number: number) => {
      const damaged = Buffer.from(bytes);
      const at = Math.floor(jitter(`flip ${number}`) * damaged.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (number % 8));
      return damaged;
    };
    const atRest = { refused: 0, unharmed: 0, misread: 0 };
    for (let number = 1; number <= numRuns; number += 1) {
      atRest[await judge(cut(number), { isSealed: true })] += 1;
    }
    for (let number = 0; number < 5 * numRuns; number += 1) {
      atRest[await judge(flip(number), { isSealed: true })] += 1;
    }
    expect(atRest).toEqual({ refused: 6 * numRuns, unharmed: 0, misread: 0 });
    expect(await judge(bytes, { isSealed: true })).toBe('unharmed');

    // SQLite alone keeps no checksum of values, so that a flip within one is read as what it says.
    const truncated = { refused: 0, unharmed: 0, misread: 0 };
    for (let number = 2; number < 12; number += 1) {
      truncated[await judge(cut(number), { isSealed: false })] += 1;
    }
    expect(truncated).toEqual({ refused: 10, unharmed: 0, misread: 0 });
    const flipped = { refused: 0, unharmed: 0, misread: 0 };
    for (let number = 0; number < numRuns; number += 1) {
      flipped[await judge(flip(number), { isSealed: false })] += 1;
    }
    expect(flipped.misread).toBeLessThan(numRuns / 2);
  }, 120_000);
});
