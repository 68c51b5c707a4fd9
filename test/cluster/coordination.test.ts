/** Who lives, who coordinates, and who is told to stop, over a real Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AbandonedPlaces } from '../../src/cluster/abandoned.ts';
import { RedisPaceOffice } from '../../src/cluster/pace-office.ts';
import { announce, enlist, listWorkers, type Presence } from '../../src/cluster/presence.ts';
import { openRedis, type RedisConnection } from '../../src/cluster/redis.ts';
import { claimPipeline, explainLost, findCoordinator, RunWish } from '../../src/cluster/run-claim.ts';
import { openShardQueue, serveShards } from '../../src/cluster/shard-queue.ts';
import type { Clock } from '../../src/domain/clock.ts';
import { silentLog } from '../../src/domain/log.ts';
import type { ShardOrder } from '../../src/domain/shard.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

/** Time that passes at once: what is watched for seconds is watched as often, and no longer. */
const hasty: Pick<Clock, 'monotonic' | 'now' | 'sleep'> = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  sleep: () => sleep(1),
};

describeReal('processes that meet in Redis', missingForRedis, () => {
  let redis: PrivateRedis;
  let open: { readonly connection: RedisConnection; readonly presence: Presence }[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterEach(async () => {
    for (const { connection, presence } of open) {
      await presence.close();
      connection.close();
    }
    open = [];
  });

  afterAll(async () => {
    await redis.stop();
  });

  async function enter(process: string, clock: Pick<Clock, 'monotonic' | 'now' | 'sleep'> = systemClock) {
    const connection = await openRedis(redis.settings, silentLog);
    const { client } = connection;
    const office = { client, prefix: redis.settings.prefix };
    const presence = await announce(office, process, clock);
    open.push({ connection, presence });
    return { ...office, process, presence, connection };
  }

  describe('presence', () => {
    it('tells those that live from those that left, by any of their parts', async () => {
      const [one, other] = [await enter('one'), await enter('other')];
      expect([await one.presence.isAlive('other/3'), await one.presence.isAlive('nobody')]).toEqual([
        true,
        false,
      ]);
      expect(other.presence.isHeard()).toBe(true);
      await other.presence.close();
      expect(await one.presence.isAlive('other')).toBe(false);
    });

    it('takes nobody for dead who says something while watched, and takes those who do not', async () => {
      const [one, other] = [await enter('one', hasty), await enter('other')];
      const alive = await enter('alive', hasty);
      expect(await one.presence.isDead('alive')).toBe(false);
      // Its key stands for seconds yet, as a killed process leaves it.
      other.connection.close();
      expect(await one.presence.isAlive('other')).toBe(true);
      expect(await one.presence.isDead('other')).toBe(true);
      expect(await one.presence.isDead('nobody')).toBe(true);
      expect(await alive.presence.isAlive('one')).toBe(true);
    });

    it('lists workers that live, and again once Redis has forgotten them or they were taken for dead', async () => {
      const one = await enter('one');
      const leave = await enlist(one, { process: 'one', places: 4, onReturn: one.presence.onReturn });
      const list = () => listWorkers(one, one.presence.isAlive);
      expect(await list()).toEqual([{ process: 'one', places: 4 }]);
      await one.client.flushall();
      await expect.poll(list, { timeout: 5000 }).toEqual([{ process: 'one', places: 4 }]);
      await leave();
      expect(await list()).toEqual([]);
    });

    it('knows when nobody hears of it any more', async () => {
      const time = { monotonic: 0, wall: 0 };
      let beatNow: () => void = () => undefined;
      const { presence } = await enter('one', {
        monotonic: () => time.monotonic,
        now: () => time.wall,
        sleep: () =>
          new Promise((resolve) => {
            beatNow = resolve;
          }),
      });
      expect([presence.isHeard(), presence.lapses()]).toEqual([true, 0]);
      let confirmed = 0;
      presence.onReturn(async () => {
        expect(presence.isHeard()).toBe(false);
        confirmed += 1;
      });
      beatNow();
      await systemClock.sleep(50);
      expect([presence.isHeard(), presence.lapses(), confirmed]).toEqual([true, 0, 0]);
      // It stood still: what it had in hand is void, also once it is heard of again.
      time.monotonic = 4001;
      expect(presence.isHeard()).toBe(false);
      beatNow();
      await expect.poll(() => [presence.isHeard(), presence.lapses(), confirmed]).toEqual([true, 1, 1]);
      // A machine that slept: one of its clocks knows.
      time.wall = 60_000;
      expect(presence.isHeard()).toBe(false);
      beatNow();
      await expect.poll(() => [presence.isHeard(), presence.lapses()]).toEqual([true, 2]);
      // Redis has forgotten it, though neither clock tells why.
      await open[0]?.connection.client.del(`${redis.settings.prefix}:process:one`);
      beatNow();
      await expect.poll(() => [presence.isHeard(), presence.lapses(), confirmed]).toEqual([true, 3, 3]);
      open = [];
    });
  });

  describe('a pipeline', () => {
    it('has one coordinator, until that gives it back or is dead', async () => {
      const [one, other] = [await enter('one', hasty), await enter('other', hasty)];
      const { giveBack } = await claimPipeline(one, 'nightly');
      expect(await findCoordinator(other, 'nightly')).toBe('one');
      await expect(claimPipeline(other, 'nightly')).rejects.toMatchObject({
        exitCode: 6,
        message:
          'pipeline "nightly": another run holds it: one. Wait until it has ended, or stop that process; a dead one holds nothing after some seconds.',
      });
      await claimPipeline(other, 'weekly');
      await giveBack();
      await claimPipeline(other, 'nightly');
      other.connection.close();
      const claims = await Promise.allSettled([
        claimPipeline(one, 'nightly'),
        claimPipeline(await enter('third', hasty), 'nightly'),
      ]);
      expect(claims.map(({ status }) => status).sort((a, b) => (a < b ? -1 : 1))).toEqual([
        'fulfilled',
        'rejected',
      ]);
    });
  });

  it('has no holder where Redis forgets a dead one while it is watched', async () => {
    const [one, other] = [await enter('one', hasty), await enter('other', hasty)];
    await claimPipeline(other, 'hourly');
    other.connection.close();
    const isDead = async (holder: string) => {
      await one.client.del(`${one.prefix}:coordinator:hourly`);
      return holder === 'other';
    };
    const presence = { isDead, onReturn: () => undefined };
    const { giveBack } = await claimPipeline({ ...one, presence }, 'hourly');
    expect(await findCoordinator(one, 'hourly')).toBe('one');
    await giveBack();
  });

  it('is lost to a coordinator that was not heard of for too long, and kept by one that nobody followed', async () => {
    let passedMs = 0;
    const frozen = await enter('frozen', { ...hasty, monotonic: () => passedMs });
    const { lost } = await claimPipeline(frozen, 'daily');
    const { client, prefix } = frozen;
    // Redis came back empty: the claim is made anew.
    await client.del(`${prefix}:coordinator:daily`);
    passedMs += 5000;
    await expect.poll(() => findCoordinator(frozen, 'daily')).toBe('frozen');
    expect(lost.aborted).toBe(false);
    await client.set(`${prefix}:coordinator:daily`, 'other');
    passedMs += 5000;
    await expect.poll(() => lost.aborted).toBe(true);
    expect(await findCoordinator(frozen, 'daily')).toBe('other');
    expect(explainLost('daily')).toMatchObject({
      exitCode: 6,
      message:
        'pipeline "daily": this process was not heard of for so long that another run has taken it over: what was under way is the other one\'s. Look there: mediasweep status daily.',
    });
  });

  describe('a run', () => {
    it('is stopped for everyone, and goes on when its coordinator says so', async () => {
      const [one, other] = [await enter('one'), await enter('other')];
      await new RunWish(one, 'run-1').stop();
      const wish = new RunWish(other, 'run-1');
      expect([await wish.isStopped(), await new RunWish(other, 'run-2').isStopped()]).toEqual([true, false]);
      await new RunWish(one, 'run-1').goOn();
      expect(await wish.isStopped()).toBe(false);
    });
  });

  describe('places of the dead', () => {
    it('are free once they have nothing in hand at two looks, and not before', async () => {
      const one = await enter('one');
      const met = new Set<string>();
      const { isAlive } = one.presence;
      const makeOffice = (process: string) =>
        new RedisPaceOffice({ ...one, process, clock: systemClock, isAlive, met });
      const limits = { concurrency: 4, perSecond: 100, maxOpenJobs: 10 };
      const ask = (used: number, wanted: number) => ({
        limit: 'qiniu',
        part: '',
        limits,
        turns: 0,
        flights: { used: 0, wanted: 0 },
        jobs: { used, wanted, grain: 1 },
        isThrottled: false,
        successes: 0,
        quietMs: 0,
      });
      await makeOffice('dead/2').exchange(ask(7, 7));
      await makeOffice('idle/0').exchange(ask(2, 2));
      const mine = makeOffice('one/0');
      expect((await mine.exchange(ask(0, 10))).jobs).toBe(1);
      const abandoned = new AbandonedPlaces({ ...one, isAlive, met });
      const all = async () => new Set(['dead', 'idle']);
      const some = async () => new Set(['dead']);
      const none = async () => new Set<string>();
      const swept = [];
      for (const busy of [all, some, all, some, none]) swept.push(await abandoned.sweep(busy));
      expect(swept).toEqual([[], [], [], [], ['idle']]);
      expect((await mine.exchange(ask(0, 10))).jobs).toBe(3);
      expect(await abandoned.sweep(none)).toEqual(['dead']);
      expect((await mine.exchange(ask(0, 10))).jobs).toBe(10);
    });
  });

  describe('the queue of shards', () => {
    it('hands each shard out once, however often it is offered, and again where that is asked for', async () => {
      const office = await enter('one');
      const queue = await openShardQueue(redis.settings, office, 'run-1', systemClock);
      const orders = Array.from({ length: 20 }, (_, index) => ({ run: 'run-1', number: index + 1 }));
      await queue.offer(orders);
      await queue.offer(orders);
      expect(await queue.count()).toEqual({ waiting: 20, active: 0 });
      const seen: number[] = [];
      const carryOut = async ({ number }: ShardOrder): Promise<'done' | 'again'> => {
        seen.push(number);
        if (number === 7 && seen.filter((one) => one === 7).length === 1) return 'again';
        if (number === 9 && seen.filter((one) => one === 9).length === 1) throw new Error('storage lost');
        return 'done';
      };
      const told: string[] = [];
      const log = { ...silentLog, warn: (message: string) => told.push(message) };
      const workers = await Promise.all(
        [0, 1].map(() =>
          serveShards(redis.settings, office, { places: 3, log, clock: systemClock }, carryOut),
        ),
      );
      await expect.poll(() => queue.count(), { timeout: 10_000 }).toEqual({ waiting: 0, active: 0 });
      await Promise.all(workers.map(({ drain }) => drain()));
      expect(seen.toSorted((a, b) => a - b)).toEqual(
        [...orders.map(({ number }) => number), 7, 9].sort((a, b) => a - b),
      );
      expect(told).toEqual(['shard 9 of run run-1 is offered again: storage lost']);
      await queue.close();
    });

    it('keeps runs apart: none waits for shards of another, and places are told apart', async () => {
      const office = await enter('one');
      const names = ['run-2', 'läufe: 3'];
      const queues = await Promise.all(
        names.map((run) => openShardQueue(redis.settings, office, run, systemClock)),
      );
      for (const [index, queue] of queues.entries()) {
        const run = names[index] ?? '';
        await queue.offer(Array.from({ length: 50 }, (_, number) => ({ run, number: number + 1 })));
      }
      const places = new Map<string, Set<number>>();
      const end = new AbortController();
      const carryOut = async ({ run }: ShardOrder, place: number): Promise<'done' | 'again'> => {
        const known = places.get(run) ?? new Set();
        places.set(run, known.add(place));
        await systemClock.sleep(60_000, end.signal);
        return 'done';
      };
      const serving = { places: 2, log: silentLog, clock: systemClock };
      const worker = await serveShards(redis.settings, office, serving, carryOut);
      await expect
        .poll(() => [...places.values()].map(({ size }) => size), { timeout: 10_000 })
        .toEqual([2, 2]);
      expect([...places.values()].flatMap((some) => [...some]).toSorted((a, b) => a - b)).toEqual([
        0, 1, 2, 3,
      ]);
      for (const queue of queues) await queue.remove();
      end.abort();
      await worker.drain();
      const left = await office.client.keys('*shards-*');
      expect(left.filter((key) => !key.includes('run-1'))).toEqual([]);
      for (const queue of queues) await queue.close();
    });
  });
});
