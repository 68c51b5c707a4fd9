/** `mediasweep worker`: takes shards of runs that are coordinated elsewhere, and carries them out. */
import { setMaxListeners } from 'node:events';
import type { Places, WorkerFlags, WorkerWatch } from '../cli/spine.ts';
import { findFolders, type Folders } from '../config/open.ts';
import type { DispatchCounters } from '../dispatch/bench.ts';
import type { DispatchEnd } from '../dispatch/dispatcher.ts';
import { seeShard } from '../dispatch/sharded.ts';
import type { Ledger, RunLedger, RunRecord } from '../domain/ledger.ts';
import { describeError, Stop, wrongUse } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { Shard, ShardHalt, ShardOrder } from '../domain/shard.ts';
import { freeAbandoned } from './abandoned.ts';
import { type Cluster, withCluster } from './cluster.ts';
import { withLedger } from './ledger.ts';
import { openMedia } from './media.ts';
import { withOutput } from './output.ts';
import type { Outside } from './outside.ts';
import { reopen, tryReopen } from './reopen.ts';
import { openRelinks, type Relink, type Relinks } from './relinks.ts';
import { openSender, type Sender } from './sender.ts';
import { openSharedCallbacks, type SharedCallbacks } from './shared-callbacks.ts';
import { serveHealth, type WorkerState } from './worker-health.ts';

const lookMs = 1000;
/** How often it is seen whether a run goes on under other terms: so many looks. */
const looksForTerms = 3;
/** A shard that fails so often, crashes of workers included, halts its run. */
const mostClaimsInVain = 10;
/** A manifest that could not be read here is tried again so long after. */
const unreadableMs = 30_000;

interface Working {
  readonly outside: Outside;
  readonly folders: Folders;
  readonly places: Places;
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly flags: WorkerFlags;
  readonly watch: WorkerWatch;
  readonly callbacks: SharedCallbacks;
  /** Runs that this worker has joined. */
  readonly joined: Map<string, Promise<Joined>>;
  /** Manifests of runs that went on under other terms. */
  readonly former: Relinks[];
  /** Runs whose manifest could not be read here, and until when that is taken for granted. */
  readonly unreadable: Map<string, number>;
  readonly shards: WorkerState['shards'];
  /** Of shards under way; what the others counted is added up. */
  readonly senders: Set<Sender>;
  readonly counted: DispatchCounters;
}

interface Joined {
  /** What of the run may change while it goes on, above all its caps. */
  readonly terms: string;
  readonly pipeline: Pipeline;
  readonly opened: RunLedger;
  readonly relinks: Relinks | undefined;
}

/** Works until it is told to stop, and then ends what is under way within the grace. */
export async function work(
  outside: Outside,
  flags: WorkerFlags,
  places: Places,
  watch: WorkerWatch,
): Promise<void> {
  const folders = await findFolders(outside.folder, places);
  await withCluster(outside, folders, watch.log, async (cluster) => {
    const shards = cluster?.settings.shards;
    if (!cluster || !shards) {
      throw wrongUse(
        `mediasweep worker: expected shards in config/cluster.yaml, found ${cluster ? 'redis alone' : 'no such file'}. See docs/cluster.md.`,
      );
    }
    await withLedger(
      folders,
      outside,
      async (ledger) => {
        const callbacks = await openSharedCallbacks({
          clock: outside.clock,
          cluster,
          ledger,
          log: watch.log,
          reopen: (run) => tryReopen(outside, { run, folders, places, needsCredentials: true }),
          listen: flags.callbackListen,
          takesAll: true,
        });
        const working: Working = {
          outside,
          folders,
          places,
          cluster,
          ledger,
          flags,
          watch,
          callbacks,
          joined: new Map(),
          former: [],
          unreadable: new Map(),
          shards: { underway: 0, done: 0, failed: 0 },
          senders: new Set(),
          counted: { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 },
        };
        const health = await serveHealth(describe(working), flags.listen);
        const serving = await cluster.serveShards(
          { places: shards.perWorker, log: watch.log },
          (order, place) => carryOut(working, order, place),
        );
        const freeing = freeAbandoned(outside, cluster, ledger);
        const delist = await cluster.enlist(shards.perWorker);
        watch.log.info(`worker ${cluster.process} takes ${shards.perWorker} shards of each run at a time`);
        await untilAborted(outside.stop);
        watch.log.info('draining: calls in flight are given their grace, and shards go back');
        await serving.drain();
        await Promise.all([health.close(), callbacks.close(), leaveRuns(working), delist(), freeing]);
      },
      { log: watch.log },
    );
  });
}

