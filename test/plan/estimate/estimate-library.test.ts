/** Estimates over a real ledger, and the dispatches that follow them. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainNoLink } from '../../../src/dispatch/link.ts';
import type { Item, MediaFacts, SourcePage } from '../../../src/domain/item.ts';
import { Fetches } from '../../../src/plan/estimate/fetches.ts';
import { estimateLibrary } from '../../../src/plan/estimate/estimate-library.ts';
import { openForesight } from '../../../src/store/open-foresight.ts';
import {
  limitToy,
  makeImages,
  makePipeline,
  makeVideos,
  pageItems,
  type ToySetting,
  ToyWorld,
  useToy,
} from '../../support/toy-run.ts';

interface Look {
  readonly facts?: (item: Item) => MediaFacts;
  readonly sample?: number;
  readonly stop?: AbortSignal;
  /** In place of the items' own. */
  readonly pages?: AsyncIterable<SourcePage>;
  /** Of the storage `main`. */
  readonly egress?: bigint;
}

async function estimate(world: ToyWorld, setting: ToySetting, look: Look = {}) {
  const main = { name: 'main', region: 'r', pathStyle: true, egress: look.egress };
  const pipeline = { ...makePipeline(setting), storages: new Map([['main', main]]) };
  const nowMs = world.clock.now();
  const probed: string[] = [];
  const foresight = await openForesight({ folder: dirname(world.out), pipeline, nowMs });
  try {
    const counters = { listed: 0, probed: 0 };
    const told = await estimateLibrary({
      pipeline,
      pages: look.pages ?? pageItems(setting.items, true),
      foresight,
      probe: async (item) => {
        probed.push(item.id);
        return look.facts?.(item) ?? { durationSeconds: 12 };
      },
      explainNoLink: (item) => explainNoLink(item, pipeline.access),
      nowMs,
      sample: look.sample,
      counters,
      stop: look.stop ?? new AbortController().signal,
    });
    expect(counters).toEqual({ listed: setting.items.length, probed: probed.length });
    // Nothing goes unaccounted, in an estimate as in a run.
    const tasks = Object.values(told.tasks).reduce((sum, count) => sum + count, 0);
    expect(told.notApplicable + tasks).toBe(told.items * told.services);
    return { ...told, probed };
  } finally {
    await foresight.close();
  }
}

const services = [useToy('toy/image'), useToy('toy/watch')];

