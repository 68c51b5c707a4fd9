/** `--limit`: the first so many selected items of a source. */
import type { SourcePage } from '../domain/item.ts';

/**
 * Passes pages on until `limit` items (all where absent) have gone through, `whole` where the source begins anew. The page that is cut bears no checkpoint and
 * is not the last, so that a later session without the limit goes on where items were left out.
 */
export async function* limitItems(
  pages: AsyncIterable<SourcePage>,
  limit: number | undefined,
  whole = limit,
): AsyncGenerator<SourcePage> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const page of pages) {
    if (page.anew === 'first') left = whole ?? Number.POSITIVE_INFINITY;
    if (page.items.length > left) {
      yield { ...page, items: page.items.slice(0, left), checkpoint: undefined, isLast: false };
      return;
    }
    yield page;
    left -= page.items.length;
    if (left === 0) return;
  }
}
