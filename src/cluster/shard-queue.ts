/**
 * Shards on their way to workers, over BullMQ. It may offer one twice, or lose one with its Redis: the ledger says who
 * holds a shard and whether it is done, and the coordinator offers again what is not.
 */
import type { Job, Queue, Worker } from 'bullmq';
import type { RedisSettings } from '../domain/cluster.ts';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../domain/log.ts';
import { describeError, wrongUse } from '../domain/problem.ts';
import type { ShardOrder } from '../domain/shard.ts';
import { makeOptions } from './redis.ts';

const queueName = 'shards';
/** A shard whose worker died is offered again within these two together. */
const lockMs = 5000;
const lookForStalledMs = 2000;
/** The ledger counts claims; BullMQ would give a shard up at the second crash. */
const mostStalls = 1_000_000_000;
/** Until whoever holds a shard elsewhere has ended, or is known to be dead. */
const againMs = 1000;

export interface ShardQueue {
  /** Those that are on offer already stay as they are. */
  readonly offer: (orders: readonly ShardOrder[]) => Promise<void>;
  /** Shards on offer, and those that workers have in hand. */
  readonly count: () => Promise<{ readonly waiting: number; readonly active: number }>;
  readonly close: () => Promise<void>;
}

export async function openShardQueue(settings: RedisSettings): Promise<ShardQueue> {
  const { Queue: Opened } = await loadPackage();
  const queue: Queue<ShardOrder> = new Opened(queueName, connect(settings));
  // The connection's own trouble is told by the one that others share; commands wait for it to be back.
  queue.on('error', () => undefined);
  return {
    offer: async (orders) => {
      await queue.addBulk(
        orders.map((order) => ({
          name: 'shard',
          data: order,
          opts: { jobId: `${order.run}_${order.number}`, removeOnComplete: true, removeOnFail: true },
        })),
      );
    },
    count: async () => {
      const {
        waiting = 0,
        delayed = 0,
        active = 0,
      } = await queue.getJobCounts('waiting', 'delayed', 'active');
      return { waiting: waiting + delayed, active };
    },
    close: () => queue.close(),
  };
}

/** Takes shards, as many at a time; `carryOut` says whether one is through with, or to be offered again. */
export async function serveShards(
  settings: RedisSettings,
  { places, log, clock }: { readonly places: number; readonly log: Log; readonly clock: Pick<Clock, 'now'> },
  carryOut: (order: ShardOrder, place: number) => Promise<'done' | 'again'>,
): Promise<{ readonly drain: () => Promise<void> }> {
  const { Worker: Opened, DelayedError } = await loadPackage();
  const free = Array.from({ length: places }, (_, index) => index);
  const perform = async (job: Job<ShardOrder>, token?: string) => {
    const place = free.shift() ?? places;
    try {
      if ((await carryOut(job.data, place)) === 'done') return;
    } catch (error) {
      log.warn(`shard ${job.data.number} of run ${job.data.run} is offered again: ${describeError(error)}`);
    } finally {
      free.push(place);
    }
    await job.moveToDelayed(clock.now() + againMs, token);
    throw new DelayedError();
  };
  const worker: Worker<ShardOrder> = new Opened(queueName, perform, {
    ...connect(settings),
    concurrency: places,
    lockDuration: lockMs,
    stalledInterval: lookForStalledMs,
    maxStalledCount: mostStalls,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', () => undefined);
  return { drain: () => worker.close() };
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
