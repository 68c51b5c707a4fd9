/** How many tasks of an earlier session are still to be carried out, beside those that planning will find again. */
import type { RunLedger, TaskCount } from '../domain/ledger.ts';

/** Where a manifest is read from its beginning, planning counts what was only planned once more. */
export function countLeft(tasks: readonly TaskCount[], run: Pick<RunLedger, 'checkpoint'>): number {
  const states =
    run.checkpoint === undefined
      ? ['intent', 'accepted']
      : ['intent', 'accepted', 'planned', 'pending', 'waiting'];
  return tasks.filter(({ state }) => states.includes(state)).reduce((sum, { count }) => sum + count, 0);
}
