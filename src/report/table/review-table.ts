/** `review.csv`: what a person is to look at, with a column for their decision; `review import` reads it back. */
import { isFlagged } from '../../domain/change.ts';
import type { JudgedItem } from '../judged-item.ts';
import { addressColumns } from './address.ts';
import { type Column, liftColumns } from './column.ts';

export interface ReviewRow {
  readonly row: JudgedItem;
  readonly run: string;
}

/** `decision` and `comment` are left to the reviewer; `decided` and what follows it are of an earlier decision. */
export const reviewColumns: readonly Column<ReviewRow>[] = [
  ...liftColumns(addressColumns, ({ row }: ReviewRow) => row.item),
  { name: 'verdict', kind: 'text', read: ({ row }) => row.verdict },
  { name: 'reasons', kind: 'text', read: ({ row }) => row.reasons.join('; ') },
  { name: 'decision', kind: 'text', read: () => undefined },
  { name: 'comment', kind: 'text', read: () => undefined },
  { name: 'decided', kind: 'text', read: ({ row }) => row.decision?.verdict },
  { name: 'decided_by', kind: 'text', read: ({ row }) => row.decision?.by },
  { name: 'decided_at', kind: 'time', read: ({ row }) => row.decision?.at },
  { name: 'decided_comment', kind: 'text', read: ({ row }) => row.decision?.comment },
  { name: 'run', kind: 'text', read: ({ run }) => run },
  { name: 'content', kind: 'text', read: ({ row }) => row.content },
];

/** Items to review or block, those decided before among them. */
export function listReview(row: JudgedItem, run: string): readonly ReviewRow[] {
  return isFlagged(row.verdict) ? [{ row, run }] : [];
}
