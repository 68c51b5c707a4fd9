/** One submission from links to settled outcomes: intent before money, and the place held until the reply is durable. */
import { type Cap, concerns, isPassed } from '../domain/caps.ts';
import { decide, backoffMs, maxAttemptsOf } from '../domain/decide.ts';
import type { Reply, Sent } from '../domain/exchange.ts';
import type { Attempt } from '../domain/ledger.ts';
import { hashLink } from '../domain/link.ts';
import type { Outcome, Refusal } from '../domain/outcome.ts';
import type { Nano } from '../domain/pricing.ts';
import type { Submission } from '../domain/service.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { LinkTrouble, SignedLink } from '../domain/storage.ts';
import type { Units } from '../domain/usage.ts';
import { archive, sendCall } from './attempt.ts';
import type { Bench } from './bench.ts';
import type { Desk, Try, Work } from './desk.ts';
import { enterAll } from './gate.ts';
import type { Lane } from './lane.ts';
import { type Decided, scheduleTry, settle } from './settle.ts';
import { readSkewMs } from './witness.ts';

/** How soon a retry looks again for room under a cap. */
const roomEveryMs = 500;

interface Sending {
  readonly tried: Try;
  readonly attempt: Attempt;
  readonly bornMs: number;
  readonly link: SignedLink | undefined;
}

type Submit = Extract<Work, { is: 'submit' }>;

/** Sends tasks of one lane in one call. `proceed` is called once the call is no longer ahead of its flight. */
export async function submitTasks(
  bench: Bench,
  desk: Desk,
  work: Submit,
  proceed: () => void,
): Promise<void> {
  const { lane, tries } = work;
  const isJob = lane.use.service.poll !== undefined;
  if (isJob) desk.countJobs(lane, tries.length);
  const mayWait = bench.room.isUnderWay;
  desk.sending += 1;
  let keptJobs = 0;
  let leave: (() => void) | undefined;
  try {
    const links = await makeLinks(bench, desk, tries);
    const sending = links ? await intend(bench, desk, work, { links, mayWait }) : [];
    if (sending.length === 0) return;
    leave = await enterAll(lane.gate ? [lane.gate, desk.gate] : [desk.gate]);
    if (!leave) {
      await unsend(bench, sending, desk.gate.haltReason ?? 'the run stops');
      return;
    }
    if (isCapPassed(bench, lane, sending)) {
      await takeBack(bench, desk, lane, sending);
      return;
    }
    proceed();
    keptJobs = await send(bench, desk, lane, sending);
  } finally {
    desk.sending -= 1;
    if (isJob) desk.countJobs(lane, keptJobs - tries.length);
    leave?.();
    bench.bell.ring();
  }
}

type Link = SignedLink | LinkTrouble | undefined;

/** Links first: they cost nothing. Where the storage is lost nothing can be sent: the account stands still. */
async function makeLinks(
  bench: Bench,
  desk: Desk,
  tries: readonly Try[],
): Promise<readonly Link[] | undefined> {
  try {
    return await Promise.all(tries.map((tried) => bench.link(tried.task.item)));
  } catch (error) {
    if (!(error instanceof Stop) || error.exitCode !== exitCodes.halted) throw error;
    desk.gate.halt(error.message);
    return undefined;
  }
}

/**
 * The durable intents; tasks that were settled meanwhile drop out, those without a link fail unsent, and those that found
 * no room under a cap wait for it.
 */
