import { describe, expect, test } from 'vitest';
import type { Item, MediaFacts, SourcePage } from '../../src/domain/item.ts';
import type { PlanPage } from '../../src/domain/ledger.ts';
import type { Log } from '../../src/domain/log.ts';
import type { Task } from '../../src/domain/task.ts';
import type { FitMode } from '../../src/domain/fit.ts';
import type { ServiceUse } from '../../src/domain/settings.ts';
import { countLeft } from '../../src/plan/count-left.ts';
import { makeFitNotes } from '../../src/plan/fit-notes.ts';
import { planTasks } from '../../src/plan/plan-tasks.ts';
import { makeUnreadNotes } from '../../src/plan/unread.ts';
import { makeImages, makeVideos, useToy } from '../support/toy-run.ts';

interface Setting {
  readonly items: readonly Item[];
  readonly facts?: MediaFacts;
  readonly settledKeys?: (keys: readonly string[]) => readonly string[];
  readonly media?: (contentIds: readonly string[]) => ReadonlyMap<string, MediaFacts>;
  readonly canLink?: boolean;
  readonly fit?: FitMode;
  readonly services?: readonly ServiceUse[];
  readonly by?: 'content' | 'path';
}

async function plan({
  items,
  facts = { durationSeconds: 12 },
  settledKeys,
  media,
  canLink = true,
  fit,
  by = 'content',
  services = [useToy('toy/image'), useToy('toy/watch'), useToy('toy/video')],
}: Setting) {
  const pages: PlanPage[] = [];
  const probed: string[] = [];
  const unread: string[] = [];
  const told: string[] = [];
  const counters = { listed: 0, planned: 0, isListed: false };
  const source = async function* (): AsyncGenerator<SourcePage> {
    yield { items, unselected: 2, broken: [], checkpoint: 'here', isLast: true };
  };
  const planned = planTasks(source(), {
    pipeline: {
      services,
      reuse: { by, retryFailedAfterMs: 0 },
      select: { fit },
    },
    run: {
      readKnown: async (keys, contentIds) => ({
        settledKeys: new Set(settledKeys?.(keys)),
        media: media?.(contentIds) ?? new Map(),
      }),
      plan: async (page) => {
        pages.push(page);
        return [] as Task[];
      },
    },
    probe: async (item) => {
      probed.push(item.id);
      return facts;
    },
    explainNoLink: () => (canLink ? undefined : 'no-link: the row has no url, and its storage is not known'),
    noteUnread: (_, why) => unread.push(why),
    fitNotes: makeFitNotes({
      warn: (message, given) => told.push(`${message} ${JSON.stringify(given)}`),
    }),
    counters,
  });
  for await (const tasks of planned) expect(tasks).toEqual([]);
  return { page: pages[0] as PlanPage, probed, unread, told, counters };
}

