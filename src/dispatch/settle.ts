/** Turns decisions about elements of a call or job into durable transitions, and then into what happens next. */
import type { ArchivedReply, Transition } from '../domain/ledger.ts';
import { backoffMs, type Decision, pollDelayMs } from '../domain/decide.ts';
import type { FailureBooking, Refusal } from '../domain/outcome.ts';
import type { Task } from '../domain/task.ts';
import { settleUsage, type Usage } from '../domain/usage.ts';
import { saveArtifact } from './artifact.ts';
import type { Bench } from './bench.ts';
import type { Desk, Try, Underway, Watch } from './desk.ts';
import { redactFinding, redactRefusal } from './attempt.ts';
import type { Lane } from './lane.ts';
import { tellDecision } from './tell.ts';

/** One pair of listings settles all that is lost: a moment lets what was lost together come together. */
const gatherMs = 500;

export interface Decided extends Underway {
  readonly decision: Decision;
}

/** Makes the decisions durable, then schedules what follows from them. Resolves when the slot may be given back. */
export async function settle(
  bench: Bench,
  desk: Desk,
  lane: Lane,
  decided: readonly Decided[],
  reply: ArchivedReply | undefined,
): Promise<void> {
  const transitions: Transition[] = [];
  for (const one of decided) {
    const transition = await makeTransition(bench, desk, one, reply);
    if (transition) transitions.push(transition);
  }
  await bench.run.transition(transitions);
  const accepted = new Map<string, Watch>();
  for (const one of decided) tellDecision(bench.log, one);
  for (const one of decided) followUp(bench, desk, lane, one, accepted);
  for (const watch of accepted.values()) schedulePoll(bench, desk, watch);
}

async function makeTransition(
  bench: Bench,
  desk: Desk,
  { attempt, decision }: Decided,
  archived: ArchivedReply | undefined,
): Promise<Transition | undefined> {
  const reply = archived ? { reply: archived } : {};
  switch (decision.next) {
    case 'accept':
      return { is: 'accepted', attempt, job: decision.job, ...reply };
    case 'answer': {
      const { finding, observed, image } = decision.outcome;
      const usage = settleUsage(attempt.usage, observed, desk.account.returnsEmptyFrames);
      const artifact = image ? { artifact: await saveArtifact(image, bench.artifacts) } : {};
      return {
        is: 'answered',
        attempt,
        finding: { ...redactFinding(finding), ...artifact },
        usage,
        ...reply,
      };
    }
    case 'again': {
      const refusal = redactRefusal(decision.refusal);
      const booked = bookFailure(desk, refusal, attempt.usage);
      return { is: 'again', attempt, refusal, costsAttempt: decision.costsAttempt, booked, ...reply };
    }
    case 'fail': {
      const refusal = redactRefusal(decision.refusal);
      const booked = bookFailure(desk, refusal, attempt.usage);
      const { isRemembered, isAskable } = decision;
      return { is: 'failed', attempt, refusal, isRemembered, isAskable, booked, ...reply };
    }
    case 'resend':
      return { is: 'resend', attempt, cause: decision.cause };
    case 'hold':
      return { is: 'held', attempt, cause: decision.cause };
    case 'ask':
      return undefined;
  }
}

/** What a failure costs is documented by no vendor: the account's `booking` says it. */
function bookFailure(desk: Desk, refusal: Refusal, usage: Usage): Usage | undefined {
  if (refusal.booking === 'unsent') return undefined;
  const rule: FailureBooking = refusal.booking;
  const isFree =
    refusal.reaction === 'slow-down' || refusal.reaction === 'halt' || desk.account.booking[rule] === 'free';
  return isFree ? undefined : usage;
}

function followUp(bench: Bench, desk: Desk, lane: Lane, one: Decided, accepted: Map<string, Watch>): void {
  const { attempt, tried, bornMs, decision } = one;
  const { counters } = bench;
  switch (decision.next) {
    case 'accept': {
      const watch = accepted.get(decision.job) ?? makeWatch(lane, decision.job, attempt.isBatch);
      accepted.set(decision.job, watch);
      addToWatch(desk, watch, {
        attempt: { ...attempt, state: 'accepted', job: decision.job },
        tried,
        bornMs,
      });
      return;
    }
    case 'answer':
      counters.answered += 1;
      return;
    case 'fail':
      counters.failed += 1;
      return;
    case 'hold':
      counters.held += 1;
      return;
    case 'again': {
      counters.repeated += 1;
      if (!tried) return;
      const task: Task = { ...tried.task, attempts: tried.task.attempts + (decision.costsAttempt ? 1 : 0) };
      const delay = decision.wait === 'backoff' ? backoffMs(task.attempts, attempt.ref) : 0;
      scheduleTry(
        bench,
        desk,
        lane,
        { ...tried, task, wasSignedAgain: tried.wasSignedAgain || decision.signAgain },
        delay,
      );
      return;
    }
    case 'resend': {
      counters.repeated += 1;
      if (!tried) return;
      const task: Task = { ...tried.task, resends: tried.task.resends + 1 };
      scheduleTry(bench, desk, lane, { ...tried, task }, backoffMs(task.resends, attempt.ref));
      return;
    }
    case 'ask':
      // It may be a job by now: its place stays taken until the vendor has been asked.
      desk.countJobs(lane, 1);
      desk.lost.push({ lane, attempt, tried, bornMs });
      desk.agenda.add(bench.clock.monotonic() + gatherMs, { is: 'search' });
      bench.bell.ring();
      return;
  }
}

export function makeWatch(lane: Lane, job: string, isBatch: boolean): Watch {
  return { lane, job, isBatch, open: new Map(), reads: 0, answers: 0, gone: 0, isReading: false };
}

export function addToWatch(desk: Desk, watch: Watch, underway: Underway): void {
  watch.open.set(underway.attempt.id, underway);
  desk.watches.set(underway.attempt.ref, watch);
}

export function removeFromWatch(desk: Desk, watch: Watch, { attempt }: Underway): void {
  watch.open.delete(attempt.id);
  desk.watches.delete(attempt.ref);
}

export function schedulePoll(bench: Bench, desk: Desk, watch: Watch): void {
  const delayMs = pollDelayMs(watch.reads, watch.job, watch.lane.usualJobMs);
  desk.addPoll(bench.clock.monotonic() + delayMs, watch);
  bench.bell.ring();
}

export function scheduleTry(bench: Bench, desk: Desk, lane: Lane, tried: Try, delayMs: number): void {
  lane.retrying += 1;
  desk.agenda.add(bench.clock.monotonic() + delayMs, { is: 'submit', lane, tries: [tried], isRetry: true });
  bench.bell.ring();
}
