/** Items x services - what the ledger knows = tasks. Page by page, so that memory stays flat. */
import { withAwaited } from '../domain/cascade.ts';
import { findMisfit, hasHiddenBounds } from '../domain/fit.ts';
import type { Item, MediaFacts, SourcePage } from '../domain/item.ts';
import type { Known, PlannedItem, PlanPage, RunLedger } from '../domain/ledger.ts';
import { canonicalOptions, contentIdOf, reuseKeyOf } from '../domain/reuse.ts';
import type { Pipeline, SelectSettings, ServiceUse } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import type { FitNotes } from './fit-notes.ts';

/** How far reading and planning have come; for progress. */
export interface PlanCounters {
  listed: number;
  planned: number;
  isListed: boolean;
}

/** What planning asks of the world, whether or not what it plans is carried out. */
interface LookTools {
  readonly pipeline: Pick<Pipeline, 'services' | 'reuse'> & { readonly select: Pick<SelectSettings, 'fit'> };
  readonly readKnown: RunLedger['readKnown'];
  /** Reads a file's header; bounds by itself how many are read at once. */
  readonly probe: (item: Item) => Promise<MediaFacts>;
  /** Told of each item whose header did not tell what its price hangs on, so that an assumption stands in. */
  readonly noteUnread: (item: Item, why: string) => void;
  /** Told of media outside the limits; nobody is where absent. */
  readonly fitNotes?: FitNotes | undefined;
  /** Once it aborts, the page whose headers are being read is left unplanned, for the next session to list again. */
  readonly stop?: AbortSignal | undefined;
  /** Why no link can be made for the item; undefined where one can. */
  readonly explainNoLink: (item: Item) => string | undefined;
  /** Whether the item's header may be read where its price or its fit hangs on it; always where absent. */
  readonly mayProbe?: ((item: Item) => boolean) | undefined;
}

export interface PlanTools extends Omit<LookTools, 'readKnown'> {
  readonly counters: PlanCounters;
  readonly run: Pick<RunLedger, 'readKnown' | 'plan'>;
}

/** An item as planned, with what became of its header. */
export interface LookedItem extends PlannedItem {
  /** Present where something hangs on a header that was not known yet: read now, or left unread by `mayProbe`. */
  readonly header?: 'read' | 'left' | undefined;
  /** As the source or the header tells. */
  readonly fileBytes?: number | undefined;
}

export interface LookedPage extends PlanPage {
  readonly items: readonly LookedItem[];
}

interface Draft {
  readonly item: Item;
  /** Under which the header is remembered, whatever answers are remembered by. */
  readonly contentId: string;
  readonly uses: readonly DraftUse[];
}

interface DraftUse {
  readonly use: ServiceUse;
  readonly reuseKey: string;
  /** Whether the file's header is to be read for this task, if its answer is not there already. */
  readonly wantsHeader: boolean;
}

/** Stores each page as planned and yields its tasks that may be sent. */
export async function* planTasks(
  pages: AsyncIterable<SourcePage>,
  tools: PlanTools,
): AsyncGenerator<readonly Task[]> {
  const { run, counters } = tools;
  const readKnown: LookTools['readKnown'] = (...given) => run.readKnown(...given);
  let isFirst = true;
  for await (const page of planPages(pages, { ...tools, readKnown })) {
    if (page.anew === 'first') counters.listed = 0;
    const tasks = await run.plan({ ...page, isFirst });
    isFirst = false;
    // A source that is read again for its links holds nothing new.
    if (!counters.isListed) counters.listed += page.items.length;
    counters.planned += tasks.length;
    yield tasks;
  }
  counters.isListed = tools.stop?.aborted !== true;
  tools.fitNotes?.listed();
}

/** Each page with the tasks of its items, as they would be planned; nothing is stored. */
export async function* planPages(
  pages: AsyncIterable<SourcePage>,
  tools: LookTools,
): AsyncGenerator<LookedPage> {
  const keyOf = makeKeys(tools.pipeline);
  for await (const page of pages) {
    const drafts = page.items.map((item) => draft(item, tools.pipeline, keyOf));
    const known = await tools.readKnown(
      drafts.flatMap(({ uses }) => uses.map(({ reuseKey }) => reuseKey)),
      drafts.filter(({ uses }) => uses.some((one) => one.wantsHeader)).map(({ contentId }) => contentId),
    );
    const planning = Promise.all(drafts.map((one) => planItem(one, known, tools)));
    const items = await settleBefore(tools.stop, planning);
    if (items === undefined) return;
    yield { ...page, items };
  }
}

/** `undefined` where the signal came first: a host that does not answer is no reason to go on running. */
async function settleBefore<Value>(
  stop: AbortSignal | undefined,
  work: Promise<Value>,
): Promise<Value | undefined> {
  if (stop === undefined) return await work;
  const watching = new AbortController();
  const stopped = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined);
    stop.addEventListener('abort', () => resolve(undefined), { once: true, signal: watching.signal });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    watching.abort();
  }
}

