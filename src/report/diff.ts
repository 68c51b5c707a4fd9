/** Two runs compared item by item: what is new, changed, gone, judged otherwise, or moved. */
import {
  type ChangeVerdict,
  type Difference,
  hasMoved,
  type ItemChange,
  isFlagged,
  nameVerdict,
  type RunChange,
} from '../domain/change.ts';
import type { Item } from '../domain/item.ts';
import type { Ledger, RunRecord } from '../domain/ledger.ts';
import { type Policy, verdicts } from '../domain/policy.ts';
import type { PriceBook } from '../domain/pricing.ts';
import { openFormer } from './former.ts';
import { makeWorstFirst } from './gather/worst-first.ts';
import { judgeRow } from './judged-item.ts';
import { readPages } from './pages.ts';
import type { RowStream } from './row-stream.ts';
import { addressColumns } from './table/address.ts';
import { sumBill } from './table/bill-table.ts';
import { type Column, liftColumns } from './table/column.ts';

export const differenceColumns: readonly Column<Difference>[] = [
  ...liftColumns(addressColumns, (row: Difference) => row.item),
  { name: 'change', kind: 'text', read: (row) => row.is },
  { name: 'verdict_before', kind: 'text', read: (row) => row.verdictBefore },
  { name: 'verdict', kind: 'text', read: (row) => row.verdict },
  { name: 'service', kind: 'text', read: (row) => row.movement?.service },
  { name: 'op', kind: 'text', read: (row) => row.movement?.op },
  { name: 'label', kind: 'text', read: (row) => row.movement?.name },
  { name: 'score_before', kind: 'number', read: (row) => row.movement?.before },
  { name: 'score', kind: 'number', read: (row) => row.movement?.after },
];

interface Side {
  readonly run: RunRecord;
  readonly policy: Policy;
}

export interface Diffing {
  readonly ledger: Pick<Ledger, 'readItems' | 'readNamed' | 'readBill'>;
  readonly before: Side;
  readonly after: Side;
  readonly prices: PriceBook;
  readonly movedBy: number;
  readonly streams: readonly RowStream<Difference>[];
  /** How many of the differences that most want a look are kept. */
  readonly show: number;
  readonly stop?: AbortSignal | undefined;
}

export interface Diffed {
  readonly change: RunChange;
  /** Flagged anew first, then cleared, then by how far a score moved. */
  readonly worst: readonly Difference[];
}

/**
 * Items are the same by their ids, whatever their order. Those of the later run come first, in its order, then those that
 * are gone, in the earlier one's; nothing is held in memory but a page of each.
 */
export async function diffRuns(diffing: Diffing): Promise<Diffed> {
  const { ledger, before, after, prices, movedBy, streams, show, stop } = diffing;
  const former = openFormer(before, { policy: after.policy, ledger, prices }, movedBy);
  const worst = makeWorstFirst<{ rank: number; order: number; row: Difference }>(show);
  let order = 0;
  const write = async (rows: readonly Difference[]) => {
    for (const row of rows) {
      order += 1;
      const rank = rankOf(row);
      if (rank > 0) worst.add({ rank, order, row });
    }
    for (const stream of streams) await stream.write(rows);
  };
  const head = { before: before.run.id, after: after.run.id };
  for (const stream of streams) await stream.begin(head);
  for await (const page of readPages(ledger, after.run.id, stop)) {
    const rows = await former.compare(page.map((row) => judgeRow(after.policy, row)));
    await write(rows.flatMap(({ item, change }) => (change && makeDifference(item, change, movedBy)) ?? []));
  }
  const total = sumBill(await ledger.readBill(after.run.id, prices));
  const change = await former.conclude(after.run, total);
  if (change.gone !== null && change.gone > 0) await writeGone(diffing, write);
  for (const stream of streams) await stream.end({ change });
  return { change, worst: worst.list().map(({ row }) => row) };
}

async function writeGone(
  { ledger, before, after, stop }: Diffing,
  write: (rows: readonly Difference[]) => Promise<void>,
): Promise<void> {
  for await (const page of readPages(ledger, before.run.id, stop)) {
    const ids = page.map(({ item }) => item.id);
    const there = new Set((await ledger.readNamed(after.run.id, ids)).map(({ item }) => item.id));
    const gone = page.filter(({ item }) => !there.has(item.id));
    await write(
      gone.map((row) => {
        const { verdict } = judgeRow(before.policy, row);
        return { item: row.item, is: 'gone', verdictBefore: nameVerdict(verdict) };
      }),
    );
  }
}

/** `undefined` where nothing differs that is to be told of. */
function makeDifference(item: Item, change: ItemChange, movedBy: number): Difference | undefined {
  const { movement, ...rest } = change;
  const moved = hasMoved(change, movedBy) ? movement : undefined;
  const isAlike = rest.is === 'same' && rest.verdict === rest.verdictBefore && moved === undefined;
  return isAlike ? undefined : { item, ...rest, ...(moved && { movement: moved }) };
}

/** 0 for what nobody needs to look at: new, changed and gone media without a flag or a movement. */
function rankOf({ is, verdict, verdictBefore, movement }: Difference): number {
  if (is === 'gone') return 0;
  if (isFlagged(verdict ?? '') && verdict !== verdictBefore) return 4 + grave(verdict);
  if (verdictBefore !== undefined && verdict !== verdictBefore) return 2 + grave(verdictBefore) / 4;
  return movement?.by ?? 0;
}

function grave(verdict: ChangeVerdict | undefined): number {
  return verdict === undefined || verdict === 'none' ? 0 : verdicts.indexOf(verdict);
}