describe('an estimate', () => {
  test('is what the dispatch that follows does and is billed', async () => {
    const world = await ToyWorld.open();
    const unlinked = { ...(makeImages(1)[0] as Item), id: 'row-1', object: undefined, key: undefined };
    // Every third picture has the content of another one.
    const items = [...makeImages(60, (index) => `etag-${index % 40}`), ...makeVideos(30), unlinked];
    const setting = { services, items };
    const told = await estimate(world, setting);
    expect(told.tasks).toEqual({
      calls: 70,
      reused: 0,
      joined: 20,
      waiting: 0,
      failed: 0,
      held: 0,
      skipped: 1,
    });
    expect(told.unsent).toEqual([
      {
        service: 'toy/image',
        state: 'skipped',
        reason: 'no-link: the row has no url, and its storage is not known',
        tasks: 1,
        example: 'row-1',
      },
    ]);

    const outcome = await world.run(setting);
    expect(outcome.counters['asked']).toBe(told.tasks.calls);
    for (const { sku, units, charge } of told.skus) {
      const row = outcome.bill.find((one) => one.sku === sku);
      expect([units, charge]).toEqual([(row?.observed ?? 0) + (row?.estimated ?? 0), row?.charge]);
    }
    expect(told.total).toMatchObject({ charge: outcome.spending.spent, isComplete: true });
  });

  test('makes no ledger where there is none, and leaves one that is there as it was but for headers', async () => {
    const world = await ToyWorld.open();
    const ledger = `${dirname(world.out)}/ledger.db`;
    const items = makeVideos(10);
    expect((await estimate(world, { services, items })).probed).toHaveLength(10);
    expect(existsSync(ledger)).toBe(false);
    expect((await estimate(world, { services, items })).probed).toHaveLength(10);

    await world.run({ services, items: makeImages(1) });
    const before = await world.ask(async (one) => JSON.stringify(await one.listRuns(10)));
    expect((await estimate(world, { services, items })).probed).toHaveLength(10);
    expect((await estimate(world, { services, items })).probed).toHaveLength(0);
    expect(await world.ask(async (one) => JSON.stringify(await one.listRuns(10)))).toBe(before);
  });

  test('leaves out what was answered, remembers failures and what is held, and counts on from the month', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, path, number) => {
      if (path !== '/call/image' || number > 2) return undefined;
      return number === 1 ? { is: 'refuse', status: 400, error: 'no picture' } : { is: 'lost' };
    };
    const items = makeImages(10);
    await world.run({ services, items, resendBelow: 0n });
    const told = await estimate(world, { services, items: makeImages(12) });
    expect(told.tasks).toMatchObject({ calls: 2, reused: 8, failed: 1, held: 1 });
    expect(told.unsent.map(({ state, reason, tasks }) => `${state} ${tasks} ${reason}`).sort()).toEqual([
      'failed 1 bad-media',
      'held 1 unknown-fate',
    ]);
    expect(told.skus).toMatchObject([{ sku: 'toy/call', units: 2, monthSoFar: 8 }]);
  });

  test('goes on with the run that a run would go on with, and says which', async () => {
    const world = await ToyWorld.open();
    const setting = { services, items: makeImages(40) };
    await world.kill(setting, (vendor) => vendor.submitted.size >= 15);
    const told = await estimate(world, setting);
    expect(told.resumes).toMatch(/-toy$/);
    expect(told.tasks.calls).toBe(40 - told.tasks.reused - told.tasks.waiting);
    expect(told.tasks.reused).toBeGreaterThan(0);
    expect((await estimate(world, { ...setting, shapeHash: 'other' })).resumes).toBeUndefined();
  });

  test('tells how long calls take from the latest ones', async () => {
    const world = await ToyWorld.open();
    const first = await estimate(world, { services, items: makeImages(20) });
    expect(first.duration.assumptions).toEqual(['a call of toy/image takes 1 s (assumed)']);
    await world.run({ services, items: makeImages(20) });
    const next = await estimate(world, { services, items: makeImages(40) });
    expect(next.duration.assumptions[0]).toMatch(
      /^a call of toy\/image takes \d+ ms \(as the latest ones did\)$/,
    );
  });

  test('of a service with a condition is an upper bound, and says so', async () => {
    const world = await ToyWorld.open();
    const when = { service: 'cheap', metric: 'quality', is: { comparator: '<', value: 60 } } as const;
    const cascade = [
      useToy('toy/image', { name: 'cheap' }),
      useToy('toy/image', { name: 'dear', model: 'dear', when }),
    ];
    const told = await estimate(world, { services: cascade, items: makeImages(5) });
    expect(told.tasks.calls).toBe(10);
    expect(told.assumptions).toEqual([
      {
        text: 'every item meets the condition of dear, cheap quality < 60: an upper bound',
        tasks: 5,
        examples: [],
      },
    ]);
  });

  test('says so where it lasts into the next month', async () => {
    const world = await ToyWorld.open();
    const account = limitToy({ perSecond: 0.001 });
    const slow = { services: [useToy('toy/image', { account })], items: makeImages(5000) };
    const told = await estimate(world, slow);
    expect(told.duration.assumptions.at(-1)).toMatch(
      /^it lasts into \d{4}-\d\d, and what is sent then is charged from the beginning of that month's tiers$/,
    );
  });

  test('names each assumption with its tasks, some of them, and why', async () => {
    const world = await ToyWorld.open();
    const facts = (item: Item): MediaFacts =>
      item.id.endsWith('3.mp4') ? { trouble: 'not a video' } : { durationSeconds: 12 };
    const told = await estimate(world, { services, items: makeVideos(20) }, { facts });
    expect(told.assumptions).toEqual([
      {
        text: 'length unknown, counted as 60 s',
        tasks: 2,
        examples: [
          { item: 'media/clips/000003.mp4', why: 'not a video' },
          { item: 'media/clips/000013.mp4', why: 'not a video' },
        ],
      },
    ]);
    expect(told.skus[0]).toMatchObject({
      units: 18 * 3 + 2 * 12,
      basis: 'assumed',
      unitsByBasis: { observed: 0, estimated: 54, sampled: 0, assumed: 24 },
    });
  });

  test('counts what waits for another answer as asked, in the open, and not where no answer will come', async () => {
    const world = await ToyWorld.open();
    const when = { service: 'toy/video', metric: 'quality', is: { comparator: '<', value: 60 } } as const;
    const cascade = [useToy('toy/video'), useToy('toy/watch', { when })];
    world.vendor.fate = (_, path) =>
      path === '/jobs/video' ? { is: 'refuse', status: 400, error: 'no video' } : undefined;
    await world.run({ services: [useToy('toy/video')], items: makeVideos(2), name: 'before' });
    const told = await estimate(world, { services: cascade, items: makeVideos(5) });
    expect(told.tasks).toMatchObject({ calls: 6, failed: 2, skipped: 2 });
    expect(told.unsent).toContainEqual({
      service: 'toy/watch',
      state: 'skipped',
      reason: 'when: toy/video has no answer (failed)',
      tasks: 2,
      example: 'media/clips/000000.mp4',
    });
    expect(told.assumptions).toMatchObject([
      {
        text: 'every item meets the condition of toy/watch, toy/video quality < 60: an upper bound',
        tasks: 3,
      },
    ]);
    expect(told.skus.find(({ sku }) => sku === 'toy/frame')).toMatchObject({ units: 9 });
  });

  test('tells of media outside the limits that is asked all the same', async () => {
    const world = await ToyWorld.open();
    const items = makeImages(3).map((item, index) => ({ ...item, sizeBytes: index === 2 ? 5 : 20_000_000 }));
    const told = await estimate(world, { services, items });
    expect(told.misfits).toEqual([
      { service: 'toy/image', reason: 'fit: at most 10 MB', tasks: 2, example: 'media/pictures/000000.jpg' },
    ]);
    expect(told.tasks.calls).toBe(3);
  });

  test('of a sample of which nothing could be read has no bounds, and says so', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(100);
    const facts = () => ({ trouble: 'the header is broken' });
    const told = await estimate(world, { services, items }, { facts, sample: 0.3 });
    expect(told.sample).toEqual({ share: 0.3, read: 0, unreadable: told.probed.length, of: 100 });
    expect(told.probed.length).toBeGreaterThan(2);
    expect(told.total.spread).toBeUndefined();
    expect(told.skus.every(({ unitsByBasis }) => unitsByBasis.sampled === 0)).toBe(true);
    const some = new Set(told.probed.slice(0, 5));
    const partly = await estimate(
      world,
      { services, items },
      { facts: ({ id }) => (some.has(id) ? facts() : { durationSeconds: 12 }), sample: 0.3 },
    );
    expect(partly.sample).toMatchObject({ read: told.probed.length - 5, unreadable: 5 });
    expect(partly.total.spread).toBeDefined();
  });

  test('counts a listing that began anew from there', async () => {
    const world = await ToyWorld.open();
    const items = makeImages(6);
    const page = (from: number, to: number, anew?: SourcePage['anew']): SourcePage => ({
      items: items.slice(from, to),
      unselected: 1,
      broken: [],
      isLast: to === 6,
      ...(anew && { anew }),
    });
    const twice = async function* () {
      yield page(0, 2);
      yield page(3, 5);
      yield page(0, 4, 'first');
      yield page(4, 6, 'later');
    };
    const plain = await estimate(world, { services, items });
    const told = await estimate(world, { services, items }, { pages: twice() });
    expect(told).toEqual({ ...plain, unselected: 2 });
  });

  test('says which caps will be hit, and those that will not', async () => {
    const world = await ToyWorld.open();
    const account = { ...limitToy({}), caps: { month: 1_000_000_000n } };
    const setting = {
      services: [useToy('toy/image', { account })],
      items: makeImages(60),
      caps: { run: 500_000_000n, month: 600_000_000n, units: { 'toy/call': 59 } },
    };
    const told = await estimate(world, setting);
    expect(told.caps.map(({ name, expected, isHit }) => [name, expected, isHit])).toEqual([
      ['caps.run', 600_000_000n, true],
      ['caps.units.toy/call', 60n, true],
      ['caps.month', 600_000_000n, false],
      ['accounts.toy-test.caps.month', 600_000_000n, false],
    ]);
    // As the run itself finds: fifty calls go, ten do not fit.
    expect((await world.run(setting)).statuses).toEqual({ answered: 50, 'over-cap': 10 });
  });

  test('adds up what is fetched, by storage and with its price', async () => {
    const world = await ToyWorld.open();
    const items = [...makeImages(4), ...makeVideos(1).map((item) => ({ ...item, sizeBytes: undefined }))];
    const told = await estimate(world, { services, items });
    expect(told.fetched).toEqual([{ storage: 'main', bytes: 4000, unsized: 1 }]);
    const large = makeImages(2).map((item) => ({ ...item, sizeBytes: 3 * 2 ** 30 }));
    const priced = await estimate(world, { services, items: large }, { egress: 500_000_000n });
    expect(priced.fetched).toEqual([
      { storage: 'main', bytes: 6 * 2 ** 30, unsized: 0, charge: 3_000_000_000n },
    ]);
    expect(priced.total.charge).toBe(20_000_000n);
  });

  test('takes sizes that only the headers tell, also remembered ones, and scales up what a sample passed over', async () => {
    const world = await ToyWorld.open();
    const rows = makeVideos(200).map((item) => ({
      ...item,
      sizeBytes: undefined,
      url: `https://media.example/${item.key}`,
    }));
    const facts = () => ({ durationSeconds: 12, sizeBytes: 5000 });
    const part = await estimate(world, { services, items: rows }, { facts, sample: 0.5 });
    const left = 200 - part.probed.length;
    expect(left).toBeGreaterThan(0);
    expect(part.fetched).toEqual([{ storage: '', bytes: 1_000_000, unsized: 0, scaledBytes: left * 5000 }]);
    await world.run({ services, items: makeImages(1) });
    const whole = await estimate(world, { services, items: rows }, { facts });
    expect(whole.fetched).toEqual([{ storage: '', bytes: 1_000_000, unsized: 0 }]);
    const known = await estimate(world, { services, items: rows });
    expect([known.probed, known.fetched]).toEqual([[], whole.fetched]);
  });

  test('counts the links of posts, whose sizes nobody tells', () => {
    const fetches = new Fetches();
    const post: Item = { id: 'p', position: new Uint8Array(), kind: 'post', text: 'hi' };
    fetches.add({ item: { ...post, images: ['https://m.example/1.jpg', 'https://m.example/2.jpg'] } });
    fetches.add({ item: { ...post, videoUrl: 'https://m.example/3.mp4' } });
    fetches.add({ item: post });
    expect(fetches.read()).toEqual([{ storage: '', bytes: 0, unsized: 3 }]);
  });

  test('ends in so many words where it is interrupted', async () => {
    const world = await ToyWorld.open();
    await expect(
      estimate(world, { services, items: makeImages(3) }, { stop: AbortSignal.abort('SIGINT') }),
    ).rejects.toMatchObject({ exitCode: 130, message: expect.stringContaining('interrupted') });
  });
});

