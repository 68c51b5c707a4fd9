/** `summary.json`: a run in one document, for scripts and for the next command. */
import type { BilledFailures, BookingRule } from '../domain/booking.ts';
import { checkAccounts } from '../domain/accounting.ts';
import type { CanaryRecord } from '../domain/canary.ts';
import type { Spending } from '../domain/caps.ts';
import type { RunChange } from '../domain/change.ts';
import type { RunRecord, TaskCount } from '../domain/ledger.ts';
import { formatNano } from '../domain/money.ts';
import { type Summary, summariseCap, type SummarySaving, type VerdictCounts } from '../domain/summary.ts';
import { type Status, statuses, statusOf } from '../domain/task.ts';
import type { BillTotal } from './table/bill-table.ts';

/** What the pass over the ledger found, before anything is concluded from it. */
export interface ReportTally {
  readonly verdicts: VerdictCounts;
  /** By status, as the accounting identity names them. */
  readonly counts: Summary['counts'];
  /** False where tasks are unaccounted for, which is our mistake (exit 70). */
  readonly isBalanced: boolean;
  /** Tasks that there should be, and tasks that there are. */
  readonly expected: number;
  readonly found: number;
  /** The caps that kept tasks from being sent. */
  readonly fullCaps: readonly string[];
}

/**
 * Counts the tasks and checks the accounting identity. `streamed` is how many tasks the tables hold: for a run that
 * has ended it must be the same number, so that a row lost on the way to a table is noticed too.
 */
export function makeTally(
  run: RunRecord,
  tasks: readonly TaskCount[],
  streamed: number,
  verdicts: VerdictCounts,
): ReportTally {
  const byStatus = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>;
  for (const { state, count } of tasks) byStatus[statusOf(state)] += count;
  const { 'over-cap': overCap, answered, reused, skipped, failed, held, open } = byStatus;
  const { items, notApplicable, unselected, broken } = run.counters;
  const services = run.services.length;
  const counts = { items, services, notApplicable, answered, reused, skipped, failed, held, overCap, open };
  const account = checkAccounts(counts);
  const counted = tasks.reduce((sum, { count }) => sum + count, 0);
  const isWhole = run.state === 'running' || streamed === counted;
  return {
    verdicts,
    counts: { ...counts, unselected, broken },
    isBalanced: account.isBalanced && isWhole,
    expected: account.expected,
    fullCaps: [
      ...new Set(
        tasks.flatMap(({ state, reason, count }) => (state === 'over-cap' && count > 0 ? reason : [])),
      ),
    ].sort(),
    found: isWhole ? account.found : account.found - counted + streamed,
  };
}

/** The document, its keys in the order of the contract. */
export function makeSummary(
  run: RunRecord,
  tally: ReportTally,
  total: BillTotal,
  currency: string,
  { caps, overrun }: Pick<Spending, 'caps' | 'overrun'>,
  more: {
    readonly bookings?: Readonly<Record<string, BookingRule>> | undefined;
    readonly billed: BilledFailures;
    readonly saved?: SummarySaving | undefined;
    readonly change?: RunChange | undefined;
  },
): Summary {
  return {
    run: run.id,
    pipeline: run.pipeline,
    configHash: run.hash,
    listing: run.listing,
    counts: tally.counts,
    startedAt: run.startedAt,
    endedAt: run.endedAt ?? null,
    units: total.units,
    charge: formatNano(total.charge),
    currency,
    // Jobs at the vendor will be charged when they end.
    complete: total.isComplete && tally.counts.open === 0,
    verdicts: tally.verdicts,
    exitCode: run.exitCode ?? null,
    why: run.why ?? null,
    ...(more.bookings && { booking: more.bookings }),
    ...(more.billed.tasks > 0 && { billedFailures: describeFailures(more.billed) }),
    ...(more.saved && { saved: more.saved }),
    ...(caps.length > 0 && { caps: caps.map(summariseCap) }),
    ...(Object.keys(overrun).length > 0 && { overrun }),
    ...(run.canary && { canary: describeCanary(run.canary) }),
    ...(run.plan && { plan: { sha256: run.plan.sha256, tolerance: run.plan.tolerance } }),
    ...(more.change && { change: more.change }),
  };
}

/** Money as a decimal string. */
export function describeFailures({ tasks, units, charge }: BilledFailures) {
  return { tasks, units, charge: formatNano(charge) };
}

function describeCanary({ state, items, verdict }: CanaryRecord): Summary['canary'] {
  if (!verdict) return { state, items };
  const { ended, failed, chargePerItem, reasons } = verdict;
  return {
    state,
    items: verdict.items,
    ended,
    failed,
    ...(chargePerItem !== undefined && { chargePerItem: formatNano(BigInt(chargePerItem)) }),
    ...(reasons.length > 0 && { reasons }),
  };
}
