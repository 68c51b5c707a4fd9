import { describe, expect, test } from 'vitest';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import { pickTroubled, readTroubled } from '../../src/plan/pick-troubled.ts';

function makeItem(line: number, changes: Partial<Item> = {}): Item {
  return { id: `row-${line}`, position: Uint8Array.of(line >> 8, line & 255), ...changes };
}

/** A ledger that knows these troubled items. */
function makeLedger(items: readonly Item[]) {
  const order = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other);
  return {
    readTroubled: async (_: string, after: Uint8Array | undefined, limit: number) =>
      items.filter(({ position }) => after === undefined || order(position, after) > 0).slice(0, limit),
  };
}

async function* pageOf(...pages: readonly (readonly Item[])[]): AsyncGenerator<SourcePage> {
  for (const [index, items] of pages.entries()) {
    yield { items, unselected: 3, broken: [{ line: 1, message: 'x' }], isLast: index === pages.length - 1 };
  }
}

async function collect(pages: AsyncIterable<SourcePage>) {
  const all: SourcePage[] = [];
  for await (const page of pages) all.push(page);
  return { items: all.flatMap(({ items }) => items), last: all.map(({ isLast }) => isLast) };
}

describe('from the ledger', () => {
  test.each([
    0, 1, 499, 500, 501, 1200,
  ])('%i items come in pages, the last of which says so', async (count) => {
    const items = Array.from({ length: count }, (_, line) => makeItem(line));
    const read = await collect(readTroubled(makeLedger(items), 'run'));
    expect(read.items).toEqual(items);
    expect(read.last.at(-1)).toBe(true);
    expect(read.last.slice(0, -1)).not.toContain(true);
  });
});

describe('from the source', () => {
  const known = [
    makeItem(2, { onlyServices: ['a'] }),
    makeItem(4, { id: 'twin#2', onlyServices: ['a', 'b'] }),
  ];

  test('each item comes with its link, the id that its run gave it, and its services', async () => {
    const pages = pageOf(
      [makeItem(1), makeItem(2, { url: 'https://a.example/2?sig=x' })],
      [makeItem(3, { id: 'twin' }), makeItem(4, { id: 'twin', url: 'https://a.example/4?sig=y' })],
      [makeItem(5)],
    );
    const { items, last } = await collect(pickTroubled(pages, makeLedger(known), 'run'));
    expect(items).toEqual([
      makeItem(2, { url: 'https://a.example/2?sig=x', onlyServices: ['a'] }),
      makeItem(4, { id: 'twin#2', url: 'https://a.example/4?sig=y', onlyServices: ['a', 'b'] }),
    ]);
    expect(last).toEqual([false, false, true]);
  });

  test.each<[string, Item[], string]>([
    ['has another item in its place', [makeItem(1), makeItem(2, { id: 'other' })], 'row-2'],
    ['has lost an item', [makeItem(1), makeItem(3)], 'row-2'],
    ['ends before its last item', [makeItem(2)], 'twin#2'],
  ])('that %s is refused', async (_, items, id) => {
    await expect(collect(pickTroubled(pageOf(items), makeLedger(known), 'run-1'))).rejects.toMatchObject({
      exitCode: 2,
      message: `run "run-1": the source changed since: expected item "${id}" in its place, found another or none. Put the source back, or run without --only-failed.`,
    });
  });
});
