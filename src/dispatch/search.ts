/**
 * Finds out what became of submissions of unknown fate at a vendor that can be asked: its jobs are listed and read
 * until ours turn up. A call counts as never arrived only after two complete listings some time apart.
 */
import pLimit from 'p-limit';
import type { Call, Reply } from '../domain/exchange.ts';
import { groupBy } from '../domain/group.ts';
import type { JobSearch, ListedJob } from '../domain/service.ts';
import { backoffMs } from '../domain/decide.ts';
import { sendCall } from './attempt.ts';
import type { Bench } from './bench.ts';
import type { Desk, Lost, Watch } from './desk.ts';
import { addToWatch, makeWatch, schedulePoll, scheduleTry } from './settle.ts';
import { noteOutcomes } from './submit.ts';

/** Vendors' job times carry no zone, and ours was made before theirs: a day covers both. DESIGN, "Unknown fate". */
const lookBackMs = 24 * 3_600_000;
const betweenListingsMs = 10_000;
const mostTries = 5;
/** Grows with each try that could not be completed. */
const betweenTriesMs = 5000;
const readsAtOnce = 4;
/** Above this, a person who waits is told for what. */
const fewReads = 300;
/** Of one listing or job, before the whole search begins anew. */
const mostReads = 4;

/** Settles all submissions of this desk that are lost at the moment. */
export async function searchLost(bench: Bench, desk: Desk): Promise<void> {
  const lost = desk.lost;
  desk.lost = [];
  const byService = groupBy(lost, ({ lane }) => lane.use.service);
  for (const [service, ours] of byService) {
    if (service.search) await searchService(bench, desk, service.search, ours);
  }
}

async function searchService(
  bench: Bench,
  desk: Desk,
  search: JobSearch,
  ours: readonly Lost[],
): Promise<void> {
  const missing = new Map(ours.map((one) => [one.attempt.ref, one]));
  const read = new Set<string>();
  bench.log.info(
    'looking among the vendor’s jobs for submissions whose reply was lost, before any is sent again',
    {
      account: desk.account.name,
      count: missing.size,
    },
  );
  let complete = 0;
  for (let tries = 0; complete < 2 && missing.size > 0 && !bench.stop.aborted; ) {
    if (await searchOnce(bench, desk, search, missing, read)) {
      complete += 1;
      if (complete < 2 && missing.size > 0) await bench.clock.sleep(betweenListingsMs, bench.stop);
      continue;
    }
    tries += 1;
    if (desk.gate.haltReason !== undefined || bench.stop.aborted) return;
    if (tries === mostTries) {
      await hold(
        bench,
        desk,
        [...missing.values()],
        'the vendor could not be asked whether the call arrived',
      );
      return;
    }
    bench.log.warn('the vendor’s jobs could not all be read; what was lost is looked for again soon', {
      account: desk.account.name,
      count: missing.size,
    });
    await bench.clock.sleep(betweenTriesMs * tries, bench.stop);
  }
  if (complete < 2) return;
  const unfound = [...missing.values()];
  const hasArrived = ({ attempt }: Lost) => desk.wasCalledBack(attempt.ref);
  await hold(
    bench,
    desk,
    unfound.filter(hasArrived),
    'the vendor called back for it, but none of its lists shows the job',
  );
  await sendAgain(
    bench,
    desk,
    unfound.filter((one) => !hasArrived(one)),
  );
}

/** One complete listing, and a read of every job in it that nobody knows. False where any part of it failed. */
async function searchOnce(
  bench: Bench,
  desk: Desk,
  search: JobSearch,
  missing: Map<string, Lost>,
  read: Set<string>,
): Promise<boolean> {
  const listed: ListedJob[] = [];
  for (const list of search.lists) {
    const page = await ask(bench, desk, list, (reply) => search.readList(reply));
    if (!page) return false;
    listed.push(...page);
  }
  // Judged once the vendor has replied, which tells how far our own stamps can be believed.
  const since = findSince(bench, desk.account.name, [...missing.values()], listed);
  const young = listed.filter(({ createdAtMs = since }) => createdAtMs >= since);
  const jobs = new Set(young.map(({ job }) => job));
  const known = await bench.run.readKnownJobs(desk.account.name, [...jobs]);
  const strangers = [...jobs].filter((job) => !known.has(job) && !read.has(job));
  const unread = strangers.filter((job) => !desk.owners.has(job)).length;
  if (unread > fewReads) {
    bench.log.warn(
      'the vendor has many jobs that this ledger does not know, and each is read once to see whose it is: what was lost waits for that',
      { account: desk.account.name, jobs: unread },
    );
  }
  const limit = pLimit(readsAtOnce);
  const results = await Promise.all(
    strangers.map((job) =>
      limit(() => (missing.size === 0 ? true : readStranger(bench, desk, search, missing, read, job))),
    ),
  );
  return results.every(Boolean);
}

