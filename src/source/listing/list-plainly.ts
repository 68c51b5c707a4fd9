/** Lists what is left of a bucket by the server's own tokens alone, from the beginning of each prefix. */
import type { Listed, ListingParts } from './list-objects.ts';
import { compareKeys } from '../../domain/key-order.ts';
import type { ListPage } from '../../domain/storage.ts';
import { listPage, OrderFault } from './list-page.ts';
import type { KeyRange, Place } from './place.ts';

/** Passes over the keys that were yielded before, as `begun` tells. @throws ListingFault for a page that cannot be right */
export async function* listPlainly(parts: ListingParts, begun: Place): AsyncGenerator<Listed> {
  const { prefixes } = parts;
  let place = begun;
  for (const [index, prefix] of prefixes.entries()) {
    if (index >= place.next) place = { open: [...place.open, { prefix: index, after: '' }], next: index + 1 };
    if (!place.open.some((range) => range.prefix === index)) continue;
    for await (const page of listPrefix(parts, prefix)) {
      checkEnds(place, index, page);
      const objects = page.objects.filter(({ key }) => place.open.some((range) => holds(range, index, key)));
      const last = page.objects.at(-1)?.key;
      const isOver = !page.isTruncated;
      place = advance(place, index, last, isOver && index < prefixes.length - 1);
      const isLast = isOver && index === prefixes.length - 1;
      if (objects.length > 0 || isLast) yield { objects, place, isLast };
    }
  }
}

async function* listPrefix({ storage, source }: ListingParts, prefix: string) {
  let after = '';
  let token: string | undefined;
  do {
    const page = await listPage(storage, source, { prefix, after, token });
    yield page;
    after = page.objects.at(-1)?.key ?? after;
    token = page.isTruncated ? page.nextToken : undefined;
  } while (token !== undefined);
}

/** A range ends at the very key that its neighbour began with, or the order cannot tell what was yielded. */
function checkEnds({ open }: Place, index: number, { objects }: ListPage): void {
  for (const { prefix, before } of open) {
    if (prefix !== index || before === undefined) continue;
    const end = objects.find(({ key }) => compareKeys(key, before) >= 0);
    if (end === undefined || end.key === before) continue;
    throw new OrderFault(`expected key "${before}", where another listing had found it, found "${end.key}"`);
  }
}

function holds({ prefix, after, before }: KeyRange, index: number, key: string): boolean {
  if (prefix !== index || (after !== '' && compareKeys(key, after) <= 0)) return false;
  return before === undefined || compareKeys(key, before) < 0;
}

/** The place once all keys of a prefix up to `last` are yielded, or all of them where it `isOver`. */
function advance({ open, next }: Place, index: number, last: string | undefined, isOver: boolean): Place {
  const left = open.flatMap((range) => {
    if (range.prefix !== index) return [range];
    if (isOver) return [];
    if (last === undefined) return [range];
    if (range.before !== undefined && compareKeys(range.before, last) <= 0) return [];
    return compareKeys(range.after, last) < 0 ? [{ ...range, after: last }] : [range];
  });
  return { open: left, next };
}