function describe({ outside, cluster, ledger, shards, senders, counted }: Working): WorkerState {
  return {
    version: outside.version,
    process: cluster.process,
    isDraining: () => outside.stop.aborted,
    isHeard: cluster.presence.isHeard,
    lookAtLedger: () => ledger.listRuns(1),
    clock: outside.clock,
    shards,
    counters: () => [...senders].reduce((sum, { counters }) => addCounters(sum, counters), counted),
  };
}

function addCounters(one: DispatchCounters, other: DispatchCounters): DispatchCounters {
  const names = Object.keys(one) as (keyof DispatchCounters)[];
  return Object.fromEntries(
    names.map((name) => [name, one[name] + other[name]]),
  ) as unknown as DispatchCounters;
}

/** Whatever the queue says, the ledger decides whether the shard is ours. */
async function carryOut(working: Working, order: ShardOrder, place: number): Promise<'done' | 'again'> {
  const { cluster, ledger, watch, outside } = working;
  if (outside.stop.aborted || (await cluster.wishFor(order.run).isStopped())) return 'again';
  if ((working.unreadable.get(order.run) ?? 0) > outside.clock.monotonic()) {
    // Others are to have it, and not to find the queue empty because of us.
    await outside.clock.sleep(lookMs, outside.stop);
    return 'again';
  }
  // What is claimed now is ours until this process is not heard of for too long.
  const lapses = cluster.presence.lapses();
  const shard = await claim(working, order);
  if (shard === 'done' || shard === 'again') return shard;
  const { log } = watch;
  const facts = { run: order.run, shard: order.number };
  log.info(`shard ${order.number} begins`, { ...facts, claim: shard.claims });
  const leave = (isDone: boolean, halts: readonly ShardHalt[]) =>
    ledger.leaveShard({ ...order, holder: cluster.process, isDone, halts });
  working.shards.underway += 1;
  let isDone = false;
  try {
    const joined = await join(working, order.run);
    const relink = await readLinks(working, order, joined, shard);
    if (relink === 'unreadable') {
      await leave(false, []);
      return 'again';
    }
    const { isStopped, halts } = await dispatchShard(working, order, {
      shard,
      place,
      joined,
      relink,
      lapses,
    });
    await leave(!isStopped, halts);
    isDone = !isStopped;
    log.info(`shard ${order.number} ${isStopped ? 'goes back' : 'is done'}`, facts);
    return isStopped ? 'again' : 'done';
  } catch (error) {
    // What is wrong with one machine another one may do without; what is wrong with all ends the run.
    const isEnough = shard.claims >= mostClaimsInVain;
    await leave(isEnough, [{ account: `worker ${cluster.process}`, reason: describeError(error) }]);
    if (isEnough) return 'done';
    throw error;
  } finally {
    working.shards.underway -= 1;
    working.shards[isDone ? 'done' : 'failed'] += 1;
  }
}

async function claim({ cluster, ledger }: Working, order: ShardOrder): Promise<Shard | 'done' | 'again'> {
  const holder = cluster.process;
  const first = await ledger.claimShard({ ...order, holder });
  if (first.is !== 'held') return first.is === 'claimed' ? first.shard : 'done';
  // A call that a living process has in flight would be sent again by us.
  if (!(await cluster.presence.isDead(first.holder))) return 'again';
  const second = await ledger.claimShard({ ...order, holder, from: first.holder });
  return second.is === 'claimed' ? second.shard : 'again';
}

/** `undefined` for a source whose links are made of what the ledger holds. */
async function readLinks(
  working: Working,
  { run }: ShardOrder,
  { opened, relinks }: Joined,
  shard: Shard,
): Promise<Relink | 'unreadable' | undefined> {
  try {
    return await relinks?.open(opened, shard);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const { cluster, watch, outside, unreadable } = working;
    unreadable.set(run, outside.clock.monotonic() + unreadableMs);
    watch.log.warn(`shards of run ${run} are left to others: ${error.message}`);
    await cluster.wishFor(run).tellTrouble(cluster.process, error.message);
    return 'unreadable';
  }
}

interface Dispatching {
  readonly shard: Shard;
  readonly place: number;
  readonly joined: Joined;
  readonly relink: Relink | undefined;
  /** How often this process had not been heard of when it claimed the shard. */
  readonly lapses: number;
}

