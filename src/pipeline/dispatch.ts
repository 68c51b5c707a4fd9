/** One session of a run: its source is read, planned and dispatched, all at once and within bounds. */
import { setMaxListeners } from 'node:events';
import type { Places, RunFlags, RunWatch } from '../cli/spine.ts';
import type { Folders } from '../config/open.ts';
import { type Callbacks, openCallbacks } from '../dispatch/callback.ts';
import { type DispatchEnd, Dispatcher } from '../dispatch/dispatcher.ts';
import type { BenchLedger } from '../dispatch/bench.ts';
import { makeUseFinder } from '../dispatch/former-use.ts';
import { explainNoLink, findLongest, makeLinker } from '../dispatch/link.ts';
import { seeParked } from '../dispatch/parked.ts';
import type { Item, SourcePage } from '../domain/item.ts';
import type { Ledger, RunLedger, RunRecord, TaskCount } from '../domain/ledger.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { countLeft } from '../plan/count-left.ts';
import { makeFitNotes } from '../plan/fit-notes.ts';
import { limitItems } from '../plan/limit-items.ts';
import { pickTroubled, readTroubled } from '../plan/pick-troubled.ts';
import { planTasks } from '../plan/plan-tasks.ts';
import { makeUnreadNotes } from '../plan/unread.ts';
import { openSource } from '../source/open-source.ts';
import { makeProber } from '../source/probe.ts';
import { openArtifactFolder } from '../store/artifact-folder.ts';
import { isRunLocked } from '../store/run-lock.ts';
import { openHttp } from '../wire/http.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { makeUrlReader } from '../wire/url-reader.ts';
import { type SessionEnd, tryCanary } from './canary.ts';
import { type Outside, probeLimits, serveCallbacks } from './outside.ts';
import { tryReopen } from './reopen.ts';

interface Dispatching {
  readonly pipeline: Pipeline;
  readonly folders: Folders;
  readonly ledger: Ledger;
  readonly opened: RunLedger;
  /** What an earlier session of the run has planned. */
  readonly tasksBefore: readonly TaskCount[];
  readonly places: Places;
  /** Aborts when nothing more may be begun. */
  readonly deadline: AbortSignal;
  readonly flags: RunFlags;
  readonly watch: RunWatch;
}

/**
 * Reads the source, plans its items and dispatches their tasks, all at once and within bounds; under a canary one after
 * the other.
 */
