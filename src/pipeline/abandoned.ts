/** Frees what dead processes hold of shared limits though others have taken over all that they had in hand. */
import type { Ledger } from '../domain/ledger.ts';
import type { Cluster } from './cluster.ts';
import type { Outside } from './outside.ts';

/** Whoever takes over has counted what it took over by the second look. */
const lookMs = 5000;
/** Runs that may be under way, newest first. */
const mostRuns = 100;

/** Until it is stopped. What fails is tried again. */
export async function freeAbandoned(
  { clock, stop }: Pick<Outside, 'clock' | 'stop'>,
  cluster: Pick<Cluster, 'abandoned' | 'findCoordinator'>,
  ledger: Pick<Ledger, 'listRuns' | 'listHolders'>,
): Promise<void> {
  const listBusy = async () => {
    const runs = (await ledger.listRuns(mostRuns)).filter(({ endedAt }) => endedAt === undefined);
    const busy = new Set<string>();
    for (const pipeline of new Set(runs.map((run) => run.pipeline))) {
      const coordinator = await cluster.findCoordinator(pipeline);
      if (coordinator !== undefined) busy.add(coordinator);
      for (const { holder } of await ledger.listHolders(pipeline)) busy.add(holder);
    }
    return busy;
  };
  while (!stop.aborted) {
    await clock.sleep(lookMs, stop);
    if (!stop.aborted) await cluster.abandoned.sweep(listBusy).catch(() => undefined);
  }
}