function draft(item: Item, pipeline: LookTools['pipeline'], keyOf: KeyOf): Draft {
  const contentId = contentIdOf(item, 'content');
  const reuseId = pipeline.reuse.by === 'path' ? contentIdOf(item, 'path') : contentId;
  const skips = pipeline.select.fit === 'skip';
  const { services } = pipeline;
  // What is asked only of an answer needs that answer too, which is reused where it is known.
  const only = item.onlyServices && withAwaited(services, item.onlyServices);
  const uses = services
    .filter((use) => applies(use, item, only))
    .map((use) => ({
      use,
      reuseKey: keyOf(use, item, reuseId),
      wantsHeader: needsHeader(use, item, skips),
    }));
  return { item, contentId, uses };
}

function applies(use: ServiceUse, item: Item, only: readonly string[] | undefined): boolean {
  if (item.kind === undefined || !use.service.kinds.includes(item.kind)) return false;
  return only === undefined || only.includes(use.name);
}

/** Where the price hangs on it, or (`fit: skip`) where the listing does not tell whether the media fits. */
function needsHeader({ service, options }: ServiceUse, item: Item, skips: boolean): boolean {
  if (skips && findMisfit(service.limits, item) !== undefined) return false;
  const priced = service.pricedBy?.(options) ?? [];
  const isPriceOpen = priced.some((fact) => fact !== 'durationSeconds' || item.durationSeconds === undefined);
  return isPriceOpen || (skips && hasHiddenBounds(service.limits, item));
}

async function planItem(one: Draft, known: Known, tools: LookTools): Promise<LookedItem> {
  const { item, contentId, uses } = one;
  const noLink = tools.explainNoLink(item);
  const cached = known.media.get(contentId);
  const isWanted =
    noLink === undefined &&
    uses.some(({ reuseKey, wantsHeader }) => wantsHeader && !known.settledKeys.has(reuseKey));
  const isRead = isWanted && (tools.mayProbe?.(item) ?? true);
  const media = cached ?? (isRead ? await tools.probe(item) : undefined);
  if (media && isRead && tools.stop?.aborted !== true) noteTrouble(one, media, tools);
  const tasks = uses.map((draftUse) => planUse(draftUse, item, media, { noLink, known, tools }));
  return {
    item: { ...item, durationSeconds: item.durationSeconds ?? media?.durationSeconds },
    tasks,
    notApplicable: tools.pipeline.services.length - uses.length,
    contentId,
    content: contentId,
    // What could not be read today (a refused address, a server that was away) may be read tomorrow.
    media: cached || media?.trouble !== undefined ? undefined : media,
    fileBytes: item.sizeBytes ?? media?.sizeBytes,
    ...(isWanted && !cached && { header: isRead ? ('read' as const) : ('left' as const) }),
  };
}

function planUse(
  { use, reuseKey }: DraftUse,
  item: Item,
  media: MediaFacts = {},
  world: { readonly noLink: string | undefined; readonly known: Known; readonly tools: LookTools },
): PlannedItem['tasks'][number] {
  const { noLink, known, tools } = world;
  const { fit = 'warn' } = tools.pipeline.select;
  const misfit = fit === 'off' ? undefined : findMisfit(use.service.limits, item, media);
  const skip = noLink ?? (fit === 'skip' ? misfit : undefined);
  if (misfit !== undefined && skip === undefined && !known.settledKeys.has(reuseKey))
    tools.fitNotes?.misfit(item, use.name, misfit);
  return {
    service: use.name,
    account: use.account.name,
    reuseKey,
    usage: use.service.usage({ item, media, use, assume: use.account.assume }),
    ...(skip === undefined ? {} : { skip }),
  };
}

/** What could not be read, and what stands in for it or is left open. */
function noteTrouble({ item, uses }: Draft, media: MediaFacts, tools: LookTools): void {
  const isPriced = uses.some(({ use }) => (use.service.pricedBy?.(use.options) ?? []).length > 0);
  const hasLength = (item.durationSeconds ?? media.durationSeconds) !== undefined;
  if (isPriced && !hasLength) tools.noteUnread(item, media.trouble ?? 'its header names no duration');
  else if (!isPriced && media.trouble !== undefined) tools.fitNotes?.unchecked(item, media.trouble);
}

export type KeyOf = (use: ServiceUse, item: Item, contentId: string) => string;

/** The reuse key of a task; what depends on the service alone is computed once. */
export function makeKeys(pipeline: Pick<Pipeline, 'services'>): KeyOf {
  const options = new Map(
    pipeline.services.map((use) => [use, canonicalOptions(use.service.options, use.options)]),
  );
  return (use, item, contentId) =>
    reuseKeyOf({
      contentId,
      service: use.service.name,
      options: options.get(use) ?? '',
      model: use.model,
      title: use.service.sendsTitle ? (item.title ?? '') : undefined,
      // A stand-in's answers are kept apart from everyone else's.
      scope: use.account.isLoopback ? `loopback:${use.account.name}` : undefined,
    });
}
