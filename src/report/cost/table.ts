/** The columns of what was spent, for CSV and JSON. */
import type { CostDimension, CostLine } from '../../domain/cost.ts';
import { writeKnownCharge } from '../../domain/money.ts';
import type { Column } from '../table/column.ts';

/** The dimensions first, then units and money; a charge is empty where nothing of it is known. */
export function costColumns(by: readonly CostDimension[], currency: string): readonly Column<CostLine>[] {
  return [
    ...by.map((name): Column<CostLine> => ({ name, kind: 'text', read: ({ of }) => of[name] })),
    { name: 'units_observed', kind: 'number', read: (line) => line.observed },
    { name: 'units_estimated', kind: 'number', read: (line) => line.estimated },
    { name: 'units_uncertain', kind: 'number', read: (line) => line.uncertain },
    { name: 'units_free', kind: 'number', read: (line) => line.free },
    { name: 'units_pack', kind: 'number', read: (line) => line.pack },
    { name: 'charge', kind: 'number', read: writeKnownCharge },
    { name: 'currency', kind: 'text', read: () => currency },
    { name: 'complete', kind: 'boolean', read: (line) => line.isComplete },
    { name: 'units_projected', kind: 'number', read: ({ projected }) => projected?.units },
    {
      name: 'charge_projected',
      kind: 'number',
      read: ({ projected }) => projected && writeKnownCharge(projected),
    },
  ];
}
