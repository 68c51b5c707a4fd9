/** Reads a run's bill from the sums that its commits keep. */
import type { BillRow } from '../../domain/ledger.ts';
import type { PriceBook } from '../../domain/pricing.ts';
import type { Basis } from '../../domain/usage.ts';
import type { Database } from './database.ts';
import { groupBy } from '../../domain/group.ts';
import type { RunRow } from './run-row.ts';
import { readServices } from './run-row.ts';
import { readStored } from './stored.ts';

interface TotalRow {
  readonly account: string;
  readonly sku: string;
  readonly basis: Basis;
  readonly units: number;
  readonly free: number;
  readonly pack: number;
  /** As text: it may pass what a number holds exactly. */
  readonly charge: string;
  readonly incomplete: number;
}

/** One row per account and SKU, in the order of their names. */
export async function readBillRows(
  db: Database,
  run: RunRow,
  prices: PriceBook,
): Promise<readonly BillRow[]> {
  const totals = await db.all<TotalRow>(
    `SELECT account, sku, basis, sum(units) AS units, sum(free) AS free, sum(pack) AS pack,
       CAST(sum(charge) AS TEXT) AS charge, sum(incomplete) AS incomplete
     FROM totals WHERE run = ? GROUP BY account, sku, basis ORDER BY account, sku`,
    [run.seq],
  );
  const assumptions = await db.all<{ account: string; sku: string; assumption: string; tasks: number }>(
    'SELECT account, sku, assumption, tasks FROM assumptions WHERE run = ?',
    [run.seq],
  );
  const nameOf = (row: { account: string; sku: string }) => JSON.stringify([row.account, row.sku]);
  const assumed = groupBy(assumptions, nameOf);
  return [...groupBy(totals, nameOf)].map(([name, rows]) =>
    makeBillRow(run, prices, rows, assumed.get(name) ?? []),
  );
}

function makeBillRow(
  run: RunRow,
  prices: PriceBook,
  rows: readonly TotalRow[],
  assumptions: readonly { readonly assumption: string; readonly tasks: number }[],
): BillRow {
  const { account = '', sku = '' } = rows[0] ?? {};
  const price = prices.skus.get(sku);
  const units = (readStored(run.sku_units) as Readonly<Record<string, string>>)[sku];
  const service = readServices(run).find((one) => one.account === account);
  const sum = (pick: (row: TotalRow) => number) => rows.reduce((total, row) => total + pick(row), 0);
  const sumOf = (basis: Basis) => sum((row) => (row.basis === basis ? row.units : 0));
  return {
    account,
    vendor: service?.vendor ?? sku.split('/', 1)[0] ?? '',
    sku,
    unit: price?.unit ?? units ?? '',
    observed: sumOf('observed'),
    estimated: sumOf('estimated'),
    uncertain: sumOf('uncertain'),
    free: sum((row) => row.free),
    pack: sum((row) => row.pack),
    charge: rows.reduce((total, row) => total + BigInt(row.charge), 0n),
    currency: price?.currency ?? prices.currency,
    isComplete: rows.every((row) => row.incomplete === 0),
    assumptions: Object.fromEntries(assumptions.map(({ assumption, tasks }) => [assumption, tasks])),
  };
}
