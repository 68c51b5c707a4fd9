/** Takes up what earlier sessions left open: jobs are read on, and calls without a reply are of unknown fate. */
import { decide, maxAttemptsOf } from '../domain/decide.ts';
import { groupBy } from '../domain/group.ts';
import type { Attempt } from '../domain/ledger.ts';
import type { Bench } from './bench.ts';
import type { ServiceUse } from '../domain/settings.ts';
import type { Desk } from './desk.ts';
import type { Lane } from './lane.ts';
import { addToWatch, makeWatch, schedulePoll, settle } from './settle.ts';
import { quoteCall } from './submit.ts';

const pageSize = 500;
/** Looked at in one go; the others' turn comes when these have ended. */
const mostForeign = 10_000;

/** Where an orphan is taken care of. */
export interface Place {
  readonly desk: Desk;
  readonly lane: Lane;
}

/** Undefined where nobody can: the service or its account is not configured any more. */
export type FindPlace = (attempt: Attempt) => Promise<Place | undefined>;

/** What earlier sessions of this pipeline left, also what they could not ask for or gave up waiting for. */
export async function takeUpOrphans(
  bench: Bench,
  services: readonly ServiceUse[],
  findPlace: FindPlace,
): Promise<void> {
  const askable = services.filter(({ service }) => service.poll !== undefined);
  await bench.run.reopenAskable(
    askable.map(({ name, account }) => ({ service: name, account: account.name })),
  );
  for (let after = 0; ; ) {
    const orphans = await bench.run.readOrphans(after, pageSize);
    const last = orphans.at(-1);
    if (!last) return;
    after = last.id;
    const calls = groupBy(orphans, nameCall);
    for (const attempts of calls.values()) await takeUpCall(bench, findPlace, attempts);
  }
}

/**
 * What dead runs of other pipelines left open and tasks of this run wait for. Each attempt is taken up once, `adopted`
 * says which were. Answers how many now have an end to come to, and whether a living run is among those waited for.
 */
export async function takeUpForeign(
  bench: Bench,
  findPlace: FindPlace,
  isAlive: (pipeline: string) => Promise<boolean>,
  adopted: Set<number>,
): Promise<{ readonly taken: number; readonly isAnyAlive: boolean }> {
  let taken = 0;
  let isAnyAlive = false;
  const rows = await bench.run.readWaitedFor(mostForeign);
  for (const [owner, owned] of groupBy(rows, (row) => row.owner)) {
    if (await isAlive(owner)) {
      isAnyAlive = true;
      continue;
    }
    const attempts = owned.map(({ attempt }) => attempt).filter(({ id }) => !adopted.has(id));
    for (const call of groupBy(attempts, nameCall).values()) {
      for (const { id } of call) adopted.add(id);
      if (await takeUpCall(bench, findPlace, call)) taken += call.length;
    }
  }
  return { taken, isAnyAlive };
}

function nameCall({ call, job }: Attempt): string {
  return `${call}/${job ?? ''}`;
}

/** Attempts that were sent in one call, all of them jobs or all of unknown fate. False where nobody can see to them. */
async function takeUpCall(
  bench: Bench,
  findPlace: FindPlace,
  attempts: readonly Attempt[],
): Promise<boolean> {
  const first = attempts[0] as Attempt;
  const place = await findPlace(first);
  if (!place) {
    const facts = { account: first.account, service: first.service, run: first.run };
    bench.log.warn(
      'an earlier run left work open for a service or account that is not configured any more',
      facts,
    );
    return false;
  }
  const { desk, lane } = place;
  if (first.state === 'accepted' && first.job !== undefined) {
    const watch = makeWatch(lane, first.job, first.isBatch);
    for (const attempt of attempts) {
      addToWatch(desk, watch, { attempt, tried: undefined, bornMs: findBirth(bench, attempt) });
    }
    desk.countJobs(lane, attempts.length);
    schedulePoll(bench, desk, watch);
    return true;
  }
  const canAsk = lane.use.service.search !== undefined && lane.use.delivery !== 'sync';
  const callCharge = canAsk ? undefined : await quoteCall(bench, first.account, attempts);
  const decided = attempts.map((attempt) => ({
    attempt,
    tried: undefined,
    bornMs: findBirth(bench, attempt),
    decision: decide(
      { is: 'unknown', cause: 'the run that sent it ended before a reply' },
      {
        attempts: 0,
        maxAttempts: maxAttemptsOf(lane.use),
        resends: attempt.resends,
        canAsk,
        callCharge,
        resendBelow: bench.resendBelow,
        isLinkExpired: false,
        wasSignedAgain: false,
      },
    ),
  }));
  await settle(bench, desk, lane, decided, undefined);
  return true;
}

/** By the stamp of the session that sent it: what it went by is a clock that may have been set since. */
function findBirth({ clock }: Bench, { intendedAtMs }: Attempt): number {
  return clock.monotonic() - Math.max(0, clock.now() - intendedAtMs);
}
