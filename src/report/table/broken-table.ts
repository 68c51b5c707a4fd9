/** `broken.csv`: every row of a manifest that could not be used. */
import { type BrokenRow, lineInFile } from '../../domain/item.ts';
import type { Column } from './column.ts';

export const brokenColumns: readonly Column<BrokenRow>[] = [
  { name: 'line', kind: 'number', read: lineInFile },
  { name: 'message', kind: 'text', read: ({ message }) => message },
];