export async function dispatch(outside: Outside, parts: Dispatching): Promise<SessionEnd> {
  const { pipeline, folders, opened, tasksBefore, flags, watch } = parts;
  const { clock } = outside;
  const { log } = watch;
  const stop = AbortSignal.any([outside.stop, parts.deadline]);
  setMaxListeners(0, stop);
  const { source, access, services, deadlines, resendBelow } = pipeline;
  const allowPrivateAddresses = 'allowPrivateAddresses' in source && source.allowPrivateAddresses;
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses });
  const http = openHttp({
    connections: Math.max(...services.map(({ account }) => account.limits.concurrency)),
  });
  const counters = { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 };
  // A bucket is listed on from where an earlier session came to; a manifest is read from its beginning.
  const listedBefore = opened.checkpoint === undefined ? 0 : opened.record.counters.items;
  const planned = { listed: listedBefore, planned: countLeft(tasksBefore, opened), isListed: false };
  const probe = makeProber({ storage, urlReader });
  const noteUnread = makeUnreadNotes(watch.log);
  const fitNotes = makeFitNotes(watch.log);
  const feed = (isAgain = false) => {
    const { standardInput } = outside;
    const readEarlier = (ids: readonly string[]) => parts.ledger.readLatest(ids);
    const pages = openPages(parts, { storage, nowMs: clock.now(), log, standardInput, readEarlier });
    const limited = limitItems(pages, flags.limit === undefined ? undefined : flags.limit - listedBefore);
    const explain = (item: Item) => explainNoLink(item, access);
    const notes = isAgain
      ? { counters: { ...planned }, noteUnread: () => undefined }
      : { counters: planned, noteUnread, fitNotes };
    return planTasks(limited, { pipeline, run: opened, probe, explainNoLink: explain, stop, ...notes });
  };
  const mayTakeMs = findLongest(services, deadlines);
  const link = makeLinker(access, storage, clock, { log, mayTakeMs });
  const artifacts = openArtifactFolder(folders.out, pipeline.name);
  const hookUrl: Callbacks['hookUrl'] = (account) => callbacks.hookUrl(account);
  const isAlive = (name: string) => isRunLocked(folders.state, name);
  const pace = opened.sharePace({ clock, isAlive });
  const bench = { clock, http, pace, link, artifacts, log, deadlines, resendBelow, hookUrl, counters, stop };
  const isRereadable = source.form === 'bucket';
  let dispatcher: Dispatcher | undefined;
  const send = (run: BenchLedger, pages: () => AsyncIterable<readonly Task[]>) => {
    dispatcher = new Dispatcher({
      bench: { ...bench, run },
      services,
      feed: pages,
      findUse: makeUseFinder({
        pipeline,
        ledger: parts.ledger,
        reopen: (former) => reopenFormer(outside, parts, former),
      }),
      isAlive,
      isRereadable,
      graceMs: flags.graceMs,
    });
    return dispatcher.run();
  };
  // Links of a manifest stand in the manifest alone, so that it is read again for what was planned before.
  const feedParked = (among?: ReadonlySet<string>) =>
    isRereadable ? feedNothing() : pickAmong(feed(true), among);
  const hint: Dispatcher['hint'] = (account, ref) => dispatcher?.hint(account, ref);
  const callbacks = await openCallbacks({ services, run: opened.record.id, serve: serveCallbacks, hint });
  watch.follow(() => ({
    ...planned,
    ...counters,
    planned: planned.planned + counters.released,
    atVendor: dispatcher?.openJobs ?? 0,
    spending: opened.spending,
  }));
  try {
    let isParked = false;
    const end = await tryCanary({
      pipeline,
      opened,
      isOverridden: flags.resumeAnyAge === true,
      nowMs: () => clock.now(),
      log,
      park: async () => {
        isParked = true;
        return await planOnly(feed(), stop);
      },
      sendAhead: (items) => send(seeParked(opened, 'canary'), () => feedParked(items)),
    });
    if (end) return end;
    return await (isParked ? send(seeParked(opened), () => feedParked()) : send(opened, feed));
  } finally {
    await Promise.all([callbacks.close(), http.close(), urlReader.close()]);
    storage.close();
  }
}

/** Plans and sends nothing; answers how the session ended where the source was not read to its end. */
async function planOnly(
  feed: AsyncIterable<readonly Task[]>,
  stop: AbortSignal,
): Promise<DispatchEnd | undefined> {
  try {
    for await (const _ of feed) if (stop.aborted) return { halts: [], isStopped: true };
    return undefined;
  } catch (error) {
    return { halts: [], isStopped: false, feedError: error };
  }
}

async function* feedNothing(): AsyncGenerator<readonly Task[]> {
  // All of it stands in the ledger.
}

async function* pickAmong(
  feed: AsyncIterable<readonly Task[]>,
  items: ReadonlySet<string> | undefined,
): AsyncGenerator<readonly Task[]> {
  for await (const tasks of feed) yield items ? tasks.filter(({ item }) => items.has(item.id)) : tasks;
}

/** The pipeline of an earlier run, to end what it left open; what is booked for it is billed as its accounts say. */
async function reopenFormer(
  outside: Outside,
  { folders, places, opened }: Dispatching,
  run: RunRecord,
): Promise<Pipeline | undefined> {
  const pipeline = await tryReopen(outside, { run, folders, places, needsCredentials: true });
  for (const { account } of pipeline?.services ?? []) {
    await opened.addBilling(account.name, account.billing);
  }
  return pipeline;
}

/** What the run looks at: the source, or (`--only-failed`) the items of an earlier run that came to no good end. */
function openPages(
  { pipeline, ledger, opened, flags }: Dispatching,
  tools: Parameters<typeof openSource>[1],
): AsyncIterable<SourcePage> {
  const { onlyFailed } = opened.record;
  const { source } = pipeline;
  // The first items of a bucket are those with the first keys.
  const isOrdered = flags.limit !== undefined && source.form === 'bucket';
  const settings = isOrdered ? { ...pipeline, source: { ...source, parallel: 1 } } : pipeline;
  if (onlyFailed === undefined) return openSource(settings, tools, opened.checkpoint);
  if (pipeline.source.form === 'bucket') return readTroubled(ledger, onlyFailed);
  // They were selected once; `modifiedWithin` would count from now.
  const select = { include: [], exclude: [], kinds: [] };
  return pickTroubled(openSource({ ...pipeline, select }, tools), ledger, onlyFailed);
}