async function intend(
  bench: Bench,
  desk: Desk,
  work: Submit,
  { links, mayWait }: { readonly links: readonly Link[]; readonly mayWait: boolean },
): Promise<Sending[]> {
  const { lane, tries } = work;
  const { ends } = bench.room;
  const bornMs = bench.clock.monotonic();
  const urls = links.map((link) => (link && 'url' in link ? link.url : ''));
  const intents = await bench.run.intend({
    service: lane.use.name,
    account: lane.use.account.name,
    isBatch: lane.use.batch > 1,
    atMs: bench.clock.now(),
    mayWait,
    tasks: tries.map(({ task }, index) => ({ task, linkHash: hashLink(urls[index] ?? '') })),
  });
  const sending: Sending[] = [];
  const unlinked: Decided[] = [];
  const crowded: Try[] = [];
  for (const [index, intent] of intents.entries()) {
    const tried = tries[index] as Try;
    const link = links[index];
    if (intent.is === 'intended') {
      if (link && 'trouble' in link)
        unlinked.push({ tried, attempt: intent.attempt, bornMs, decision: failUnlinked(link) });
      else sending.push({ tried, attempt: intent.attempt, bornMs, link });
    } else if (intent.is === 'crowded') crowded.push(tried);
    else if (intent.is === 'settled' && intent.state === 'failed') bench.counters.failed += 1;
    else if (intent.is === 'settled' && intent.state === 'over-cap') bench.counters.overCap += 1;
  }
  if (crowded.length === 0) lane.noteRoom();
  else awaitRoom(bench, desk, work, { crowded, ends });
  if (unlinked.length > 0) await settle(bench, desk, lane, unlinked, undefined);
  return sending;
}

/** A retry keeps what it knows of its earlier tries, and looks again by the clock. */
function awaitRoom(
  bench: Bench,
  desk: Desk,
  { lane, isRetry }: Submit,
  { crowded, ends }: { readonly crowded: readonly Try[]; readonly ends: number },
): void {
  if (isRetry) for (const tried of crowded) scheduleTry(bench, desk, lane, tried, roomEveryMs);
  else
    lane.putBack(
      crowded.map(({ task }) => task),
      ends,
    );
}

/** Not remembered: another store or another access may reach the same content. */
function failUnlinked({ trouble }: LinkTrouble): Decided['decision'] {
  const refusal: Refusal = {
    reaction: 'give-up',
    class: 'media-unreadable',
    code: '',
    message: `nothing was sent: ${trouble}`,
    booking: 'unsent',
  };
  return { next: 'fail', refusal, isRemembered: false };
}

/** True for an instant that is known and has come. */
export function isPast(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs;
}

async function unsend(bench: Bench, sending: readonly Sending[], cause: string): Promise<void> {
  await bench.run.transition(sending.map(({ attempt }) => ({ is: 'unsent', attempt, cause })));
}

/** An overrun took a cap that the call counts against past its limit, while it waited for its turn. */
function isCapPassed({ run }: Bench, { use }: Lane, sending: readonly Sending[]): boolean {
  const counts = ({ sku }: Cap) =>
    sku === undefined || sending.some(({ attempt }) => (attempt.usage.units[sku] ?? 0) > 0);
  return run.spending.caps.some((cap) => isPassed(cap) && concerns(cap, use.account) && counts(cap));
}

/** Nothing left, so nothing is owed: the tasks ask for their reservation again, under what the overrun has left. */
async function takeBack(bench: Bench, desk: Desk, lane: Lane, sending: readonly Sending[]): Promise<void> {
  await unsend(bench, sending, 'a cap was passed before the call left');
  for (const { tried } of sending) scheduleTry(bench, desk, lane, tried, 0);
}

/** Answers how many elements have become open jobs. */
async function send(bench: Bench, desk: Desk, lane: Lane, sending: readonly Sending[]): Promise<number> {
  const { use } = lane;
  const submission = makeSubmission(bench, lane, sending);
  const timeoutMs = use.delivery === 'sync' ? bench.deadlines.syncCallMs : bench.deadlines.callMs;
  bench.counters.asked += sending.length;
  const { account } = use;
  const sent = await sendCall(bench, desk, use.service.submit(submission), { account, timeoutMs });
  if (sent.phase === 'not-sent') {
    await retryUnsent(bench, desk, lane, sending, sent.cause);
    return 0;
  }
  const outcomes = readOutcomes(lane, submission, sent);
  const reply = sent.phase === 'answered' ? sent.reply : undefined;
  noteOutcomes(bench, desk, lane, outcomes, reply);
  const callCharge = outcomes.some((outcome) => outcome.is === 'unknown')
    ? await quoteCall(
        bench,
        use.account.name,
        sending.map(({ attempt }) => attempt),
      )
    : undefined;
  const canAsk = use.service.search !== undefined && use.delivery !== 'sync';
  const decided = sending.map(({ tried: before, attempt, bornMs, link }, index): Decided => {
    const tried = { ...before, linkExpiresAt: link?.expiresAt };
    const decision = decide(outcomes[index] ?? { is: 'unknown', cause: 'the reply names fewer elements' }, {
      attempts: tried.task.attempts,
      maxAttempts: maxAttemptsOf(use),
      resends: tried.task.resends,
      canAsk,
      callCharge,
      resendBelow: bench.resendBelow,
      isLinkExpired: isPast(tried.linkExpiresAt, bench.clock.now()),
      wasSignedAgain: tried.wasSignedAgain,
    });
    return { attempt, tried, bornMs, decision };
  });
  await settle(bench, desk, lane, decided, reply ? archive(reply) : undefined);
  return decided.filter(({ decision }) => decision.next === 'accept').length;
}

