/** Why tasks were skipped, the most frequent reasons first. */
import type { TaskCount } from '../../domain/ledger.ts';
import { formatCount } from '../../domain/quantity.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';

const mostSkips = 3;

export function formatSkips(skips: readonly TaskCount[]): readonly string[] {
  const sorted = skips.toSorted((one, other) => other.count - one.count);
  const rows = sorted
    .slice(0, mostSkips)
    .map(({ service, reason, count }) => [
      'skipped',
      formatCount(count),
      makePlain(service),
      makePlain(reason),
    ]);
  if (rows.length === 0) return [];
  const columns = ['', '', '', ''].map((title, index) => ({ title, isRight: index === 1 }));
  const left = sorted.slice(mostSkips).reduce((sum, { count }) => sum + count, 0);
  return [
    ...formatTable(columns, rows),
    ...(left === 0 ? [] : [`and ${formatCount(left)} for other reasons, in tasks.jsonl`]),
  ];
}
