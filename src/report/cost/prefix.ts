/** Sums by prefix: entry by entry, in pages, since no sum of the ledger knows the library's folders. */
import type { CostQuestion, CostTable, ItemUsage } from '../../domain/cost.ts';
import type { Ledger } from '../../domain/ledger.ts';
import { cutPlace, readPlace } from '../gather/place.ts';

const pageRows = 5000;
/** Prefixes beyond these many lines are summed together, so that memory stays flat. */
const mostLines = 20_000;

export const prunedPrefix = '(pruned)';
export const otherPrefix = '(other)';

/** Fills the tables; what a table has no dimension for does not count there. */
export async function sumPrefixes(
  ledger: Pick<Ledger, 'readItemUsage'>,
  question: CostQuestion,
  how: { readonly depth: number; readonly isPlayed: boolean; readonly tables: readonly CostTable[] },
): Promise<readonly CostTable[]> {
  for (let after = 0; ; ) {
    const page = await ledger.readItemUsage(question, after, pageRows);
    for (const usage of page) {
      if (usage.isLoopback === how.isPlayed) for (const table of how.tables) add(table, usage, how.depth);
    }
    if (page.length < pageRows) return how.tables;
    after = page.at(-1)?.id ?? 0;
  }
}

function add(table: CostTable, usage: ItemUsage, depth: number): void {
  const { month, account, sku, pipeline } = usage;
  const of = { month, account, sku, pipeline, prefix: nameOf(usage, depth) };
  const isKnown = table.size < mostLines || table.has(of);
  table.add({ ...usage, of: isKnown ? of : { ...of, prefix: otherPrefix } });
}

function nameOf({ item }: ItemUsage, depth: number): string {
  return item === undefined ? prunedPrefix : cutPlace(readPlace(item), depth);
}
