/** Sums by prefix: entry by entry, in pages, since no sum of the ledger knows the library's folders. */
import {
  addUsage,
  type CostFact,
  type CostQuestion,
  type CostTable,
  type ItemUsage,
} from '../../domain/cost.ts';
import type { Ledger } from '../../domain/ledger.ts';
import { cutPlace, readPlace } from '../gather/place.ts';
import { readKey, readUrl } from '../table/address.ts';

const pageRows = 5000;
/** Prefixes beyond these many lines are summed together, so that memory stays flat. */
const mostLines = 20_000;

const prunedPrefix = '(pruned)';
const otherPrefix = '(other)';
/** Of items that lie in no folder: posts, and rows with a bare name. Folders end with a slash. */
const noPrefix = '(no folder)';

/** Fills the tables; what a table has no dimension for does not count there. */
export async function sumPrefixes(
  ledger: Pick<Ledger, 'readItemUsage'>,
  question: CostQuestion,
  how: { readonly depth: number; readonly isPlayed: boolean; readonly tables: readonly CostTable[] },
): Promise<readonly CostTable[]> {
  const facts = new Map<string, CostFact>();
  for (let after = 0; ; ) {
    const page = await ledger.readItemUsage(question, after, pageRows);
    for (const usage of page) if (usage.isLoopback === how.isPlayed) add(facts, usage, how.depth);
    if (page.length < pageRows) break;
    after = page.at(-1)?.id ?? 0;
  }
  for (const fact of facts.values()) for (const table of how.tables) table.add(fact);
  return how.tables;
}

function add(facts: Map<string, CostFact>, usage: ItemUsage, depth: number): void {
  const { month, account, sku, pipeline } = usage;
  const rest = `\n${month}\n${pipeline}\n${account}\n${sku}`;
  let prefix = nameOf(usage, depth);
  if (facts.size >= mostLines && !facts.has(prefix + rest)) prefix = otherPrefix;
  const known = facts.get(prefix + rest);
  const of = known?.of ?? { month, account, sku, pipeline, prefix };
  facts.set(prefix + rest, { ...(known ? addUsage(known, usage) : usage), of });
}

function nameOf({ item }: ItemUsage, depth: number): string {
  if (item === undefined) return prunedPrefix;
  // A row's id may be any name: where it has no key, its link tells where it lies.
  const path = readKey(item) === undefined ? (readUrl(item) ?? readPlace(item)) : readPlace(item);
  return cutPlace(path, depth) || noPrefix;
}
