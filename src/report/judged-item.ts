/** An item with what is concluded from its tasks at report time: its verdict, the reasons, and its worst status. */
import type { ItemChange } from '../domain/change.ts';
import type { ItemRow } from '../domain/ledger.ts';
import { judgeItem, type Policy, type Verdict } from '../domain/policy.ts';
import { type Status, statuses } from '../domain/task.ts';

export interface JudgedItem extends ItemRow {
  /** Empty where no service applies. */
  readonly verdict: Verdict | '';
  readonly reasons: readonly string[];
  /** The worst of its tasks; empty where no service applies. */
  readonly status: Status | '';
  /** Against the run before; absent where there is none to compare with. */
  readonly change?: ItemChange | undefined;
}

/** Applies the policy to one item of the ledger. Pure: the same row and policy give the same verdict. */
export function judgeRow(policy: Policy, row: ItemRow): JudgedItem {
  const { verdict, reasons } = judgeItem(policy, row.tasks);
  return { ...row, verdict, reasons, status: findWorst(row.tasks.map((task) => task.status)) };
}

function findWorst(found: readonly Status[]): Status | '' {
  return statuses.findLast((status) => found.includes(status)) ?? '';
}
