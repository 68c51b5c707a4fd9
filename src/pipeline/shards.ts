/**
 * The coordinator of a run that workers carry out: it plans the source, cuts the tasks into shards, offers them, and waits
 * until the ledger says that all are done. It may die and begin again anywhere: what it needs stands in the ledger.
 */
import { setMaxListeners } from 'node:events';
import type { ShardQueue } from '../cluster/shard-queue.ts';
import { findCalledBack } from '../dispatch/callback.ts';
import type { DispatchEnd, Halt } from '../dispatch/dispatcher.ts';
import { seeParked } from '../dispatch/parked.ts';
import { seeFormer, seeShard, seeWaiting } from '../dispatch/sharded.ts';
import type { TaskCount } from '../domain/ledger.ts';
import type { Spending } from '../domain/caps.ts';
import type { Shard } from '../domain/shard.ts';
import { type SessionEnd, tryCanary } from './canary.ts';
import type { Cluster } from './cluster.ts';
import { type Feed, openFeed } from './feed.ts';
import { openMedia } from './media.ts';
import type { Outside } from './outside.ts';
import { openRelinks, type Relinks } from './relinks.ts';
import { tryReopen } from './reopen.ts';
import { openSender, type Sender } from './sender.ts';
import { openSharedCallbacks } from './shared-callbacks.ts';
import type { Session } from './session.ts';

const lookMs = 1000;
/** What the queue may have lost is offered again as often as this. */
const offerAgainMs = 5000;
const mostOffers = 500;
const lonelyMs = 30_000;
/** A manifest that workers told they cannot read is left to them for so long, in case another one can. */
const refusedMs = 3000;

interface Coordinating {
  readonly outside: Outside;
  readonly session: Session;
  readonly cluster: Cluster;
  readonly shardTasks: number;
  readonly queue: ShardQueue;
  readonly feed: Feed;
  readonly sender: Sender;
  /** Present where the ledger does not keep all links. */
  readonly relinks: Relinks | undefined;
  /** Aborts when nothing more may be begun. */
  readonly stop: AbortSignal;
}

export async function dispatchShards(
  outside: Outside,
  session: Session,
  cluster: Cluster,
  shardTasks: number,
): Promise<SessionEnd> {
  const { pipeline, ledger, opened, flags, folders, places, watch } = session;
  const { clock } = outside;
  const { log } = watch;
  const run = opened.record.id;
  const stop = AbortSignal.any([outside.stop, session.deadline]);
  setMaxListeners(0, stop);
  const wish = cluster.wishFor(run);
  await wish.goOn();
  await settleFormer(outside, session, cluster);
  const media = openMedia(pipeline, clock);
  const queue = await cluster.openShardQueue(run);
  try {
    const callbacks = await openSharedCallbacks({
      clock,
      cluster,
      ledger,
      log,
      reopen: (record) => tryReopen(outside, { run: record, folders, places, needsCredentials: true }),
      listen: undefined,
      takesAll: findCalledBack(pipeline.services).length > 0,
    });
    const sender = await openSender(outside, session, media, stop, (hint) =>
      callbacks.open(run, pipeline.services, hint),
    );
    try {
      const feed = openFeed(outside, session, media, stop);
      const relinks = openRelinks(outside, pipeline);
      const parts = { outside, session, cluster, shardTasks, queue, feed, sender, relinks, stop };
      const progress = await followLedger(parts);
      try {
        let isParked = false;
        const end = await tryCanary({
          pipeline,
          opened,
          isOverridden: flags.resumeAnyAge === true,
          nowMs: () => clock.now(),
          log,
          park: () => {
            isParked = true;
            return feed.planOnly();
          },
          sendAhead: (items) => sender.send(seeParked(opened, 'canary'), () => feed.readParked(items)),
        });
        if (end) return end;
        await ledger.reopenShards(run, true);
        return await coordinate(parts, isParked);
      } finally {
        progress.close();
        await relinks?.close();
      }
    } finally {
      await Promise.all([sender.close(), callbacks.close()]);
    }
  } finally {
    // What is left of the run is offered anew by whoever goes on with it.
    if (session.isLost?.() !== true) await queue.remove();
    await queue.close();
    await media.close();
  }
}

