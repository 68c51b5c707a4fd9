/** `bill.csv` and `bill.json`: one row for each SKU of an account, and the total. */
import { groupBy } from '../../domain/group.ts';
import type { BillRow } from '../../domain/ledger.ts';
import { formatNano, writeKnownCharge } from '../../domain/money.ts';
import type { Nano } from '../../domain/pricing.ts';
import type { Units } from '../../domain/usage.ts';
import type { Column } from './column.ts';

export const billColumns: readonly Column<BillRow>[] = [
  { name: 'account', kind: 'text', read: (row) => row.account },
  { name: 'vendor', kind: 'text', read: (row) => row.vendor },
  { name: 'sku', kind: 'text', read: (row) => row.sku },
  { name: 'unit', kind: 'text', read: (row) => row.unit },
  { name: 'units_observed', kind: 'number', read: (row) => row.observed },
  { name: 'units_estimated', kind: 'number', read: (row) => row.estimated },
  { name: 'units_uncertain', kind: 'number', read: (row) => row.uncertain },
  { name: 'units_free', kind: 'number', read: (row) => row.free },
  { name: 'units_pack', kind: 'number', read: (row) => row.pack },
  { name: 'unit_price', kind: 'number', read: readUnitPrice },
  { name: 'charge', kind: 'number', read: writeKnownCharge },
  { name: 'currency', kind: 'text', read: (row) => row.currency },
  { name: 'complete', kind: 'boolean', read: (row) => row.isComplete },
];

export interface BillTotal {
  /** Sum of what is known; a lower bound unless complete. */
  readonly charge: Nano;
  readonly isComplete: boolean;
  /** Units booked by SKU over all accounts, uncertain ones left out. */
  readonly units: Units;
  readonly uncertain: number;
}

/** Sums the rows of a bill. */
export function sumBill(rows: readonly BillRow[]): BillTotal {
  const units: Record<string, number> = {};
  for (const row of rows) units[row.sku] = (units[row.sku] ?? 0) + row.observed + row.estimated;
  return {
    charge: rows.reduce((sum, row) => sum + row.charge, 0n),
    isComplete: rows.every((row) => row.isComplete),
    units,
    uncertain: rows.reduce((sum, row) => sum + row.uncertain, 0),
  };
}

/** Assumptions with how many tasks each. A task that is billed under several SKUs of an account counts once. */
export function sumAssumptions(rows: readonly BillRow[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const ofAccount of groupBy(rows, ({ account }) => account).values()) {
    const most: Record<string, number> = {};
    for (const row of ofAccount) {
      for (const [text, count] of Object.entries(row.assumptions))
        most[text] = Math.max(most[text] ?? 0, count);
    }
    for (const [text, count] of Object.entries(most)) sums[text] = (sums[text] ?? 0) + count;
  }
  return sums;
}

/** Charge over charged units (free ones cost nothing), to a billionth; empty where nothing was charged. */
function readUnitPrice(row: BillRow): string | undefined {
  const charged = BigInt(row.observed + row.estimated - row.free);
  if (!row.isComplete || charged <= 0n) return undefined;
  return formatNano((row.charge * 2n + charged) / (charged * 2n));
}