/**
 * Since when a job may be one of these, on the vendor's clock: what was stamped by a clock that was ahead is older. A vendor
 * that never says what time it is tells it by its jobs: now is no earlier than the newest of them began, and a submission
 * no more before that than has passed here since. One whose stamp is yet to come was made under a clock that was set since,
 * by nobody knows how much.
 */
function findSince(
  { clock, witness }: Bench,
  account: string,
  lost: readonly Lost[],
  listed: readonly ListedJob[],
): number {
  const now = clock.now();
  const stamps = lost.map(({ attempt }) => attempt.intendedAtMs);
  const first = Math.min(now, ...stamps) - witness.aheadMs;
  if (witness.hasHeard(account)) return first - lookBackMs;
  if (stamps.some((stamp) => stamp > now)) return Number.NEGATIVE_INFINITY;
  const newest = listed.reduce((last, { createdAtMs = last }) => Math.max(last, createdAtMs), -Infinity);
  return Math.min(first, newest === -Infinity ? first : newest - (now - first)) - lookBackMs;
}

async function readStranger(
  bench: Bench,
  desk: Desk,
  search: JobSearch,
  missing: Map<string, Lost>,
  read: Set<string>,
  job: string,
): Promise<boolean> {
  const any = missing.values().next().value;
  const poll = any?.lane.use.service.poll;
  if (!poll) return true;
  // Only a job that the vendor no longer knows is surely not ours; any other answer leaves the search incomplete.
  const readOwner = (reply: Reply) => (reply.status === 404 ? '' : search.readRef(reply));
  const ref = desk.owners.get(job) ?? (await ask(bench, desk, poll(job, false), readOwner));
  if (ref === undefined) return false;
  if (ref === '') return true;
  desk.noteOwner(job, ref);
  read.add(job);
  const found = missing.get(ref);
  if (!found) return true;
  missing.delete(ref);
  await adopt(bench, desk, found, job);
  return true;
}

/** Reads are free: one that fails is repeated. Undefined where no reply could be read. */
async function ask<Value>(
  bench: Bench,
  desk: Desk,
  call: Call,
  read: (reply: Reply) => Value | undefined,
): Promise<Value | undefined> {
  for (let tries = 1; ; tries += 1) {
    const reply = await askOnce(bench, desk, call);
    const value = reply && read(reply);
    if (value !== undefined) return value;
    if (tries === mostReads || bench.stop.aborted || desk.gate.haltReason !== undefined) return undefined;
    await bench.clock.sleep(backoffMs(tries, `${call.path}?${call.query ?? ''}`), bench.stop);
  }
}

async function askOnce(bench: Bench, desk: Desk, call: Call): Promise<Reply | undefined> {
  const leave = await desk.gate.enter();
  if (!leave) return undefined;
  try {
    const { account } = desk;
    const sent = await sendCall(bench, desk, call, { account, timeoutMs: bench.deadlines.callMs });
    if (sent.phase === 'answered') {
      noteRefusal(bench, desk, sent.reply);
      return sent.reply;
    }
    desk.gate.suffer(sent.cause);
    return undefined;
  } finally {
    leave();
  }
}

/** Who refuses the account refuses its searches too: what they look for stays open, and is not given up as lost. */
function noteRefusal(bench: Bench, desk: Desk, reply: Reply): void {
  const refusal = desk.account.vendor.readRefusal(reply);
  const lane = desk.lanes[0];
  if (!refusal || !lane) return;
  const isOfAccount =
    refusal.reaction === 'slow-down' || (refusal.reaction === 'halt' && refusal.halts !== 'service');
  if (isOfAccount) noteOutcomes(bench, desk, lane, [{ is: 'refused', refusal }], reply);
}

async function adopt(bench: Bench, desk: Desk, found: Lost, job: string): Promise<void> {
  const { lane, attempt, tried, bornMs } = found;
  await bench.run.transition([{ is: 'accepted', attempt, job }]);
  const watch: Watch = makeWatch(lane, job, false);
  addToWatch(desk, watch, { tried, bornMs, attempt: { ...attempt, state: 'accepted', job } });
  schedulePoll(bench, desk, watch);
  bench.log.info('adopted an orphaned job', { account: desk.account.name, job });
}

async function hold(bench: Bench, desk: Desk, lost: readonly Lost[], cause: string): Promise<void> {
  if (lost.length === 0) return;
  await bench.run.transition(lost.map(({ attempt }) => ({ is: 'held', attempt, cause, isAskable: true })));
  for (const { lane } of lost) desk.countJobs(lane, -1);
  bench.counters.held += lost.length;
}

/** They never arrived: the same number, and so the same reference, is used again. */
async function sendAgain(bench: Bench, desk: Desk, lost: readonly Lost[]): Promise<void> {
  const cause = 'in no job of the vendor after two complete listings';
  await bench.run.transition(lost.map(({ attempt }) => ({ is: 'unsent', attempt, cause })));
  for (const { lane } of lost) desk.countJobs(lane, -1);
  for (const { lane, tried } of lost) if (tried) scheduleTry(bench, desk, lane, tried, 0);
}
