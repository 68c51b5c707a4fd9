/** A run's ledger as a dispatch sees it that begins after the whole source was planned. */
import type { BenchLedger } from './bench.ts';

/**
 * What is planned stands in the ledger from the beginning, whether or not the session is the run's first. Within the
 * canary the tasks of the other items are not there.
 */
export function seeParked(run: BenchLedger, within?: 'canary'): BenchLedger {
  return {
    isResumed: true,
    get spending() {
      return run.spending;
    },
    readReady: (service, after, limit) => run.readReady(service, after, limit, within),
    intend: (request) => run.intend(request),
    transition: (transitions) => run.transition(transitions),
    readOrphans: (...given) => run.readOrphans(...given),
    reopenAskable: (...given) => run.reopenAskable(...given),
    readWaitedFor: (...given) => run.readWaitedFor(...given),
    readKnownJobs: (...given) => run.readKnownJobs(...given),
    releaseWaiting: () => run.releaseWaiting(),
    quote: (...given) => run.quote(...given),
  };
}
