import { describe, expect, test } from 'vitest';
import type { Item, MediaFacts, SourcePage } from '../../src/domain/item.ts';
import type { PlanPage } from '../../src/domain/ledger.ts';
import type { Log } from '../../src/domain/log.ts';
import type { Task } from '../../src/domain/task.ts';
import { countLeft } from '../../src/plan/count-left.ts';
import { planTasks } from '../../src/plan/plan-tasks.ts';
import { makeUnreadNotes } from '../../src/plan/unread.ts';
import { makeImages, makeVideos, useToy } from '../support/toy-run.ts';

interface Setting {
  readonly items: readonly Item[];
  readonly facts?: MediaFacts;
  readonly settledKeys?: (keys: readonly string[]) => readonly string[];
  readonly media?: (contentIds: readonly string[]) => ReadonlyMap<string, MediaFacts>;
  readonly canLink?: boolean;
}

async function plan({ items, facts = { durationSeconds: 12 }, settledKeys, media, canLink = true }: Setting) {
  const pages: PlanPage[] = [];
  const probed: string[] = [];
  const unread: string[] = [];
  const counters = { listed: 0, planned: 0, isListed: false };
  const source = async function* (): AsyncGenerator<SourcePage> {
    yield { items, unselected: 2, broken: [], checkpoint: 'here', isLast: true };
  };
  const planned = planTasks(source(), {
    pipeline: {
      services: [useToy('toy/image'), useToy('toy/watch'), useToy('toy/video')],
      reuse: { by: 'content', retryFailedAfterMs: 0 },
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
    counters,
  });
  for await (const tasks of planned) expect(tasks).toEqual([]);
  return { page: pages[0] as PlanPage, probed, unread, counters };
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
