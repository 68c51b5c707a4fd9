/** What a session has to do: its source, read and planned page by page, for as long as someone takes the tasks. */
import type { DispatchEnd } from '../dispatch/dispatcher.ts';
import { explainNoLink } from '../dispatch/link.ts';
import type { Item, SourcePage } from '../domain/item.ts';
import type { Task } from '../domain/task.ts';
import { countLeft } from '../plan/count-left.ts';
import { makeFitNotes } from '../plan/fit-notes.ts';
import { limitItems } from '../plan/limit-items.ts';
import { pickTroubled, readTroubled } from '../plan/pick-troubled.ts';
import { type PlanCounters, planTasks } from '../plan/plan-tasks.ts';
import { makeUnreadNotes } from '../plan/unread.ts';
import { openSource } from '../source/open-source.ts';
import { type MediaWays, orderForLimit } from './media.ts';
import type { Outside } from './outside.ts';
import { isRereadable, type Session } from './session.ts';

export interface Feed {
  /** How far reading and planning have come, earlier sessions included. */
  readonly planned: PlanCounters;
  /** The whole source, planned. */
  readonly read: () => AsyncIterable<readonly Task[]>;
  /** What was planned before, as far as it does not stand in the ledger; of these items alone. */
  readonly readParked: (among?: ReadonlySet<string>) => AsyncIterable<readonly Task[]>;
  /** Plans the source and sends nothing; answers how the session ended where it was not read to its end. */
  readonly planOnly: () => Promise<DispatchEnd | undefined>;
}

export function openFeed(outside: Outside, session: Session, media: MediaWays, stop: AbortSignal): Feed {
  const { pipeline, opened, tasksBefore, flags, watch } = session;
  const { log } = watch;
  // A bucket is listed on from where an earlier session came to; a manifest is read from its beginning.
  const listedBefore = opened.checkpoint === undefined ? 0 : opened.record.counters.items;
  const planned = { listed: listedBefore, planned: countLeft(tasksBefore, opened), isListed: false };
  const noteUnread = makeUnreadNotes(log);
  const fitNotes = makeFitNotes(log);
  const read = (isAgain = false) => {
    const left = flags.limit === undefined ? undefined : flags.limit - listedBefore;
    const notes = isAgain
      ? { counters: { ...planned }, noteUnread: () => undefined }
      : { counters: planned, noteUnread, fitNotes };
    return planTasks(limitItems(openPages(outside, session, media), left, flags.limit), {
      pipeline,
      run: opened,
      probe: media.probe,
      explainNoLink: (item: Item) => explainNoLink(item, pipeline.access),
      stop,
      ...notes,
    });
  };
  return {
    planned,
    read: () => read(),
    readParked: (among) => (isRereadable(session) ? readNothing() : pickAmong(read(true), among)),
    planOnly: () => planOnly(read(), stop),
  };
}

/** What the run looks at: the source, or (`--only-failed`) the items of an earlier run that came to no good end. */
function openPages(
  { clock, standardInput }: Outside,
  session: Session,
  { storage }: MediaWays,
): AsyncIterable<SourcePage> {
  const { pipeline, ledger, opened, flags, watch } = session;
  const readEarlier = (ids: readonly string[]) => ledger.readLatest(ids);
  const tools = { storage, nowMs: clock.now(), log: watch.log, standardInput, readEarlier };
  const { onlyFailed } = opened.record;
  if (onlyFailed === undefined) {
    return openSource(orderForLimit(pipeline, flags.limit), tools, opened.checkpoint);
  }
  if (isRereadable(session)) return readTroubled(ledger, onlyFailed);
  // They were selected once; `modifiedWithin` would count from now.
  const select = { include: [], exclude: [], kinds: [] };
  return pickTroubled(openSource({ ...pipeline, select }, tools), ledger, onlyFailed);
}

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

async function* readNothing(): AsyncGenerator<readonly Task[]> {
  // All of it stands in the ledger.
}

async function* pickAmong(
  feed: AsyncIterable<readonly Task[]>,
  items: ReadonlySet<string> | undefined,
): AsyncGenerator<readonly Task[]> {
  for await (const tasks of feed) yield items ? tasks.filter(({ item }) => items.has(item.id)) : tasks;
}
