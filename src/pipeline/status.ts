/** `status`: where runs stand, who is at work on them, and how far the limits that they share are used. */
import type {
  LimitPace,
  Places,
  ShardsResult,
  StatusReport,
  StatusResult,
  WorkerResult,
} from '../cli/spine.ts';
import { type Folders, findFolders, openCluster, openPrices } from '../config/open.ts';
import type { Ledger, RunRecord } from '../domain/ledger.ts';
import { silentLog } from '../domain/log.ts';
import { boundsPace, nameLimit, readBoard } from '../domain/pace.ts';
import { Stop } from '../domain/problem.ts';
import type { Limits, ServiceUse } from '../domain/settings.ts';
import type { Shard } from '../domain/shard.ts';
import { isRunLocked } from '../store/run-lock.ts';
import { catalogue } from '../vendors/index.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { findRun, withLedger } from './ledger.ts';
import type { Outside } from './outside.ts';
import { tryReopen } from './reopen.ts';
import { listUnderway } from './underway.ts';

const shownRuns = 20;

interface Looking {
  readonly outside: Outside;
  readonly folders: Folders;
  readonly places: Places;
  readonly ledger: Ledger;
  /** Where machines share limits, and Redis answers. */
  readonly cluster: Cluster | undefined;
  readonly hasShards: boolean;
}

export async function status(
  outside: Outside,
  selector: string | undefined,
  places: Places,
): Promise<StatusReport> {
  const { folder, environment } = outside;
  const folders = await findFolders(folder, places);
  const book = await openPrices({ configFolder: folders.config, environment, catalogue });
  const hasShards = (await openCluster(folders.config, environment))?.shards !== undefined;
  return await withLedger(folders, outside, async (ledger) => {
    const found =
      selector === undefined ? await ledger.listRuns(shownRuns) : [await findRun(ledger, selector)];
    return await withClusterIfThere(outside, folders, async (cluster) => {
      const looking = { outside, folders, places, ledger, cluster, hasShards };
      const look = async (run: RunRecord): Promise<StatusResult> => {
        const isAlive = run.state === 'running' && (await isAtWork(looking, run.pipeline));
        const shards = hasShards ? await ledger.listShards(run.id) : [];
        return {
          run,
          isAlive,
          tasks: await ledger.countTasks(run.id),
          bill: await ledger.readBill(run.id, book),
          spending: await ledger.readSpending(run.id),
          shards: await countShards(shards, cluster),
          pace: isAlive ? await readPace(looking, run) : undefined,
        };
      };
      const runs = await Promise.all(found.map(look));
      const workers = cluster && hasShards ? await listWorkers(cluster, ledger) : undefined;
      return { runs, workers };
    });
  });
}

/** Where runs stand can be told without Redis. */
async function withClusterIfThere<Value>(
  outside: Outside,
  folders: Folders,
  use: (cluster: Cluster | undefined) => Promise<Value>,
): Promise<Value> {
  let isThere = false;
  try {
    return await withCluster(outside, folders, silentLog, (cluster) => {
      isThere = true;
      return use(cluster);
    });
  } catch (error) {
    if (isThere || !(error instanceof Stop)) throw error;
    return await use(undefined);
  }
}

/** On any machine where machines share what they know; else on this one. */
async function isAtWork({ folders, cluster, ledger }: Looking, pipeline: string): Promise<boolean> {
  if (await isRunLocked(folders.state, pipeline)) return true;
  return (await cluster?.isAtWork(pipeline, ledger)) ?? false;
}

/** What a dead process holds waits for another one. */
async function countShards(
  shards: readonly Shard[],
  cluster: Cluster | undefined,
): Promise<ShardsResult | undefined> {
  if (shards.length === 0) return undefined;
  const done = shards.filter(({ isDone }) => isDone).length;
  const named = shards.flatMap(({ holder }) => holder ?? []);
  const alive = await Promise.all(
    named.map(async (holder) => (await cluster?.presence.isAlive(holder)) ?? true),
  );
  const holders = named.filter((_, index) => alive[index]);
  return {
    total: shards.length,
    done,
    underway: holders.length,
    waiting: shards.length - done - holders.length,
    workers: [...new Set(holders)],
  };
}

async function listWorkers(cluster: Cluster, ledger: Ledger): Promise<readonly WorkerResult[]> {
  const workers = await cluster.listWorkers();
  const held = new Map<string, number>();
  for (const { id } of await listUnderway(ledger)) {
    for (const { holder = '' } of await ledger.listShards(id)) held.set(holder, (held.get(holder) ?? 0) + 1);
  }
  return workers.map(({ process, places }) => ({ process, places, shards: held.get(process) ?? 0 }));
}

/** Nothing where the pipeline is not in order any more. */
async function readPace(
  { outside, folders, places, ledger, cluster }: Looking,
  run: RunRecord,
): Promise<readonly LimitPace[] | undefined> {
  const pipeline = await tryReopen(outside, { run, folders, places });
  if (!pipeline) return undefined;
  const limits = new Map(pipeline.services.flatMap(listLimits).map((one) => [one.name, one]));
  return await Promise.all(
    [...limits.values()].map(async ({ name, account, service, bounds }) => {
      const { board, nowMs } = (await cluster?.readPaceBoard(name)) ?? {
        board: await ledger.readPaceBoard(name),
        nowMs: outside.clock.monotonic(),
      };
      return { account, ...(service !== undefined && { service }), ...readBoard(board, bounds, nowMs) };
    }),
  );
}

interface Bounds {
  readonly name: string;
  readonly account: string;
  readonly service?: string;
  readonly bounds: Limits;
}

/** Those of its account, and its own where it has some. */
function listLimits({ account, service, name, limits }: ServiceUse): readonly Bounds[] {
  const common = { name: nameLimit(account), account: account.name, bounds: account.limits };
  if (!limits || !boundsPace(limits)) return [common];
  const own = { ...account.limits, ...limits };
  return [
    common,
    { name: nameLimit(account, service.name), account: account.name, service: name, bounds: own },
  ];
}