async function dispatchShard(
  working: Working,
  order: ShardOrder,
  { shard, place, joined, relink, lapses }: Dispatching,
): Promise<DispatchEnd> {
  const { outside, folders, places, cluster, ledger, flags, watch, callbacks } = working;
  const { pipeline, opened } = joined;
  const ending = new AbortController();
  const stop = AbortSignal.any([outside.stop, ending.signal]);
  setMaxListeners(0, stop);
  const watching = watchRun(working, order.run, { terms: joined.terms, lapses }, ending);
  const media = openMedia(pipeline, outside.clock);
  try {
    return await withOutput(outside, { pipeline, folders, places }, async (output) => {
      const pace = cluster.sharePace(place);
      const session = {
        pipeline,
        folders,
        ledger,
        opened,
        places,
        output,
        pace,
        tasksBefore: [],
        deadline: ending.signal,
        flags: { path: pipeline.path, graceMs: flags.graceMs },
        watch: { log: watch.log, begun: () => undefined, follow: () => undefined },
        isAtWork: (name: string) => cluster.isAtWork(name, ledger),
        mayCall: () => cluster.presence.isHeard() && cluster.presence.lapses() === lapses,
      };
      const sender = await openSender(outside, session, media, stop, async (hint) => {
        const { services } = pipeline;
        const opening = await callbacks.open(order.run, services, hint);
        // What the former holder was called back for, and could not read any more.
        const past = shard.claims > 1 ? await callbacks.readPast(order.run) : [];
        for (const { account, ref } of past) hint({ name: account }, ref);
        return opening;
      });
      working.senders.add(sender);
      try {
        return await sender.send(seeShard(opened, shard, relink), nothing, true);
      } finally {
        working.senders.delete(sender);
        Object.assign(working.counted, addCounters(working.counted, sender.counters));
        await sender.close();
        await pace.leave();
      }
    });
  } finally {
    watching.end();
    await media.close();
  }
}

/** The pipeline as the run goes on with, and with the config of this machine. */
async function join(working: Working, run: string): Promise<Joined> {
  const terms = await readTerms(working, run);
  const known = working.joined.get(run);
  if (known) {
    const joined = await known;
    if (joined.terms === terms) return joined;
    if (joined.relinks) working.former.push(joined.relinks);
    // Another shard may have joined it anew meanwhile.
    if (working.joined.get(run) !== known) return await join(working, run);
  }
  const joining = joinRun(working, run, terms);
  working.joined.set(run, joining);
  joining.catch(() => working.joined.delete(run));
  return await joining;
}

/** A run may be gone on with under other caps and limits, which apply at once. */
async function readTerms({ ledger }: Working, run: string): Promise<string> {
  const record = await ledger.findRun(run);
  const { caps } = await ledger.readSpending(run);
  return JSON.stringify([record?.hash, caps.map(({ name, sku, limit }) => [name, sku, String(limit)])]);
}

async function joinRun(
  { outside, folders, places, ledger }: Working,
  run: string,
  terms: string,
): Promise<Joined> {
  const record = (await ledger.findRun(run)) as RunRecord;
  const pipeline = await reopen(outside, { run: record, folders, places, needsCredentials: true });
  const billing = new Map(pipeline.services.map(({ account }) => [account.name, account.billing]));
  const opened = await ledger.openRun({ pipeline, nowMs: outside.clock.now(), billing, joins: run });
  return { terms, pipeline, opened, relinks: openRelinks(outside, pipeline) };
}

/** Lets the manifests of its runs go. */
async function leaveRuns({ joined, former }: Working): Promise<void> {
  const runs = await Promise.allSettled(joined.values());
  const current = runs.flatMap((run) => (run.status === 'fulfilled' ? (run.value.relinks ?? []) : []));
  await Promise.all([...former, ...current].map((relinks) => relinks.close()));
}

/**
 * The coordinator may want the run to stop, or go on under other terms; where it is dead, the shard goes on. What was in
 * hand while nobody heard of this process may be someone else's by now.
 */
function watchRun(
  working: Working,
  run: string,
  { terms, lapses }: Pick<Joined, 'terms'> & { readonly lapses: number },
  ending: AbortController,
) {
  const { outside, cluster } = working;
  const watched = new AbortController();
  const wish = cluster.wishFor(run);
  const watching = (async () => {
    for (let looks = 1; !watched.signal.aborted; looks += 1) {
      if (await wish.isStopped().catch(() => false)) ending.abort('stopped');
      if (cluster.presence.lapses() !== lapses) ending.abort('unheard');
      const now = looks % looksForTerms === 0 ? await readTerms(working, run).catch(() => terms) : terms;
      if (now !== terms) ending.abort('changed');
      await outside.clock.sleep(lookMs, watched.signal);
    }
  })();
  return {
    end: () => {
      watched.abort();
      void watching;
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function* nothing(): AsyncGenerator<never> {
  // All of it stands in the ledger.
}
