import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import { limitItems } from '../../src/plan/limit-items.ts';

function makePages(sizes: readonly number[]): SourcePage[] {
  let next = 0;
  return sizes.map((size, index) => {
    const items = Array.from({ length: size }, (): Item => {
      next += 1;
      return { id: `item-${next}`, position: Buffer.from([next]) };
    });
    return {
      items,
      unselected: 0,
      broken: [],
      checkpoint: `after-${next}`,
      isLast: index === sizes.length - 1,
    };
  });
}

async function* stream(pages: readonly SourcePage[]): AsyncGenerator<SourcePage> {
  yield* pages;
}

test('a limit lets exactly the first items through, and never says that a cut listing was complete', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 6 }), fc.nat(20), async (sizes, limit) => {
      const pages = makePages(sizes);
      const all = pages.flatMap(({ items }) => items.map(({ id }) => id));
      const passed: SourcePage[] = [];
      for await (const page of limitItems(stream(pages), limit)) passed.push(page);
      expect(passed.flatMap(({ items }) => items.map(({ id }) => id))).toEqual(all.slice(0, limit));
      expect(limit < all.length && passed.some(({ isLast }) => isLast)).toBe(false);
      // A checkpoint must never stand beyond an item that was left out.
      const last = passed.flatMap(({ checkpoint }) => checkpoint ?? []).at(-1) ?? 'after-0';
      expect(Number(last.slice(6))).toBeLessThanOrEqual(limit);
    }),
  );
});

test('a source that begins anew is limited anew, by the whole limit', async () => {
  const pages = makePages([2, 2, 3]).map((page, index) =>
    index === 1 ? { ...page, anew: 'first' as const } : page,
  );
  const passed: SourcePage[] = [];
  for await (const page of limitItems(stream(pages), 3, 4)) passed.push(page);
  expect(passed.flatMap(({ items }) => items.map(({ id }) => id))).toEqual([
    'item-1',
    'item-2',
    'item-3',
    'item-4',
    'item-5',
    'item-6',
  ]);
});

test('without a limit every page passes as it is', async () => {
  const pages = makePages([2, 0, 3]);
  const passed: SourcePage[] = [];
  for await (const page of limitItems(stream(pages), undefined)) passed.push(page);
  expect(passed).toEqual(pages);
});