/** Workers on other runs of the pipeline are told to stop, and waited for: what they have under way is not ours to take. */
export async function settleFormer(
  { clock, stop }: Outside,
  { pipeline, ledger, opened, watch: { log } }: Pick<Session, 'pipeline' | 'ledger' | 'opened' | 'watch'>,
  cluster: Cluster,
  isWhole = false,
): Promise<void> {
  const told = new Set<string>();
  for (;;) {
    const holders = await ledger.listHolders(pipeline.name);
    const others = holders.filter(({ run }) => isWhole || run !== opened.record.id);
    const alive = await Promise.all(others.map(({ holder }) => cluster.presence.isAlive(holder)));
    const left = others.filter((_, index) => alive[index]);
    if (left.length === 0 || stop.aborted) return;
    for (const { run, holder } of left) {
      if (told.has(holder)) continue;
      told.add(holder);
      log.info(`waiting for worker ${holder}, which ends what it has under way of run ${run}`);
      await cluster.wishFor(run).stop();
    }
    await clock.sleep(lookMs, stop);
  }
}

async function coordinate(parts: Coordinating, isPlanned: boolean): Promise<SessionEnd> {
  const { session, sender, feed, stop } = parts;
  const { ledger, opened } = session;
  const run = opened.record.id;
  const former = sender.send(seeFormer(opened), nothing);
  const planning = isPlanned ? Promise.resolve(undefined) : feed.planOnly();
  const cutting = keepCutting(parts, planning);
  const [cut, formerEnd] = await Promise.all([planning, former, cutting]);
  const ends: DispatchEnd[] = [formerEnd, ...(cut ? [cut] : [])];
  for (;;) {
    ends.push(...(await waitForWorkers(parts)));
    if (stop.aborted) break;
    ends.push(await sender.send(seeWaiting(opened), nothing));
    if (stop.aborted || (await ledger.reopenShards(run, false)) === 0) break;
  }
  if (stop.aborted && session.isLost?.() !== true) await endWorkers(parts);
  const shards = await ledger.listShards(run);
  return {
    halts: mergeHalts([...ends.flatMap(({ halts }) => halts), ...shards.flatMap(({ halts }) => halts)]),
    isStopped: stop.aborted,
    feedError: ends.find(({ feedError }) => feedError !== undefined)?.feedError,
  };
}

/** For as long as planning goes on, and once more: the rest is a shard only when all is planned. */
async function keepCutting(parts: Coordinating, planning: Promise<unknown>): Promise<void> {
  const { outside, session, shardTasks } = parts;
  const { ledger, opened } = session;
  const ended = new AbortController();
  const end = () => ended.abort();
  planning.then(end, end);
  for (let isLast = false; !isLast; ) {
    await outside.clock.sleep(lookMs / 2, ended.signal);
    isLast = ended.signal.aborted;
    const cut = await ledger.cutShards(opened.record.id, shardTasks, isLast);
    if (cut > 0) await offer(parts);
  }
}

async function offer({ session, queue }: Coordinating): Promise<readonly Shard[]> {
  const run = session.opened.record.id;
  const open = (await session.ledger.listShards(run)).filter(({ isDone }) => !isDone);
  const free = open.filter(({ holder }) => holder === undefined).slice(0, mostOffers);
  // Those of dead holders too: whoever takes one sees to that.
  const orders = free.length > 0 ? free : open.slice(0, mostOffers);
  if (orders.length > 0) await queue.offer(orders.map(({ number }) => ({ run, number })));
  return open;
}

/** Answers how the shards ended that this process had to carry out itself. */
async function waitForWorkers(parts: Coordinating): Promise<readonly DispatchEnd[]> {
  const { outside, session, cluster, stop } = parts;
  const { clock } = outside;
  const ends: DispatchEnd[] = [];
  const told = new Set<string>();
  let offeredMs = Number.NEGATIVE_INFINITY;
  let busyMs = clock.monotonic();
  let warnedMs = busyMs;
  while (!stop.aborted) {
    const nowMs = clock.monotonic();
    const isDue = nowMs - offeredMs >= offerAgainMs;
    if (isDue) offeredMs = nowMs;
    const open = isDue
      ? await offer(parts)
      : (await session.ledger.listShards(session.opened.record.id)).filter(({ isDone }) => !isDone);
    if (open.length === 0) return ends;
    const holders = [...new Set(open.flatMap(({ holder }) => holder ?? []))];
    const alive = await Promise.all(holders.map((holder) => cluster.presence.isAlive(holder)));
    if (alive.includes(true)) {
      busyMs = nowMs;
      warnedMs = nowMs;
    }
    const isRefused = await hearTroubles(parts, told);
    if (parts.relinks && isRefused && nowMs - busyMs >= refusedMs) {
      const end = await carryOutHere(parts, open);
      if (end) ends.push(end);
      continue;
    }
    if (nowMs - warnedMs >= lonelyMs) {
      warnedMs = nowMs;
      session.watch.log.warn(
        `${open.length} shards wait, and no worker takes any: start \`mediasweep worker\` on as many machines as you like`,
      );
    }
    await clock.sleep(lookMs, stop);
  }
  return ends;
}