function makeSubmission(bench: Bench, lane: Lane, sending: readonly Sending[]): Submission {
  const { use } = lane;
  return {
    elements: sending.map(({ tried, attempt, link }) => ({
      ref: attempt.ref,
      item: tried.task.item,
      link: link?.url,
    })),
    options: use.options,
    model: use.model,
    delivery: use.delivery,
    isBatch: use.batch > 1,
    hookUrl: use.delivery === 'callback' ? bench.hookUrl(use.account) : undefined,
  };
}

function readOutcomes(
  lane: Lane,
  submission: Submission,
  sent: Exclude<Sent, { phase: 'not-sent' }>,
): readonly Outcome[] {
  if (sent.phase === 'answered') return lane.use.service.readSubmission(sent.reply, submission);
  return submission.elements.map(() => ({ is: 'unknown', cause: sent.cause }));
}

/** Tells the gates how the call fared. A refusal of one task is still a vendor in good order. */
export function noteOutcomes(
  bench: Bench,
  desk: Desk,
  lane: Lane,
  outcomes: readonly Outcome[],
  reply: Reply | undefined,
): void {
  for (const outcome of outcomes) {
    if (outcome.is === 'unknown') {
      desk.gate.suffer(outcome.cause);
      return;
    }
    if (outcome.is !== 'refused') continue;
    const { refusal } = outcome;
    if (refusal.reaction === 'slow-down') {
      desk.gate.slowDown(
        `"${refusal.message}" (${refusal.httpStatus ?? refusal.code})`,
        refusal.retryAfterMs,
      );
      return;
    }
    if (refusal.reaction === 'halt') {
      const status = refusal.httpStatus === undefined ? '' : ` (${refusal.httpStatus})`;
      const skew = Math.round(((reply && readSkewMs(reply, bench.clock.now())) ?? 0) / 1000);
      const clock = Math.abs(skew) > 60 ? `; this machine's clock differs by ${skew} s` : '';
      const reason = `"${refusal.message}"${status}${clock}`;
      if (refusal.halts === 'service') lane.halt(reason);
      else desk.gate.halt(reason);
      return;
    }
  }
  desk.gate.succeed();
}

/** Charge of a whole call, all its elements together; undefined where a price is unknown. */
export async function quoteCall(
  bench: Bench,
  account: string,
  attempts: readonly Attempt[],
): Promise<Nano | undefined> {
  const units: Record<string, number> = {};
  for (const { usage } of attempts) {
    for (const [sku, count] of Object.entries(usage.units)) units[sku] = (units[sku] ?? 0) + count;
  }
  return await bench.run.quote(account, units satisfies Units, bench.clock.now());
}

async function retryUnsent(
  bench: Bench,
  desk: Desk,
  lane: Lane,
  sending: readonly Sending[],
  cause: string,
): Promise<void> {
  desk.gate.suffer(cause);
  await unsend(bench, sending, cause);
  bench.counters.asked -= sending.length;
  bench.counters.repeated += sending.length;
  for (const { tried, attempt } of sending) {
    const misses = tried.misses + 1;
    scheduleTry(bench, desk, lane, { ...tried, misses }, backoffMs(Math.min(misses, 6), attempt.ref));
  }
}