describe('planning', () => {
  test('makes a task for each service that takes the item, and counts the others', async () => {
    const { page, counters } = await plan({
      items: [...makeImages(1), ...makeVideos(1), { id: 'x', position: Buffer.from('x') }],
    });
    expect(page.items.map(({ tasks }) => tasks.map(({ service }) => service))).toEqual([
      ['toy/image'],
      ['toy/watch', 'toy/video'],
      [],
    ]);
    expect(page.items.map(({ notApplicable }) => notApplicable)).toEqual([2, 1, 3]);
    expect(page).toMatchObject({ unselected: 2, checkpoint: 'here', isLast: true });
    expect(counters).toEqual({ listed: 3, planned: 0, isListed: true });
  });

  test('reads headers only where a price hangs on them and a call is to be made', async () => {
    const [video] = makeVideos(1) as [Item];
    expect((await plan({ items: makeImages(3) })).probed).toEqual([]);
    expect((await plan({ items: [video] })).probed).toEqual([video.id]);
    expect((await plan({ items: [{ ...video, durationSeconds: 4 }] })).probed).toEqual([]);
    expect((await plan({ items: [video], settledKeys: (keys) => keys })).probed).toEqual([]);
    expect((await plan({ items: [video], canLink: false })).probed).toEqual([]);
  });

  test('keeps the length that was read with the item, and remembers it by content', async () => {
    const { page } = await plan({ items: makeVideos(1) });
    expect(page.items[0]).toMatchObject({ item: { durationSeconds: 12 }, media: { durationSeconds: 12 } });
    expect(page.items[0]?.tasks[0]?.usage).toMatchObject({ units: { 'toy/frame': 3 }, basis: 'estimated' });
  });

  test('asks nothing of a file whose header is remembered', async () => {
    const media = (ids: readonly string[]) => new Map(ids.map((id) => [id, { durationSeconds: 30 }]));
    const { page, probed } = await plan({ items: makeVideos(1), media });
    expect(probed).toEqual([]);
    expect(page.items[0]?.tasks[0]?.usage.units).toEqual({ 'toy/frame': 6 });
    expect(page.items[0]?.media).toBeUndefined();
  });

  test('says what could not be read, lets an assumption stand in, and does not remember the failure', async () => {
    const { page, unread } = await plan({ items: makeVideos(1), facts: { trouble: 'not a public address' } });
    expect(unread).toEqual(['not a public address']);
    expect(page.items[0]?.tasks[0]?.usage.assumptions).toHaveLength(1);
    expect(page.items[0]?.media).toBeUndefined();
  });

  test('skips with a reason what no link can be made for', async () => {
    const { page } = await plan({ items: makeImages(1), canLink: false });
    expect(page.items[0]?.tasks[0]?.skip).toBe('no-link: the row has no url, and its storage is not known');
  });
});

describe('the price', () => {
  const [video] = makeVideos(1) as [Item];
  const counting = (pricedBy: readonly ('durationSeconds' | 'keyFrames')[]) => {
    const use = useToy('toy/video');
    return [{ ...use, service: { ...use.service, pricedBy: () => pricedBy } }];
  };

  test('of a row that tells its length needs the header only where key frames are counted', async () => {
    const items = [{ ...video, durationSeconds: 4 }];
    expect((await plan({ items, services: counting(['durationSeconds']) })).probed).toEqual([]);
    const services = counting(['durationSeconds', 'keyFrames']);
    expect((await plan({ items, services })).probed).toEqual([video.id]);
    expect((await plan({ items: [video], services: counting([]) })).probed).toEqual([]);
  });

  test('is remembered by content even where answers are remembered by path', async () => {
    const read = async (etag: string) =>
      (await plan({ items: [{ ...video, etag }], by: 'path' })).page.items[0];
    const [before, after] = [await read('old'), await read('new')];
    expect(before?.tasks[0]?.reuseKey).toBe(after?.tasks[0]?.reuseKey);
    expect(before?.contentId).not.toBe(after?.contentId);
  });
});

test('a page whose headers do not come is left unplanned once the run is to stop', async () => {
  const stop = new AbortController();
  const [pages, counters] = [[] as PlanPage[], { listed: 0, planned: 0, isListed: false }];
  const source = async function* (): AsyncGenerator<SourcePage> {
    yield { items: makeImages(1), unselected: 0, broken: [], isLast: false };
    yield { items: makeVideos(1), unselected: 0, broken: [], isLast: true };
  };
  const planned = planTasks(source(), {
    pipeline: {
      services: [useToy('toy/image'), useToy('toy/watch')],
      reuse: { by: 'content', retryFailedAfterMs: 0 },
      select: {},
    },
    run: {
      readKnown: async () => ({ settledKeys: new Set(), media: new Map() }),
      plan: async (page) => {
        pages.push(page);
        return [] as Task[];
      },
    },
    probe: async () => {
      stop.abort();
      return await new Promise<never>(() => undefined);
    },
    explainNoLink: () => undefined,
    noteUnread: () => undefined,
    stop: stop.signal,
    counters,
  });
  for await (const tasks of planned) expect(tasks).toEqual([]);
  expect(pages.map(({ isLast }) => isLast)).toEqual([false]);
  expect(counters).toEqual({ listed: 1, planned: 0, isListed: false });
});

