/** The columns of a reconciliation, for CSV and JSON. */
import { formatNano } from '../../domain/money.ts';
import type { ReconciledRow } from '../../domain/reconcile.ts';
import type { Column } from '../table/column.ts';

export const reconcileColumns: readonly Column<ReconciledRow>[] = [
  { name: 'result', kind: 'text', read: (row) => row.is },
  { name: 'date', kind: 'time', read: (row) => row.when },
  { name: 'sku', kind: 'text', read: (row) => row.sku },
  { name: 'id', kind: 'text', read: (row) => row.id },
  { name: 'their_units', kind: 'number', read: ({ theirs }) => theirs?.units },
  { name: 'our_units', kind: 'number', read: ({ ours }) => ours && ours.observed + ours.estimated },
  { name: 'our_units_uncertain', kind: 'number', read: ({ ours }) => ours?.uncertain },
  {
    name: 'their_amount',
    kind: 'number',
    read: ({ theirs }) => (theirs?.amount === undefined ? undefined : formatNano(theirs.amount)),
  },
  {
    name: 'our_charge',
    kind: 'number',
    read: ({ ours }) => (ours?.isComplete === true ? formatNano(ours.charge) : undefined),
  },
  { name: 'note', kind: 'text', read: (row) => row.note },
];
