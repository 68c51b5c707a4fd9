/** `--only-failed`: the items of a run whose tasks failed or are held, as a source of their own. */
import type { Item, SourcePage } from '../domain/item.ts';
import type { Ledger } from '../domain/ledger.ts';
import { wrongUse } from '../domain/problem.ts';

const pageSize = 500;

/** From the ledger alone, for a source whose links are made from what stands there. */
export async function* readTroubled(
  ledger: Pick<Ledger, 'readTroubled'>,
  run: string,
): AsyncGenerator<SourcePage> {
  for (let after: Uint8Array | undefined; ; ) {
    const items = await ledger.readTroubled(run, after, pageSize);
    after = items.at(-1)?.position;
    const isLast = items.length < pageSize;
    yield { items, unselected: 0, broken: [], isLast };
    if (isLast) return;
  }
}

/**
 * From the source, read again for links that the ledger may not keep. Both come in source order, so that neither is held
 * in memory.
 *
 * @throws `Stop` with exit 2 where the source no longer has an item in its place.
 */
export async function* pickTroubled(
  pages: AsyncIterable<SourcePage>,
  ledger: Pick<Ledger, 'readTroubled'>,
  run: string,
): AsyncGenerator<SourcePage> {
  const troubled = eachItem(readTroubled(ledger, run));
  let next = await troubled.next();
  for await (const page of pages) {
    const items: Item[] = [];
    for (const item of page.items) {
      if (next.done) break;
      const order = Buffer.compare(item.position, next.value.position);
      if (order < 0) continue;
      if (order > 0 || !isSame(item, next.value)) throw refuseChanged(run, next.value.id);
      items.push({ ...item, id: next.value.id, onlyServices: next.value.onlyServices });
      next = await troubled.next();
    }
    yield { items, unselected: 0, broken: [], isLast: page.isLast };
  }
  if (!next.done) throw refuseChanged(run, next.value.id);
}

async function* eachItem(pages: AsyncIterable<SourcePage>): AsyncGenerator<Item, undefined> {
  for await (const { items } of pages) yield* items;
  return undefined;
}

/** An id that came again in its run bears `#2` and so on. */
function isSame({ id }: Item, known: Item): boolean {
  return known.id === id || (known.id.startsWith(`${id}#`) && /^\d+$/.test(known.id.slice(id.length + 1)));
}

function refuseChanged(run: string, id: string): Error {
  return wrongUse(
    `run "${run}": the source changed since: expected item "${id}" in its place, found another or none. Put the source back, or run without --only-failed.`,
  );
}
