/**
 * Shards on their way to workers, over BullMQ: a queue for each run, so that no run waits for another one's shards. It may
 * offer one twice, or lose one with its Redis: the ledger says who holds a shard and whether it is done, and the
 * coordinator offers again what is not.
 */
import type { Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../domain/cluster.ts';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../domain/log.ts';
import { describeError, wrongUse } from '../domain/problem.ts';
import type { ShardOrder } from '../domain/shard.ts';
import { makeOptions } from './redis.ts';

/** A shard whose worker died is offered again within these two together. */
const lockMs = 5000;
const lookForStalledMs = 2000;
/** The ledger counts claims; BullMQ would give a shard up at the second crash. */
const mostStalls = 1_000_000_000;
/** Until whoever holds a shard elsewhere has ended, or is known to be dead. */
const againMs = 1000;
/** How often workers look which runs there are. */
const lookMs = 500;
/** A run that a Redis does not name may be one that it has forgotten, and is told of again. */
const missedMs = 10_000;
/**
 * BullMQ waits for ever where it is closed while it makes its connection anew (6.7.0, seen 2026-11-20). What it had in hand
 * has ended by then.
 */
const closeWithinMs = 5000;
/** A run whose coordinator died is left to workers for so long; it is not gone on with by itself after that. */
const orphanedMs = 24 * 60 * 60_000;

interface Office {
  readonly client: Redis;
  readonly prefix: string;
}

export interface ShardQueue {
  /** Those that are on offer already stay as they are. */
  readonly offer: (orders: readonly ShardOrder[]) => Promise<void>;
  /** Shards on offer, and those that workers have in hand. */
  readonly count: () => Promise<{ readonly waiting: number; readonly active: number }>;
  /** The coordinator is through with its run: nothing is offered any more. */
  readonly remove: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The queue of one run. */
export async function openShardQueue(
  settings: RedisSettings,
  { client, prefix }: Office,
  run: string,
  clock: Pick<Clock, 'now'>,
): Promise<ShardQueue> {
  const { Queue: Opened } = await loadPackage();
  const queue: Queue<ShardOrder> = new Opened(nameQueue(run), {
    ...connect(settings),
    // Nobody reads them.
    streams: { events: { maxLen: 10 } },
  });
  // The connection's own trouble is told by the one that others share; commands wait for it to be back.
  queue.on('error', () => undefined);
  const key = `${prefix}:runs`;
  return {
    offer: async (orders) => {
      await queue.addBulk(
        orders.map((order) => ({
          name: 'shard',
          data: order,
          opts: { jobId: `shard_${order.number}`, removeOnComplete: true, removeOnFail: true },
        })),
      );
      const nowMs = clock.now();
      await client
        .multi()
        .zadd(key, nowMs, run)
        .zremrangebyscore(key, 0, nowMs - orphanedMs)
        .exec();
    },
    count: async () => {
      const {
        waiting = 0,
        delayed = 0,
        active = 0,
      } = await queue.getJobCounts('waiting', 'delayed', 'active');
      return { waiting: waiting + delayed, active };
    },
    remove: async () => {
      if (client.status !== 'ready') return;
      await client.zrem(key, run).catch(() => undefined);
      await queue.obliterate({ force: true }).catch(() => undefined);
    },
    close: () => queue.close(),
  };
}

interface Serving {
  /** Shards of one run at a time. */
  readonly places: number;
  readonly log: Log;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>;
}

/**
 * Takes shards of all runs, of each as many at a time. `carryOut` says whether one is through with, or to be offered again;
 * no two that are under way have the same place.
 */
export async function serveShards(
  settings: RedisSettings,
  { client, prefix }: Office,
  { places, log, clock }: Serving,
  carryOut: (order: ShardOrder, place: number) => Promise<'done' | 'again'>,
): Promise<{ readonly drain: () => Promise<void> }> {
  const { Worker: Opened, DelayedError } = await loadPackage();
  const taken = new Map<number, string>();
  const isUnderWay = (run: string) => [...taken.values()].includes(run);
  const perform = async (job: Job<ShardOrder>, token?: string) => {
    let place = 0;
    while (taken.has(place)) place += 1;
    taken.set(place, job.data.run);
    try {
      if ((await carryOut(job.data, place)) === 'done') return;
    } catch (error) {
      log.warn(`shard ${job.data.number} of run ${job.data.run} is offered again: ${describeError(error)}`);
    } finally {
      taken.delete(place);
    }
    await job.moveToDelayed(clock.now() + againMs, token);
    throw new DelayedError();
  };
  const open = (run: string): Worker<ShardOrder> => {
    const worker: Worker<ShardOrder> = new Opened(nameQueue(run), perform, {
      ...connect(settings),
      concurrency: places,
      lockDuration: lockMs,
      stalledInterval: lookForStalledMs,
      maxStalledCount: mostStalls,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on('error', () => undefined);
    return worker;
  };
  const workers = new Map<string, Worker<ShardOrder>>();
  const ending = new AbortController();
  const leaving = new Set<Promise<void>>();
  const close = async (run: string, worker: Worker<ShardOrder>): Promise<void> => {
    const closed = new AbortController();
    void worker.close().finally(() => closed.abort());
    while (!closed.signal.aborted && isUnderWay(run)) await clock.sleep(lookMs, closed.signal);
    await clock.sleep(closeWithinMs, closed.signal);
    if (!closed.signal.aborted) void worker.disconnect().catch(() => undefined);
  };
  const leave = (run: string, worker: Worker<ShardOrder>): void => {
    workers.delete(run);
    const left: Promise<void> = close(run, worker).finally(() => leaving.delete(left));
    leaving.add(left);
  };
  const seenMs = new Map<string, number>();
  const isGone = (run: string) => !isUnderWay(run) && clock.monotonic() - (seenMs.get(run) ?? 0) > missedMs;
  const looking = (async () => {
    while (!ending.signal.aborted) {
      // Where Redis is away this waits until it is back.
      const runs = await client.zrange(`${prefix}:runs`, 0, -1).catch(() => undefined);
      if (runs && !ending.signal.aborted) {
        for (const run of runs) {
          seenMs.set(run, clock.monotonic());
          if (!workers.has(run)) workers.set(run, open(run));
        }
        for (const [run, worker] of workers) {
          if (runs.includes(run) || !isGone(run)) continue;
          seenMs.delete(run);
          leave(run, worker);
        }
      }
      await clock.sleep(lookMs, ending.signal);
    }
  })();
  return {
    drain: async () => {
      ending.abort();
      for (const [run, worker] of workers) leave(run, worker);
      await Promise.all(leaving);
      // Who waits for a Redis that is away would wait for ever.
      if (client.status === 'ready') await looking;
    },
  };
}

/** BullMQ takes no colons. */
function nameQueue(run: string): string {
  return `shards-${encodeURIComponent(run)}`;
}

function connect(settings: RedisSettings) {
  return {
    connection: { ...makeOptions(settings), maxRetriesPerRequest: null },
    prefix: `${settings.prefix}:queue`,
  };
}

async function loadPackage() {
  try {
    return await import('bullmq');
  } catch (error) {
    throw wrongUse(
      `config/cluster.yaml names shards, and the package "bullmq" cannot be loaded: "${describeError(error)}". Install it: npm install bullmq ioredis.`,
    );
  }
}
