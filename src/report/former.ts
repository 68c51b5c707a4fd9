/** The run before the one that is reported on: looked up page by page, so that what changed costs no memory. */
import { compareItem, defaultMovedBy, makeChangeTally, type RunChange } from '../domain/change.ts';
import type { Ledger, RunRecord } from '../domain/ledger.ts';
import { formatNano } from '../domain/money.ts';
import type { Policy } from '../domain/policy.ts';
import { type JudgedItem, judgeRow } from './judged-item.ts';
import type { ReportRequest } from './request.ts';
import { type BillTotal, sumBill } from './table/bill-table.ts';

export interface Former {
  /** The same rows, each with what changed since the run before. */
  readonly compare: (rows: readonly JudgedItem[]) => Promise<readonly JudgedItem[]>;
  /** What changed over all rows compared. */
  readonly conclude: (run: RunRecord, total: BillTotal) => Promise<RunChange>;
}

/**
 * Items are the same by their ids, in whatever order the two sources gave them. Each run is judged by the policy given
 * for it. `movedBy` is by how much a score must move to count.
 */
export function openFormer(
  previous: { readonly run: RunRecord; readonly policy: Policy },
  {
    policy,
    ledger,
    prices,
  }: Pick<ReportRequest, 'policy' | 'prices'> & {
    readonly ledger: Pick<Ledger, 'readNamed' | 'readBill'>;
  },
  movedBy = defaultMovedBy,
): Former {
  const tally = makeChangeTally(movedBy);
  return {
    async compare(rows) {
      const found = await ledger.readNamed(
        previous.run.id,
        rows.map(({ item }) => item.id),
      );
      const byId = new Map(found.map((row) => [row.item.id, judgeRow(previous.policy, row)]));
      return rows.map((row) => {
        const before = byId.get(row.item.id);
        const change = compareItem(before, row, policy);
        tally.add(change);
        return { ...row, change };
      });
    },
    async conclude(run, total) {
      const before = sumBill(await ledger.readBill(previous.run.id, prices));
      return {
        previous: previous.run.id,
        previousStartedAt: previous.run.startedAt,
        ...tally.counts(),
        gone: run.listing === 'complete' ? previous.run.counters.items - tally.matched() : null,
        charge: {
          before: formatNano(before.charge),
          after: formatNano(total.charge),
          currency: prices.currency,
          complete: before.isComplete && total.isComplete,
        },
      };
    },
  };
}
