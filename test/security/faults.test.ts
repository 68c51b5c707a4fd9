/** The world fails under a run: its store, its vendors, its ledger's file. Nothing is lost, whatever it was. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jitter } from '../../src/domain/clock.ts';
import type { Handler } from '../../src/domain/exchange.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { loadLibrary } from '../../src/rehearsal/library.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { openSource } from '../../src/source/open-source.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { serve } from '../../src/wire/server.ts';
import { makeImages, makeVideos, ToyWorld, toyPrices, useToy } from '../support/toy-run.ts';
import { tries } from './hostile.ts';
import { openVendors, useService } from './vendors-at-hand.ts';

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

describe('both vendors, flapping for an hour', () => {
  test('lose nothing: every task is answered, or held for a person where nobody can be asked, and nothing is submitted twice', async () => {
    const world = await ToyWorld.open();
    const { clock } = world;
    const minute = 60_000;
    // Up for some minutes, down for some, each in its own way and out of step.
    const rounds: Readonly<Record<string, number>> = { pai: 3 * minute, qiniu: 4 * minute };
    const isDown = (vendor: string) =>
      clock.monotonic() < 60 * minute && Math.floor(clock.monotonic() / (rounds[vendor] ?? 1)) % 2 === 1;
    let asked = 0;
    const vendors = openVendors(clock, await loadLibrary(), (vendor) => {
      asked += 1;
      const chance = isDown(vendor) ? jitter(`way ${asked}`) : 1;
      if (chance < 0.15) return 'not-sent';
      if (chance < 0.25) return 'lost';
      return chance < 0.4 ? 'carried-out' : 'arrives';
    });
    const weather = async (vendor: string) => {
      const bad = { slowDown: 0.3, serverError: 0.2, resetBefore: 0.1, resetAfter: 0.1 };
      const good = { slowDown: 0, serverError: 0, resetBefore: 0, resetAfter: 0 };
      for (let ms = 0; ms <= 60 * minute; ms += rounds[vendor] ?? minute) {
        await vendors.setFaults(vendor, isDown(vendor) ? bad : good);
        await clock.sleep(rounds[vendor] ?? minute);
      }
      await vendors.setFaults(vendor, good);
    };
    for (const vendor of vendors.emulators.keys()) void weather(vendor);
    const limits = { concurrency: 4, perSecond: 0.15, maxOpenJobs: 20 };
    const services = [
      useService('pai/image-quality', limits),
      useService('qiniu/video-censor', { ...limits, perSecond: 0.08 }, { delivery: 'poll' }),
    ];
    const images = makeImages(300);
    const videos = makeVideos(60);
    const setting = { services, items: [...images, ...videos], resendBelow: 0n, http: vendors.http };
    let outcome = await world.run(setting);
    for (let session = 0; session < 30 && (outcome.statuses['open'] ?? 0) > 0; session += 1) {
      outcome = await world.run(setting);
    }
    expect(clock.monotonic()).toBeGreaterThan(60 * minute);
    const met = (pattern: RegExp) =>
      [...vendors.seen].reduce((sum, [name, times]) => sum + (pattern.test(name) ? times : 0), 0);
    for (const vendor of vendors.emulators.keys()) {
      for (const fate of ['not-sent', 'lost', 'carried-out', '(?:429|573)', 'arrives unknown']) {
        expect({ vendor, fate, times: met(new RegExp(`^${vendor} ${fate}`)) }).not.toMatchObject({
          times: 0,
        });
      }
    }
    // Lost 0: all are accounted for. A video's service can be asked what became of a call, an image's cannot.
    const count = (service: string, status: string) =>
      outcome.tasks.filter((task) => task.service === service && task.status === status).length;
    const [answered, held] = [count('pai/image-quality', 'answered'), count('pai/image-quality', 'held')];
    expect(answered + held).toBe(images.length);
    expect(count('qiniu/video-censor', 'answered')).toBe(videos.length);
    // Twice 0, as both vendors see it; and what they have billed is on our bill, or uncertain there.
    const [pai, qiniu] = ['pai', 'qiniu'].map((vendor) => vendors.emulators.get(vendor)?.state());
    expect(Math.max(...Object.values(pai?.submitted ?? {}))).toBe(1);
    expect(pai?.submissions).toBeGreaterThan(answered);
    expect(pai?.submissions).toBeLessThanOrEqual(answered + held);
    expect(outcome.unitsOf('pai/basic')).toEqual({
      observed: answered,
      estimated: 0,
      uncertain: held,
    });
    expect(qiniu?.submissions).toBe(videos.length);
    for (const [sku, units] of Object.entries(qiniu?.units ?? {})) {
      expect({ sku, ...outcome.unitsOf(sku) }).toMatchObject({ sku, uncertain: 0 });
      const { observed = 0, estimated = 0 } = outcome.unitsOf(sku) ?? {};
      // The plan took the videos for longer than they are, and an answer may leave empty frames out.
      expect(observed + estimated).toBeGreaterThanOrEqual(units);
    }
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
