/** Items x services - what the ledger knows = tasks. Page by page, so that memory stays flat. */
import pLimit from 'p-limit';
import type { Item, MediaFacts, SourcePage } from '../domain/item.ts';
import type { Known, PlannedItem, PlanPage, RunLedger } from '../domain/ledger.ts';
import { canonicalOptions, contentIdOf, reuseKeyOf } from '../domain/reuse.ts';
import type { Pipeline, ServiceUse } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';

/** Files whose headers are read at once. */
const probesAtOnce = 16;

/** How far reading and planning have come; for progress. */
export interface PlanCounters {
  listed: number;
  planned: number;
  isListed: boolean;
}

/** What planning asks of the world, whether or not what it plans is carried out. */
interface LookTools {
  readonly pipeline: Pick<Pipeline, 'services' | 'reuse'>;
  readonly readKnown: RunLedger['readKnown'];
  readonly probe: (item: Item) => Promise<MediaFacts>;
  /** Told of each item whose header did not tell what its price hangs on, so that an assumption stands in. */
  readonly noteUnread: (item: Item, why: string) => void;
  /** Why no link can be made for the item; undefined where one can. */
  readonly explainNoLink: (item: Item) => string | undefined;
  /** Whether the item's header may be read where its price hangs on it; always where absent. */
  readonly mayProbe?: ((item: Item) => boolean) | undefined;
}

export interface PlanTools extends Omit<LookTools, 'readKnown'> {
  readonly counters: PlanCounters;
  readonly run: Pick<RunLedger, 'readKnown' | 'plan'>;
}

interface Draft {
  readonly item: Item;
  readonly contentId: string;
  readonly uses: readonly { readonly use: ServiceUse; readonly reuseKey: string }[];
}

/** Stores each page as planned and yields its tasks that may be sent. */
export async function* planTasks(
  pages: AsyncIterable<SourcePage>,
  tools: PlanTools,
): AsyncGenerator<readonly Task[]> {
  const { run, counters } = tools;
  const readKnown: LookTools['readKnown'] = (...given) => run.readKnown(...given);
  for await (const page of planPages(pages, { ...tools, readKnown })) {
    const tasks = await run.plan(page);
    counters.listed += page.items.length;
    counters.planned += tasks.length;
    yield tasks;
  }
  counters.isListed = true;
}

/** Each page with the tasks of its items, as they would be planned; nothing is stored. */
async function* planPages(pages: AsyncIterable<SourcePage>, tools: LookTools): AsyncGenerator<PlanPage> {
  const keyOf = makeKeys(tools.pipeline);
  const probing = pLimit(probesAtOnce);
  for await (const page of pages) {
    const drafts = page.items.map((item) => draft(item, tools.pipeline, keyOf));
    const known = await tools.readKnown(
      drafts.flatMap(({ uses }) => uses.map(({ reuseKey }) => reuseKey)),
      drafts.filter(needsFacts).map(({ contentId }) => contentId),
    );
    const items = await Promise.all(drafts.map((one) => planItem(one, known, tools, probing)));
    yield { ...page, items };
  }
}

function draft(item: Item, pipeline: LookTools['pipeline'], keyOf: KeyOf): Draft {
  const contentId = contentIdOf(item, pipeline.reuse.by === 'path' ? 'path' : 'content');
  const uses = pipeline.services
    .filter((use) => applies(use, item))
    .map((use) => ({ use, reuseKey: keyOf(use, item, contentId) }));
  return { item, contentId, uses };
}

function applies(use: ServiceUse, item: Item): boolean {
  if (item.kind === undefined || !use.service.kinds.includes(item.kind)) return false;
  return item.onlyServices === undefined || item.onlyServices.includes(use.name);
}

function needsFacts({ item, uses }: Draft): boolean {
  return item.durationSeconds === undefined && uses.some(({ use }) => use.service.needsMediaFacts);
}

async function planItem(
  one: Draft,
  known: Known,
  tools: LookTools,
  probing: ReturnType<typeof pLimit>,
): Promise<PlannedItem> {
  const { item, contentId, uses } = one;
  const noLink = tools.explainNoLink(item);
  const isOpen = uses.some(
    ({ use, reuseKey }) => use.service.needsMediaFacts && !known.settledKeys.has(reuseKey),
  );
  const cached = known.media.get(contentId);
  const media =
    cached ??
    (needsFacts(one) && isOpen && noLink === undefined && (tools.mayProbe?.(item) ?? true)
      ? await probing(() => tools.probe(item))
      : undefined);
  const isReadable = media?.durationSeconds !== undefined;
  if (media && !isReadable) tools.noteUnread(item, media.trouble ?? 'its header names no duration');
  const tasks = uses.map(({ use, reuseKey }) => ({
    service: use.name,
    account: use.account.name,
    reuseKey,
    usage: use.service.usage({ item, media: media ?? {}, use, assume: use.account.assume }),
    ...(noLink === undefined ? {} : { skip: noLink }),
  }));
  return {
    item: isReadable ? { ...item, durationSeconds: item.durationSeconds ?? media.durationSeconds } : item,
    tasks,
    notApplicable: tools.pipeline.services.length - uses.length,
    contentId,
    content: tools.pipeline.reuse.by === 'path' ? contentIdOf(item, 'content') : contentId,
    // What could not be read today (a refused address, a server that was away) may be read tomorrow.
    media: cached || !isReadable ? undefined : media,
  };
}

type KeyOf = (use: ServiceUse, item: Item, contentId: string) => string;

/** The reuse key of a task; what depends on the service alone is computed once. */
function makeKeys(pipeline: PlanTools['pipeline']): KeyOf {
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
