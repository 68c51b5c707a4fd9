/** Reading a job until all its elements have ended. Reads are free and always repeated; only a job's end costs. */
import { decide, maxAttemptsOf } from '../domain/decide.ts';
import type { Outcome, Refusal } from '../domain/outcome.ts';
import { archive, sendCall } from './attempt.ts';
import type { Bench } from './bench.ts';
import type { Desk, Underway, Watch } from './desk.ts';
import { type Decided, removeFromWatch, schedulePoll, settle } from './settle.ts';
import { isPast, noteOutcomes } from './submit.ts';

/** A job is lost when the vendor does not know it in this many reads, a minute apart. DESIGN, "Jobs". */
const readsUntilLost = 3;
const lostReadEveryMs = 60_000;
/** Reads without any answer after which an overdue job is given up for this run. */
const readsUntilGivenUp = 5;

/** One read of a job; schedules the next one unless the job has ended. */
export async function pollJob(bench: Bench, desk: Desk, watch: Watch, proceed: () => void): Promise<void> {
  const { lane } = watch;
  const { service, account, options } = lane.use;
  if (watch.open.size === 0 || watch.isReading || !service.poll || !service.readJob) return;
  watch.isReading = true;
  try {
    const leave = await desk.gate.enter();
    proceed();
    if (!leave) return;
    try {
      const timeoutMs = bench.deadlines.callMs;
      const sent = await sendCall(bench, desk, service.poll(watch.job, watch.isBatch), {
        account,
        timeoutMs,
      });
      watch.reads += 1;
      if (sent.phase !== 'answered') {
        desk.gate.suffer(sent.cause);
        // A job that is overdue from the beginning is one to be read before it is given up, and perhaps paid for again.
        if (watch.answers === 0 && watch.reads < readsUntilGivenUp) return;
        await endOverdue(bench, desk, watch);
        return;
      }
      watch.answers += 1;
      const underway = [...watch.open.values()];
      const elements = underway.map(({ attempt }) => attempt);
      const outcomes = service.readJob(sent.reply, {
        job: watch.job,
        elements,
        options,
        isBatch: watch.isBatch,
      });
      noteOutcomes(bench, desk, lane, outcomes, sent.reply);
      watch.gone = outcomes.every(({ is }) => is === 'gone') ? watch.gone + 1 : 0;
      const decided = underway.flatMap((one, index) => decideElement(bench, watch, one, outcomes[index]));
      await settleJob(bench, desk, watch, decided, archive(sent.reply));
      await endOverdue(bench, desk, watch);
    } finally {
      leave();
    }
  } finally {
    watch.isReading = false;
    if (watch.open.size > 0) scheduleNext(bench, desk, watch);
    bench.bell.ring();
  }
}

function scheduleNext(bench: Bench, desk: Desk, watch: Watch): void {
  if (watch.gone === 0) schedulePoll(bench, desk, watch);
  else desk.addPoll(bench.clock.monotonic() + lostReadEveryMs, watch);
}

function decideElement(
  bench: Bench,
  watch: Watch,
  underway: Underway,
  outcome: Outcome | undefined,
): Decided[] {
  const { tried } = underway;
  if (outcome?.is === 'gone' && watch.gone >= readsUntilLost) {
    const refusal = makeOurRefusal(
      'job-lost',
      `the vendor no longer knows job ${watch.job}: ${outcome.message}`,
    );
    return [{ ...underway, decision: { next: 'fail', refusal, isRemembered: true } }];
  }
  const isEnd =
    outcome?.is === 'answered' ||
    (outcome?.is === 'refused' &&
      (outcome.refusal.reaction === 'give-up' || outcome.refusal.reaction === 'try-again'));
  if (!outcome || !isEnd) return [];
  const decision = decide(outcome, {
    attempts: tried?.task.attempts ?? 0,
    maxAttempts: maxAttemptsOf(watch.lane.use),
    resends: tried?.task.resends ?? 0,
    canAsk: false,
    callCharge: undefined,
    resendBelow: bench.resendBelow,
    isLinkExpired: isPast(tried?.linkExpiresAt, bench.clock.now()),
    wasSignedAgain: tried?.wasSignedAgain ?? false,
  });
  return [{ ...underway, decision }];
}

/**
 * A job past its deadline fails, is booked as billed, and is remembered, so that it is not paid for again unasked. It stays
 * recorded: later runs read it again.
 */
async function endOverdue(bench: Bench, desk: Desk, watch: Watch): Promise<void> {
  const now = bench.clock.monotonic();
  const overdue: Decided[] = [];
  for (const underway of watch.open.values()) {
    // A stamp of an earlier session is only as good as this machine's clock: when it was taken up, and now.
    const doubtMs = underway.tried ? 0 : bench.witness.aheadMs;
    const ages = [now - underway.bornMs];
    if (!underway.tried) ages.push(bench.clock.now() - underway.attempt.intendedAtMs);
    if (Math.min(...ages) - doubtMs < bench.deadlines.jobMs) continue;
    const refusal = makeOurRefusal(
      'deadline',
      `job ${watch.job} had not ended ${bench.deadlines.jobMs / 1000} s after its submission`,
    );
    overdue.push({
      ...underway,
      decision: { next: 'fail', refusal, isRemembered: true, isAskable: true },
    });
  }
  await settleJob(bench, desk, watch, overdue, undefined);
}

async function settleJob(
  bench: Bench,
  desk: Desk,
  watch: Watch,
  decided: readonly Decided[],
  reply: ReturnType<typeof archive> | undefined,
): Promise<void> {
  if (decided.length === 0) return;
  await settle(bench, desk, watch.lane, decided, reply);
  for (const one of decided) {
    removeFromWatch(desk, watch, one);
    if (one.decision.next === 'answer') watch.lane.noteJobEnd(bench.clock.monotonic() - one.bornMs);
  }
  desk.countJobs(watch.lane, -decided.length);
}

function makeOurRefusal(ourClass: string, message: string): Refusal {
  return { reaction: 'give-up', class: ourClass, code: '', message, booking: 'failedJob' };
}