describe('media outside the limits of a service', () => {
  const toy = useToy('toy/image');
  const limits = { maxBytes: 500, minWidth: 240, minHeight: 240, source: 'a page' };
  const services = [{ ...toy, service: { ...toy.service, limits } }, useToy('toy/watch')];
  const [image] = makeImages(1) as [Item];
  const [large, small] = [image, { ...image, id: 'small', sizeBytes: 400 }];
  const facts = { width: 100, height: 90, format: 'jpg' };
  const skipsOf = ({ page }: Awaited<ReturnType<typeof plan>>) =>
    page.items.map(({ tasks }) => tasks[0]?.skip);

  test('is sent without a look where fit is off', async () => {
    const planned = await plan({ items: [large, small], services, facts, fit: 'off' });
    expect([planned.probed, planned.told, skipsOf(planned)]).toEqual([[], [], [undefined, undefined]]);
  });

  test('is sent and told of by what the listing tells, without a read, unless fit says otherwise', async () => {
    const planned = await plan({ items: [large, small, large, large], services, facts });
    expect(planned.probed).toEqual([]);
    expect(skipsOf(planned)).toEqual([undefined, undefined, undefined, undefined]);
    expect(planned.told).toEqual([
      `media outside a service's limits is sent all the same; \`select: { fit: skip }\` leaves it out {"service":"toy/image","item":"${image.id}","why":"1 KB, at most 500 B"}`,
      `media outside a service's limits was sent {"service":"toy/image","limit":"at most 500 B","items":3}`,
    ]);
  });

  test('is skipped with its reason, and read only where the listing has not told already', async () => {
    const planned = await plan({ items: [large, small], services, facts, fit: 'skip' });
    expect(planned.probed).toEqual(['small']);
    expect(skipsOf(planned)).toEqual([
      'fit: 1 KB, at most 500 B',
      'fit: 100 x 90, at least 240 x 240 pixels',
    ]);
    expect(planned.page.items.map(({ media }) => media)).toEqual([undefined, facts]);
    expect(planned.told).toEqual([]);
  });

  test('is known by what was read once', async () => {
    const media = (ids: readonly string[]) => new Map(ids.map((id) => [id, facts]));
    const planned = await plan({ items: [small], services, media, fit: 'skip' });
    expect(planned.probed).toEqual([]);
    expect(skipsOf(planned)).toEqual(['fit: 100 x 90, at least 240 x 240 pixels']);
  });

  test('is sent where nobody can tell, which is said', async () => {
    const trouble = 'the file is no image';
    const items = Array.from({ length: 9 }, (_, index) => ({ ...small, id: `i-${index}` }));
    const planned = await plan({ items, services, facts: { trouble }, fit: 'skip' });
    expect(skipsOf(planned)).toEqual(items.map(() => undefined));
    expect(planned.told).toHaveLength(4);
    expect(planned.told.at(-1)).toBe('headers that could not be read {"items":9}');
    expect(planned.page.items[0]?.media).toBeUndefined();
  });

  test('is no matter where an answer is there already', async () => {
    const settled = { items: [small], services, facts, settledKeys: (keys: readonly string[]) => keys };
    expect((await plan({ ...settled, fit: 'skip' })).probed).toEqual([]);
    const warned = await plan({ ...settled, items: [large] });
    expect(warned.told).toEqual([]);
  });
});

test('what could not be read is told of the first few items, and then once more', () => {
  const told: string[] = [];
  const log: Log = { info: () => undefined, warn: (message) => told.push(message) };
  const note = makeUnreadNotes(log);
  for (const item of makeVideos(50)) note(item, 'why');
  expect(told).toHaveLength(6);
  expect(told.at(-1)).toContain('bill.json counts them');
});

test('progress of a run that is gone on with counts what is left of it once', () => {
  const count = (state: 'planned' | 'accepted' | 'answered', number: number) => ({
    service: 's',
    state,
    reason: '',
    count: number,
  });
  const tasks = [count('planned', 5), count('accepted', 3), count('answered', 100)];
  expect(countLeft(tasks, { checkpoint: 'x' })).toBe(8);
  expect(countLeft(tasks, { checkpoint: undefined })).toBe(3);
});
