/** What processes that share limits count on, of every office that they may meet at. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { RedisPaceOffice } from '../../src/cluster/pace-office.ts';
import { announce } from '../../src/cluster/presence.ts';
import { openRedis, type RedisConnection } from '../../src/cluster/redis.ts';
import type { Ledger } from '../../src/domain/ledger.ts';
import { silentLog } from '../../src/domain/log.ts';
import { type PaceBoard, type PaceOffice, type PaceRequest, shiftBoard } from '../../src/domain/pace.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { acquireRunLock, isRunLocked } from '../../src/store/run-lock.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { HandClock, makeOpening, makePipeline } from '../store/world.ts';
import { MemoryOffice } from '../support/memory-office.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

interface Process {
  readonly pace: PaceOffice;
  /** By the clock that its grants are told in. */
  readonly now: () => number;
  readonly die: () => Promise<void>;
}

interface House {
  /** A process of its own, as far as the office can tell. */
  readonly begin: (name: string) => Promise<Process>;
  readonly pass: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Kind {
  readonly name: string;
  readonly missing: readonly string[];
  readonly open: () => Promise<House>;
}

const inMemory: Kind = {
  name: 'the office in memory',
  missing: [],
  open: async () => {
    const clock = new HandClock();
    const office = new MemoryOffice(clock);
    return {
      begin: async (name) => ({
        pace: office.enter(name),
        now: () => clock.monotonic(),
        die: async () => {
          office.dead.add(name);
        },
      }),
      pass: async (ms) => {
        clock.nowMs += ms;
      },
      close: async () => undefined,
    };
  },
};

const overLedger: Kind = {
  name: 'the office over the embedded ledger',
  missing: [],
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mediasweep-pace-'));
    const clock = new HandClock();
    const ledgers: Ledger[] = [];
    const locks: (() => void)[] = [];
    return {
      begin: async (name) => {
        const release = await acquireRunLock(folder, name, { pid: 1, startedAt: '' });
        locks.push(release);
        const ledger = await openLedger({ folder, clock });
        ledgers.push(ledger);
        const run = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name }) }));
        return {
          pace: run.sharePace({ clock, isAlive: (other) => isRunLocked(folder, other) }),
          now: () => clock.monotonic(),
          die: async () => release(),
        };
      },
      pass: async (ms) => {
        clock.nowMs += ms;
      },
      close: async () => {
        for (const release of locks) release();
        for (const ledger of ledgers) await ledger.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

let redis: PrivateRedis;

const inRedis: Kind = {
  name: 'the office in Redis',
  missing: missingForRedis,
  open: async () => {
    const { prefix } = redis.settings;
    const open: RedisConnection[] = [];
    const connect = async () => {
      const connection = await openRedis(redis.settings, silentLog);
      open.push(connection);
      return connection.client;
    };
    const own = await connect();
    await own.flushall();
    return {
      begin: async (process) => {
        const client = await connect();
        const { isAlive, close } = await announce({ client, prefix }, process, systemClock);
        const tools = { client, prefix, process, clock: systemClock, isAlive, met: new Set<string>() };
        return { pace: new RedisPaceOffice(tools), now: () => systemClock.monotonic(), die: close };
      },
      // Nobody sets Redis' clock: what stands on the boards is made older instead.
      pass: async (ms) => {
        for (const key of await own.keys(`${prefix}:pace:*`)) {
          const board = JSON.parse((await own.get(key)) ?? '') as PaceBoard;
          await own.set(key, JSON.stringify(shiftBoard(board, -ms)));
        }
      },
      close: async () => {
        for (const { close } of open) close();
      },
    };
  },
};

beforeAll(async () => {
  if (missingForRedis.length === 0) redis = await startRedis();
});

afterAll(async () => {
  await redis?.stop();
});

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

for (const { name, missing, open } of [inMemory, overLedger, inRedis]) {
  describeReal(name, missing, () => {
    let house: House;

    beforeEach(async () => {
      house = await open();
    });

    afterEach(async () => {
      await house.close();
    });

    const begin = (process: string) => house.begin(process);
    const pass = (ms: number) => house.pass(ms);

    it('grants turns one after the other, and places as far as there are any', async () => {
      const [one, other] = [await begin('one'), await begin('other')];
      const askedMs = one.now();
      const first = await one.pace.exchange(ask());
      const toldMs = one.now();
      expect(first).toMatchObject({ flights: 4, turns: { everyMs: 10, count: 25 } });
      expect(first.turns.firstAtMs).toBeGreaterThanOrEqual(askedMs);
      expect(first.turns.firstAtMs).toBeLessThanOrEqual(toldMs);
      const second = await other.pace.exchange(ask());
      expect(second.flights).toBe(0);
      // Whoever was alone may be a little late for its turns, and nobody calls meanwhile. Where offices are apart from
      // their visitors, each knows its turns only as well as it knows the time there.
      expect(second.turns.firstAtMs - first.turns.firstAtMs).toBeGreaterThan(250 + 50 - 10);
      expect((await one.pace.exchange(ask({ flights: { used: 1, wanted: 4 } }))).flights).toBe(2);
      expect((await other.pace.exchange(ask())).flights).toBe(2);
      expect((await other.pace.exchange(ask({ limit: 'qiniu-prod' }))).flights).toBe(4);
    });

    it('divides a limit over any number of processes and never grants more', async () => {
      const all = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(begin));
      let used = all.map(() => 0);
      for (let round = 0; round < 4; round += 1) {
        const asked = all.map(({ pace }, index) =>
          pace.exchange(ask({ turns: 0, flights: { used: used[index] ?? 0, wanted: 4 } })),
        );
        used = (await Promise.all(asked)).map(({ flights }) => flights);
        // Whoever has more than it was granted now gives that back.
        expect(used.reduce((sum, flights) => sum + flights, 0)).toBeLessThanOrEqual(4);
      }
    });

    it('frees the places of a process that died, its open jobs later', async () => {
      const [one, other] = [await begin('one'), await begin('other')];
      await one.pace.exchange(ask({ jobs: { used: 8, wanted: 8, grain: 1 } }));
      await pass(5000);
      const wants = ask({ jobs: { used: 0, wanted: 10, grain: 1 } });
      expect(await other.pace.exchange(wants)).toMatchObject({ flights: 0, jobs: 2 });
      await one.die();
      await pass(5000);
      expect(await other.pace.exchange(wants)).toMatchObject({ flights: 4, jobs: 2 });
      await pass(15 * 60_000);
      expect(await other.pace.exchange(wants)).toMatchObject({ flights: 4, jobs: 10 });
    });

    it('takes turns back that nobody used, unless others were granted later ones', async () => {
      const { pace } = await begin('one');
      const { turns } = await pace.exchange(ask());
      const unused = { fromMs: turns.firstAtMs + 50, endMs: turns.firstAtMs + turns.count * turns.everyMs };
      const again = (await pace.exchange(ask({ unused }))).turns;
      expect(again.firstAtMs - turns.firstAtMs).toBeLessThan(60);
      const later = (await pace.exchange(ask({ unused }))).turns;
      expect(later.firstAtMs).toBeGreaterThanOrEqual(again.firstAtMs + 240);
    });

    it('tells everyone that the vendor asked for fewer calls', async () => {
      const [one, other] = [await begin('one'), await begin('other')];
      expect(await one.pace.exchange(ask({ isThrottled: true, quietMs: 300 }))).toMatchObject({ share: 0.5 });
      const told = await other.pace.exchange(ask());
      expect(told.share).toBe(0.5);
      expect(told.quietUntilMs).toBeGreaterThan(other.now() + 200);
      expect(told.turns.firstAtMs).toBeGreaterThanOrEqual(told.quietUntilMs - 1);
      // A burst lowers it once.
      expect((await other.pace.exchange(ask({ isThrottled: true }))).share).toBe(0.5);
      await pass(2000);
      expect((await other.pace.exchange(ask({ isThrottled: true }))).share).toBe(0.25);
      expect((await one.pace.exchange(ask({ successes: 10 }))).share).toBeCloseTo(0.45);
    });
  });
}

