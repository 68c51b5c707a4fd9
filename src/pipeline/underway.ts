/** The runs that are under way on a ledger, by its own account: a killed one is among them until it is gone on with. */
import type { Ledger, RunRecord } from '../domain/ledger.ts';

/** Those that are under way are among the newest. */
const newestRuns = 100;

export async function listUnderway(ledger: Pick<Ledger, 'listRuns'>): Promise<readonly RunRecord[]> {
  return (await ledger.listRuns(newestRuns)).filter(({ state }) => state === 'running');
}
