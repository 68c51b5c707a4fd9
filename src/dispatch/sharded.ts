/** A run's ledger as a dispatch sees it that carries out one part of the run while others carry out the rest. */
import type { RunLedger } from '../domain/ledger.ts';
import type { TaskRange } from '../domain/shard.ts';
import type { Task } from '../domain/task.ts';
import type { BenchLedger } from './bench.ts';
import { seeParked } from './parked.ts';

const nothingWaits = async () => ({ released: 0, waiting: 0 });

/**
 * As a worker does: the tasks of its shard, and what their former holder left open. What waits for other shards and other
 * pipelines is the coordinator's.
 */
export function seeShard(
  run: RunLedger,
  shard: TaskRange,
  /** Gives tasks the links that the ledger does not keep. */
  relink?: (tasks: readonly Task[]) => Promise<readonly Task[]>,
): BenchLedger {
  return {
    ...seeParked(run),
    get spending() {
      return run.spending;
    },
    readReady: async (service, after, limit) => {
      const tasks = await run.readReady(service, after, limit, shard);
      return relink ? await relink(tasks) : tasks;
    },
    readOrphans: (after, limit) => run.readOrphans(after, limit, shard),
    reopenAskable: async () => 0,
    readWaitedFor: async () => [],
    releaseWaiting: nothingWaits,
  };
}

/** As a coordinator does at first: what earlier runs of the pipeline left open, and no task of this one. */
export function seeFormer(run: RunLedger): BenchLedger {
  return {
    ...seeParked(run),
    get spending() {
      return run.spending;
    },
    readReady: async () => [],
    readOrphans: (after, limit) => run.readOrphans(after, limit, 'other-runs'),
    readWaitedFor: async () => [],
    releaseWaiting: nothingWaits,
  };
}

/** As a coordinator does once the shards are done: tasks that wait for other pipelines, until nobody is at work on those. */
export function seeWaiting(run: RunLedger): BenchLedger {
  return {
    ...seeParked(run),
    get spending() {
      return run.spending;
    },
    readReady: async () => [],
    readOrphans: async () => [],
    reopenAskable: async () => 0,
  };
}
