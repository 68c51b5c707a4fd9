/** Sums what tasks would have used that the `when` of their service spared. */
import type { TaskRow } from '../../domain/ledger.ts';
import type { Units } from '../../domain/usage.ts';

/** Units that an account was not asked for. */
export interface SparedUnits {
  readonly account: string;
  readonly units: Units;
}

export interface Savings {
  readonly add: (task: TaskRow) => void;
  readonly tasks: () => number;
  readonly list: () => readonly SparedUnits[];
}

export function makeSavings(): Savings {
  const accounts = new Map<string, Record<string, number>>();
  let tasks = 0;
  return {
    add({ account, spared }) {
      if (!spared) return;
      tasks += 1;
      const units = accounts.get(account) ?? {};
      accounts.set(account, units);
      for (const [sku, count] of Object.entries(spared)) units[sku] = (units[sku] ?? 0) + count;
    },
    tasks: () => tasks,
    list: () => [...accounts].map(([account, units]) => ({ account, units })),
  };
}
