/** What a process shares with those on other machines, where `config/cluster.yaml` says so. */
import { hostname } from 'node:os';
import { type CallbackPost, openCallbackPost } from '../cluster/callback-post.ts';
import { AbandonedPlaces } from '../cluster/abandoned.ts';
import { readPaceBoard, RedisPaceOffice } from '../cluster/pace-office.ts';
import { announce, enlist, listWorkers, type Presence } from '../cluster/presence.ts';
import { openRedis } from '../cluster/redis.ts';
import { claimPipeline, findCoordinator, type PipelineClaim, RunWish } from '../cluster/run-claim.ts';
import { openShardQueue, serveShards, type ShardQueue } from '../cluster/shard-queue.ts';
import { type Folders, openCluster } from '../config/open.ts';
import type { ClusterSettings } from '../domain/cluster.ts';
import type { Ledger } from '../domain/ledger.ts';
import type { Log } from '../domain/log.ts';
import type { PaceOffice } from '../domain/pace.ts';
import type { ShardOrder } from '../domain/shard.ts';
import type { Outside } from './outside.ts';

export interface Cluster {
  readonly settings: ClusterSettings;
  /** The name of this process, which no other has had or will have. */
  readonly process: string;
  readonly presence: Pick<Presence, 'isAlive' | 'isDead' | 'isHeard' | 'lapses'>;
  /** Where limits are shared with all machines; each part of this process that calls comes on its own. */
  readonly sharePace: (part?: number) => PaceOffice & { readonly leave: () => Promise<void> };
  /** Throws a `Stop` with exit 6 where another process coordinates the pipeline. */
  readonly claimPipeline: (pipeline: string) => Promise<PipelineClaim>;
  /** Whether its coordinator, or a worker on one of its shards, lives. */
  readonly isAtWork: (pipeline: string, ledger: Pick<Ledger, 'listHolders'>) => Promise<boolean>;
  /** The process that coordinates a pipeline, alive or not. */
  readonly findCoordinator: (pipeline: string) => Promise<string | undefined>;
  readonly abandoned: AbandonedPlaces;
  readonly wishFor: (run: string) => RunWish;
  /** The queue that a coordinator offers its run's shards in. */
  readonly openShardQueue: (run: string) => Promise<ShardQueue>;
  readonly serveShards: (
    options: { readonly places: number; readonly log: Log },
    carryOut: (order: ShardOrder, place: number) => Promise<'done' | 'again'>,
  ) => ReturnType<typeof serveShards>;
  /** Has this process listed as a worker with so many places; answers what ends it. */
  readonly enlist: (places: number) => Promise<() => Promise<void>>;
  readonly listWorkers: () => ReturnType<typeof listWorkers>;
  /** The board of a shared limit, with the time of its clock. */
  readonly readPaceBoard: (limit: string) => ReturnType<typeof readPaceBoard>;
  /** Hands callbacks on to whoever watches their jobs. */
  readonly post: Omit<CallbackPost, 'close'>;
}

/**
 * Opens it for as long as it is used; gives nothing where this machine is alone.
 *
 * @throws `Stop`: exit 2 where the file is not in order, or Redis refuses us, exit 3 where it cannot be reached
 */
export async function withCluster<Value>(
  { clock, environment, processId }: Outside,
  folders: Folders,
  log: Log,
  use: (cluster: Cluster | undefined) => Promise<Value>,
): Promise<Value> {
  const settings = await openCluster(folders.config, environment);
  if (!settings) return await use(undefined);
  const { prefix } = settings.redis;
  const { client, close } = await openRedis(settings.redis, log);
  try {
    const process = `${hostname()}:${processId}:${clock.now().toString(36)}`;
    const presence = await announce({ client, prefix }, process, clock);
    const { isAlive } = presence;
    const met = new Set<string>();
    const post = openCallbackPost({ client, prefix, clock });
    try {
      return await use({
        settings,
        process,
        presence,
        sharePace: (part = 0) => {
          const name = `${process}/${part}`;
          return new RedisPaceOffice({ client, prefix, process: name, clock, isAlive, met });
        },
        claimPipeline: (pipeline) => claimPipeline({ client, prefix, process, presence }, pipeline),
        isAtWork: async (pipeline, ledger) => {
          const coordinator = await findCoordinator({ client, prefix }, pipeline);
          const holders = await ledger.listHolders(pipeline);
          const names = [
            ...(coordinator === undefined ? [] : [coordinator]),
            ...holders.map((one) => one.holder),
          ];
          return (await Promise.all(names.map(isAlive))).includes(true);
        },
        openShardQueue: (run) => openShardQueue(settings.redis, { client, prefix }, run, clock),
        serveShards: (options, carryOut) =>
          serveShards(settings.redis, { client, prefix }, { ...options, clock }, carryOut),
        enlist: (places) => enlist({ client, prefix }, { process, places, onReturn: presence.onReturn }),
        listWorkers: () => listWorkers({ client, prefix }, isAlive),
        readPaceBoard: (limit) => readPaceBoard({ client, prefix }, limit),
        findCoordinator: (pipeline) => findCoordinator({ client, prefix }, pipeline),
        abandoned: new AbandonedPlaces({ client, prefix, isAlive, met }),
        wishFor: (run) => new RunWish({ client, prefix }, run),
        post,
      });
    } finally {
      post.close();
      await presence.close();
    }
  } finally {
    close();
  }
}
