/** What people decided, on its way from a file into the ledger. */
import type { Places, ReviewImport } from '../cli/spine.ts';
import { wrongUse } from '../domain/problem.ts';
import { readReviewFile } from '../source/review-file.ts';
import { withLedgerOf } from './ledger.ts';
import type { Outside } from './outside.ts';

/** Rows that cannot be read are told of, and keep none of the others from being stored. */
export async function importReview(
  outside: Outside,
  path: string,
  reviewer: string | undefined,
  places: Places,
): Promise<ReviewImport> {
  const { environment, standardInput } = outside;
  const { decisions, blank, faults } = await readReviewFile(path, standardInput);
  const by = reviewer ?? environment['USER'] ?? environment['LOGNAME'] ?? '';
  if (by === '' && decisions.length > 0) {
    throw wrongUse(
      'review import: expected to know who decided, found no user name in the environment. Say it with --by NAME.',
    );
  }
  const decided = await withLedgerOf(outside, places, (ledger) => ledger.decide(decisions, by));
  const verdicts = { pass: 0, review: 0, block: 0, clear: 0 };
  for (const { verdict } of decisions) verdicts[verdict ?? 'clear'] += 1;
  return { ...decided, by, blank, verdicts, faults };
}