/** Tells each trouble once; answers whether there is any. */
async function hearTroubles(
  { session, cluster, relinks }: Coordinating,
  told: Set<string>,
): Promise<boolean> {
  if (!relinks) return false;
  const troubles = await cluster.wishFor(session.opened.record.id).readTroubles();
  for (const [process, words] of troubles) {
    if (told.has(process)) continue;
    told.add(process);
    session.watch.log.warn(
      `worker ${process} takes no shards of this run: ${words} Where no other worker can, this process carries them out.`,
    );
  }
  return troubles.size > 0;
}

/** One shard that workers cannot carry out; nothing where somebody has taken it after all. */
async function carryOutHere(
  { session, cluster, sender, relinks }: Coordinating,
  open: readonly Shard[],
): Promise<DispatchEnd | undefined> {
  const { ledger, opened } = session;
  const one = open.find(({ holder }) => holder === undefined) ?? open[0];
  if (!one || (one.holder !== undefined && !(await cluster.presence.isDead(one.holder)))) return undefined;
  const mine = { run: opened.record.id, number: one.number, holder: cluster.process };
  const claim = await ledger.claimShard({ ...mine, from: one.holder });
  if (claim.is !== 'claimed') return undefined;
  let end: DispatchEnd | undefined;
  try {
    const relink = await relinks?.open(opened, claim.shard);
    end = await sender.send(seeShard(opened, claim.shard, relink), nothing, true);
    return end;
  } finally {
    const isDone = end !== undefined && !end.isStopped;
    await ledger.leaveShard({ ...mine, isDone, halts: end?.halts ?? [] });
  }
}

/** Workers are told that the run is to stop, and given the time that calls in flight are given. */
async function endWorkers({ outside, session, cluster }: Coordinating): Promise<void> {
  const { clock } = outside;
  const { ledger, opened, flags } = session;
  const run = opened.record.id;
  await cluster.wishFor(run).stop();
  const untilMs = clock.monotonic() + flags.graceMs + 5 * lookMs;
  while (clock.monotonic() < untilMs) {
    const holders = (await ledger.listShards(run)).flatMap(({ holder }) => holder ?? []);
    const alive = await Promise.all(holders.map((holder) => cluster.presence.isAlive(holder)));
    if (!alive.includes(true)) return;
    await clock.sleep(lookMs);
  }
}

/** Progress is what the ledger knows of the run: this process makes hardly a call of it. */
async function followLedger({ outside, session, feed, sender, stop }: Coordinating) {
  const { ledger, opened, watch } = session;
  const run = opened.record.id;
  let known = { counts: [] as readonly TaskCount[], spending: opened.spending as Spending };
  const ending = new AbortController();
  const read = async () => {
    known = { counts: await ledger.countTasks(run), spending: await ledger.readSpending(run) };
  };
  await read();
  const reading = (async () => {
    for (;;) {
      await outside.clock.sleep(lookMs, AbortSignal.any([ending.signal, stop]));
      if (ending.signal.aborted || stop.aborted) return;
      await read().catch(() => undefined);
    }
  })();
  const sum = (...states: readonly string[]) =>
    known.counts.filter(({ state }) => states.includes(state)).reduce((total, { count }) => total + count, 0);
  watch.follow(() => ({
    listed: feed.planned.listed,
    isListed: feed.planned.isListed,
    planned: sum('planned', 'waiting', 'pending', 'intent', 'accepted', 'answered', 'failed', 'held'),
    asked: sum('intent', 'accepted', 'answered', 'failed', 'held'),
    answered: sum('answered'),
    failed: sum('failed'),
    held: sum('held'),
    overCap: sum('over-cap'),
    repeated: sender.counters.repeated,
    atVendor: sum('accepted'),
    spending: known.spending,
  }));
  return {
    close: () => {
      ending.abort();
      void reading;
    },
  };
}

function mergeHalts(halts: readonly Halt[]): readonly Halt[] {
  const byText = new Map(halts.map((halt) => [JSON.stringify(halt), halt]));
  return [...byText.values()];
}

async function* nothing(): AsyncGenerator<never> {
  // All of it stands in the ledger.
}
