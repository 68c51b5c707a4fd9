/** Which items are drawn to go ahead of a run, and which of its tasks are theirs. */
import { describe, expect, test } from 'vitest';
import { drawLot } from '../../src/domain/lot.ts';
import type { Item } from '../../src/domain/item.ts';
import { planTasks } from '../../src/plan/plan-tasks.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { dirname } from 'node:path';
import { makeImages, makePipeline, pageItems, ToyWorld, useToy } from '../support/toy-run.ts';

async function park(world: ToyWorld, items: readonly Item[], count: number) {
  const pipeline = makePipeline({ services: [useToy('toy/image')], items });
  const ledger = await openLedger({ folder: dirname(world.out), clock: world.clock });
  const opened = await ledger.openRun({
    pipeline,
    nowMs: world.clock.now(),
    billing: new Map(),
    canary: { items: count },
  });
  const feed = planTasks(pageItems(items, true, opened.checkpoint), {
    pipeline,
    run: opened,
    probe: async () => ({}),
    explainNoLink: () => undefined,
    noteUnread: () => undefined,
    counters: { listed: 0, planned: 0, isListed: false },
  });
  return { ledger, opened, feed };
}

/** Those whose lots are the lowest. */
function draw(items: readonly Item[], count: number): ReadonlySet<string> {
  const sorted = items.toSorted((one, other) => drawLot(one.id, 'canary') - drawLot(other.id, 'canary'));
  return new Set(sorted.slice(0, count).map(({ id }) => id));
}

describe('the canary of a run', () => {
  test('is the items with the lowest lots, in whatever order they come', async () => {
    for (const items of [makeImages(400), makeImages(400).toReversed()]) {
      const world = await ToyWorld.open();
      const { ledger, opened, feed } = await park(world, items, 25);
      for await (const _ of feed);
      expect(await opened.readCanaryNames()).toEqual(draw(items, 25));
      const own = await opened.readReady('toy/image', 0, 1000, 'canary');
      expect(new Set(own.map(({ item }) => item.id))).toEqual(draw(items, 25));
      expect(own.map(({ id }) => id)).toEqual(own.map(({ id }) => id).toSorted((one, other) => one - other));
      expect(await opened.readReady('toy/image', own[9]?.id ?? 0, 5, 'canary')).toEqual(own.slice(10, 15));
      expect(await opened.readReady('toy/image', 0, 1000)).toHaveLength(400);
      await ledger.close();
    }
  });

  test('is drawn evenly: no part of the library has more of it than its share', async () => {
    const items = makeImages(4000);
    const names = draw(items, 400);
    for (let part = 0; part < 4; part += 1) {
      const count = items.slice(part * 1000, part * 1000 + 1000).filter(({ id }) => names.has(id)).length;
      expect(Math.abs(count - 100)).toBeLessThan(35);
    }
  });

  test('is the same where planning was killed and gone on with', async () => {
    const world = await ToyWorld.open();
    const items = makeImages(300);
    const first = await park(world, items, 20);
    let pages = 0;
    for await (const _ of first.feed) {
      pages += 1;
      if (pages === 3) break;
    }
    await first.ledger.close();
    const second = await park(world, items, 20);
    expect(second.opened.isResumed).toBe(true);
    for await (const _ of second.feed);
    expect(await second.opened.readCanaryNames()).toEqual(draw(items, 20));
    expect(second.opened.record.canary).toEqual({ state: 'waiting', items: 20 });
    await second.ledger.close();
  });

  test('leaves out items that have nothing to send', async () => {
    const world = await ToyWorld.open();
    const items = makeImages(60);
    await world.run({ services: [useToy('toy/image')], items: items.slice(0, 50) });
    const { ledger, opened, feed } = await park(world, items, 30);
    for await (const _ of feed);
    expect(await opened.readCanaryNames()).toEqual(new Set(items.slice(50).map(({ id }) => id)));
    await ledger.close();
  });

  test('a run that began without one has none, and reads no task as its', async () => {
    const world = await ToyWorld.open();
    await world.run({ services: [useToy('toy/image')], items: makeImages(3) });
    const record = await world.ask((ledger) => ledger.findRun('latest'));
    expect(record?.canary).toBeUndefined();
  });
});
