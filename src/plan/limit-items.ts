/** `--limit`: the first so many selected items of a source, as pages that end there. */
import type { SourcePage } from '../domain/item.ts';

/** Passes pages on until `limit` items have gone through; the last page then says that it is the last. */
export async function* limitItems(
  pages: AsyncIterable<SourcePage>,
  limit: number,
): AsyncGenerator<SourcePage> {
  let left = limit;
  for await (const page of pages) {
    if (page.items.length < left) {
      left -= page.items.length;
      yield page;
      continue;
    }
    yield { ...page, items: page.items.slice(0, left), isLast: true };
    return;
  }
}
