/** The items of a run, a page at a time, in source order. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ItemRow, Ledger } from '../domain/ledger.ts';
import { exitCodes, Stop } from '../domain/problem.ts';

/** What outlives a collection of garbage is copied: pages of 500 take a sixth more processor time than these. */
const itemsPerPage = 200;

/**
 * One page is in memory at a time, however many there are, and other work gets its turn between two of them.
 *
 * @throws `Stop` (exit 130 or 143) once `stop` has aborted
 */
export async function* readPages(
  ledger: Pick<Ledger, 'readItems'>,
  run: string,
  stop?: AbortSignal,
): AsyncGenerator<readonly ItemRow[]> {
  let after: Uint8Array | undefined;
  for (;;) {
    const page = await ledger.readItems(run, after, itemsPerPage);
    const last = page.at(-1);
    if (last === undefined) return;
    await nextTurn();
    if (stop?.aborted === true) throw new Stop(codeOf(stop.reason), 'interrupted before the last item.');
    yield page;
    after = last.item.position;
  }
}

function codeOf(signal: unknown) {
  return signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
}
