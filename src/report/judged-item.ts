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

/**
 * Applies the policy to one item of the ledger. Where the policy respects decisions, that of a person stands in the place
 * of its rules. Pure: the same row and policy give the same verdict.
 */
export function judgeRow(policy: Policy, row: ItemRow): JudgedItem {
  const { verdict, reasons } = judgeItem(policy, row.tasks);
  const status = findWorst(row.tasks.map((task) => task.status));
  const { decision } = row;
  if (policy.respectsDecisions !== true || decision === undefined || verdict === '') {
    return { ...row, verdict, reasons, status };
  }
  return { ...row, verdict: decision.verdict, reasons: [`decided by ${decision.by}`], status };
}

function findWorst(found: readonly Status[]): Status | '' {
  return statuses.findLast((status) => found.includes(status)) ?? '';
}
