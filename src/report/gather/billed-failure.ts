/** Sums what tasks that failed were booked with: the part of the bill that rests on the accounts' booking rules. */
import type { BilledFailures } from '../../domain/booking.ts';
import type { TaskRow } from '../../domain/ledger.ts';

export interface FailureBill {
  readonly add: (task: TaskRow) => void;
  readonly sum: () => BilledFailures;
}

export function makeFailureBill(): FailureBill {
  const units: Record<string, number> = {};
  let tasks = 0;
  let charge = 0n;
  return {
    add(task) {
      if (task.status !== 'failed') return;
      const used = Object.entries(task.units).filter(([, count]) => count > 0);
      if (used.length === 0) return;
      tasks += 1;
      charge += task.charge;
      for (const [sku, count] of used) units[sku] = (units[sku] ?? 0) + count;
    },
    sum: () => ({ tasks, units: { ...units }, charge }),
  };
}