describe('a sampled estimate', () => {
  const lengths = (item: Item): MediaFacts => ({
    durationSeconds: 10 + (Number(/(\d+)\.mp4/.exec(item.id)?.[1]) % 50),
  });

  test('reads a share of the headers, the same ones every time, and holds the truth between its bounds', async () => {
    const world = await ToyWorld.open();
    const setting = { services, items: [...makeVideos(1500), ...makeImages(10)] };
    const whole = await estimate(world, setting, { facts: lengths });
    const part = await estimate(world, setting, { facts: lengths, sample: 0.1 });
    const again = await estimate(world, setting, { facts: lengths, sample: 0.1 });
    expect(part.probed.length).toBeGreaterThan(100);
    expect(part.probed.length).toBeLessThan(200);
    expect(again.probed).toEqual(part.probed);
    expect(part.sample).toEqual({ share: 0.1, read: part.probed.length, unreadable: 0, of: 1500 });
    const [frames, told] = [whole, part].map(({ skus }) => skus.find(({ sku }) => sku === 'toy/frame'));
    expect(told).toMatchObject({ basis: 'sampled', isComplete: true });
    expect(told?.spread?.low.units).toBeLessThanOrEqual(frames?.units ?? 0);
    expect(told?.spread?.high.units).toBeGreaterThanOrEqual(frames?.units ?? 0);
    expect(part.total.spread?.low).toBeLessThan(part.total.charge);
    expect(part.total.spread?.high).toBeGreaterThan(part.total.charge);
    // What needs no header is counted whole.
    expect(part.skus.find(({ sku }) => sku === 'toy/call')).toMatchObject({ units: 10, basis: 'observed' });
    const larger = await estimate(world, setting, { facts: lengths, sample: 0.3 });
    expect(part.probed.every((id) => larger.probed.includes(id))).toBe(true);
  });

  test('of everything is no sample', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(30);
    const [whole, all] = [
      await estimate(world, { services, items }, { facts: lengths }),
      await estimate(world, { services, items }, { facts: lengths, sample: 1 }),
    ];
    expect(all.skus).toEqual(whole.skus);
    expect(all.total.spread).toBeUndefined();
    expect(all.sample).toEqual({ share: 1, read: 30, unreadable: 0, of: 30 });
  });

  test('falls back to what is assumed where next to nothing was read', async () => {
    const world = await ToyWorld.open();
    const told = await estimate(world, { services, items: makeVideos(4) }, { sample: 0.000001 });
    expect(told.probed).toEqual([]);
    expect(told.skus[0]).toMatchObject({ units: 48, basis: 'assumed' });
    expect(told.assumptions[0]?.tasks).toBe(4);
  });

  test('is no sample of the sample that select draws', async () => {
    const world = await ToyWorld.open();
    const { drawLot } = await import('../../../src/domain/lot.ts');
    const items = makeVideos(3000).filter(({ id }) => drawLot(id, 'select') < 0.1);
    const told = await estimate(world, { services, items }, { sample: 0.1 });
    expect(told.probed.length).toBeLessThan(items.length / 2);
  });
});
