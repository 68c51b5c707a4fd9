/** Takes up what earlier sessions left open: jobs are read on, and calls without a reply are of unknown fate. */
import { decide } from '../domain/decide.ts';
import { groupBy } from '../domain/group.ts';
import type { Attempt } from '../domain/ledger.ts';
import type { Bench } from './bench.ts';
import type { Desk } from './desk.ts';
import { addToWatch, makeWatch, schedulePoll, settle } from './settle.ts';
import { quoteCall } from './submit.ts';

const pageSize = 500;

export async function takeUpOrphans(bench: Bench, desks: readonly Desk[]): Promise<void> {
  for (let after = 0; ; ) {
    const orphans = await bench.run.readOrphans(after, pageSize);
    const last = orphans.at(-1);
    if (!last) return;
    after = last.id;
    const calls = groupBy(orphans, ({ call, job }) => `${call}/${job ?? ''}`);
    for (const attempts of calls.values()) await takeUpCall(bench, desks, attempts);
  }
}

/** Attempts that an earlier session sent in one call, all of them jobs or all of unknown fate. */
async function takeUpCall(bench: Bench, desks: readonly Desk[], attempts: readonly Attempt[]): Promise<void> {
  const first = attempts[0] as Attempt;
  const desk = desks.find(({ account }) => account.name === first.account);
  const lane = desk?.lanes.find(({ use }) => use.name === first.service);
  if (!desk || !lane) {
    const facts = { account: first.account, service: first.service, run: first.run };
    bench.log.warn('an earlier run left work open for a service that this pipeline does not use', facts);
    return;
  }
  if (first.state === 'accepted' && first.job !== undefined) {
    const watch = makeWatch(lane, first.job, first.isBatch);
    for (const attempt of attempts) addToWatch(desk, watch, { attempt, tried: undefined });
    desk.gate.countJobs(attempts.length);
    schedulePoll(bench, desk, watch);
    return;
  }
  const canAsk = lane.use.service.search !== undefined && lane.use.delivery !== 'sync';
  const callCharge = canAsk ? undefined : await quoteCall(bench, first.account, attempts);
  const decided = attempts.map((attempt) => ({
    attempt,
    tried: undefined,
    decision: decide(
      { is: 'unknown', cause: 'the run that sent it ended before a reply' },
      {
        attempts: 0,
        // Every earlier submission of this content counts: across crashes nobody else remembers the resends.
        resends: attempt.number - 1,
        canAsk,
        callCharge,
        resendBelow: bench.resendBelow,
        isLinkExpired: false,
        wasSignedAgain: false,
      },
    ),
  }));
  await settle(bench, desk, lane, decided, undefined);
}
