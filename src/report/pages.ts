/** The items of a run, a page at a time, in source order. */
import type { ItemRow, Ledger } from '../domain/ledger.ts';

const itemsPerPage = 500;

/** One page is in memory at a time, however many there are. */
export async function* readPages(
  ledger: Pick<Ledger, 'readItems'>,
  run: string,
): AsyncGenerator<readonly ItemRow[]> {
  let after: Uint8Array | undefined;
  for (;;) {
    const page = await ledger.readItems(run, after, itemsPerPage);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.item.position;
  }
}