describeReal('Redis itself', missingForRedis, () => {
  it('may have its clock set back without anyone waiting for it, or losing sight of the others', async () => {
    const house = await inRedis.open();
    const [one, other] = [await house.begin('one'), await house.begin('other')];
    await one.pace.exchange(ask({ jobs: { used: 8, wanted: 8, grain: 1 } }));
    // As if the clock now showed an hour less.
    await house.pass(-3_600_000);
    const grant = await other.pace.exchange(ask({ jobs: { used: 0, wanted: 10, grain: 1 } }));
    expect(grant).toMatchObject({ flights: 0, jobs: 2 });
    expect(grant.turns.firstAtMs).toBeLessThan(other.now() + 1000);
    await house.close();
  });

  it('may be restarted: what is asked meanwhile waits, and the boards are as they were', async () => {
    const house = await inRedis.open();
    const [one, other] = [await house.begin('one'), await house.begin('other')];
    await one.pace.exchange(ask({ flights: { used: 3, wanted: 3 } }));
    await redis.kill();
    const asking = other.pace.exchange(ask());
    await redis.restart();
    expect((await asking).flights).toBe(1);
    await house.close();
  });

  it('may forget its boards: turns of the old one pass first, and nobody is given places that others hold', async () => {
    const house = await inRedis.open();
    const [one, other, third] = [
      await house.begin('one'),
      await house.begin('other'),
      await house.begin('third'),
    ];
    const held = { used: 2, wanted: 4 };
    const before = [one, other].map(({ pace }) => pace.exchange(ask({ flights: held })));
    const ends = (await Promise.all(before)).map(
      ({ turns }) => turns.firstAtMs + turns.count * turns.everyMs,
    );
    await redis.restart('nothing');
    const first = await one.pace.exchange(ask({ flights: held }));
    expect(first.flights).toBe(2);
    expect(first.turns.firstAtMs).toBeGreaterThan(Math.max(...ends));
    // Nor is one that is new to it, while those who were there have not come yet.
    const unknown = await third.pace.exchange(ask({ flights: { used: 0, wanted: 4 } }));
    expect(unknown.flights).toBe(0);
    expect((await other.pace.exchange(ask({ flights: held }))).flights).toBe(2);
    expect((await third.pace.exchange(ask({ flights: { used: 0, wanted: 4 } }))).flights).toBe(0);
    await house.close();
  });
});
