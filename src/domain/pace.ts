/**
 * The limits of an account, or of one service on it, as processes share them. Each of them comes to the same office now
 * and then, never for a single call: it tells what it uses and wants, and goes home with a slice of the next turns to
 * call, and with places for calls in flight and for open jobs. Pure: where the board lies is the office's business.
 *
 * Turns stand in one row, evenly spaced, and each is leased to one process. A turn that is not used by its end is lost.
 * Among several, a process may be late for a turn by so little that no second sees more than `perSecond` + 1 calls; one
 * that is alone counts its own calls, and may make up for more. What a dead process had leased passes by like any time.
 */
import type { Limits } from './settings.ts';

/** Calls and jobs: what is used of a limit now, and how much could be. */
export interface Need {
  readonly used: number;
  readonly wanted: number;
}

export interface PaceRequest {
  /** Which limit it is: the same word for all who share it. */
  readonly limit: string;
  /** Tells gates of one process apart; empty where there is one for this limit. */
  readonly part: string;
  /** This process has told by now all that it took over of an earlier one of its name: what that held besides is void. */
  readonly hasTakenOver?: boolean;
  readonly limits: Limits;
  /** How many turns could be used soon. */
  readonly turns: number;
  /** Turns of the last grant that nobody here will use. */
  readonly unused?: { readonly fromMs: number; readonly endMs: number } | undefined;
  readonly flights: Need;
  /** `grain`: places that are of use together only, as those of a batch are. */
  readonly jobs: Need & { readonly grain: number };
  /** The vendor has asked for fewer calls since the last exchange. */
  readonly isThrottled: boolean;
  /** Calls in good order since the last exchange. */
  readonly successes: number;
  /** Calls that left since then, for those who look on; none where absent. */
  readonly calls?: number | undefined;
  /** Milliseconds from now for which the vendor asked to be left alone. */
  readonly quietMs: number;
}

/** Turns at `firstAtMs`, `firstAtMs + everyMs`, and so on; each may be used for `graceMs`. */
export interface Turns {
  readonly firstAtMs: number;
  readonly everyMs: number;
  readonly graceMs: number;
  readonly count: number;
}

/** Times are by the monotonic clock of the process that asked. */
export interface PaceGrant {
  readonly turns: Turns;
  /** Places for calls in flight and for open jobs. Where more are in use, no more may be taken until they are fewer. */
  readonly flights: number;
  readonly jobs: number;
  /** Share of the limits that is let through at the moment. */
  readonly share: number;
  /** Nothing is to be sent before this time. */
  readonly quietUntilMs: number;
}

/** The word for the limits of an account, or of one service on it. Stand-ins on loopback addresses are apart. */
export function nameLimit(
  account: { readonly name: string; readonly isLoopback: boolean },
  service?: string,
): string {
  const name = account.isLoopback ? `${account.name} (stand-in)` : account.name;
  return service === undefined ? name : `${name} ${service}`;
}

/** Whether limits bound more than attempts, so that they are kept for themselves. */
export function boundsPace({ concurrency, perSecond, maxOpenJobs }: Partial<Limits>): boolean {
  return concurrency !== undefined || perSecond !== undefined || maxOpenJobs !== undefined;
}

/** Where processes that share limits divide them. */
export interface PaceOffice {
  /** Resolves once the others would see it. */
  exchange(request: PaceRequest): Promise<PaceGrant>;
}

interface Holder {
  readonly process: string;
  readonly part: string;
  readonly seenAtMs: number;
  /** Until when it may make calls on turns that it was granted. */
  readonly callsUntilMs: number;
  /** It was alone when it was granted them, and may be late for more of them than others allow. */
  readonly wasAlone: boolean;
  /** Places granted or in use, and wanted. */
  readonly flights: number;
  readonly flightsWanted: number;
  readonly jobs: number;
  readonly jobsWanted: number;
  readonly grain: number;
  /** Of these places, those in use; absent where an older program wrote it. */
  readonly inUse?: { readonly flights: number; readonly jobs: number } | undefined;
}

/** Calls that left, in a span of time that goes on, and in the whole one before it. */
interface CallMeter {
  readonly sinceMs: number;
  readonly calls: number;
  readonly callsBefore: number;
}

/** All that is known of one limit. */
export interface PaceBoard {
  /** When it was last changed, by the clock that all processes share. Where that began anew, the board is void. */
  readonly atMs: number;
  /** The first turn that is nobody's yet. */
  readonly nextTurnMs: number;
  readonly share: number;
  readonly loweredAtMs: number;
  readonly quietUntilMs: number;
  readonly holders: readonly Holder[];
  /** Absent where an older program wrote it. */
  readonly meter?: CallMeter | undefined;
}

/** How far a limit is used at a moment. */
export interface PaceReading {
  /** Calls a second, and how many are let through at the moment. */
  readonly perSecond: { readonly now: number; readonly allowed: number };
  readonly inFlight: { readonly now: number; readonly allowed: number };
  readonly openJobs: { readonly now: number; readonly allowed: number };
  /** Share of the limit that is let through; 1 where the vendor has not asked for fewer calls. */
  readonly share: number;
  /** Processes that have come to the board of late. */
  readonly processes: number;
}

/** What a process that is no more left open at the vendor keeps its places for so long; so long throttling is remembered. */
const forgottenAfterMs = 15 * 60_000;
/** A slice is so long that leasing it costs little, and so short that nobody waits for long. */
const sliceMs = 250;
/** What timers and commits are late by. */
const graceAloneMs = 50;
const graceAmongMs = 25;
/** Who goes first where not everyone can have a place changes this often. */
const rotateEveryMs = 2000;
/** One burst of throttled answers lowers the share once in so many milliseconds. */
export const lowerEveryMs = 1000;
const lowestShare = 1 / 64;
const raiseBy = 0.02;
/** A clock that is behind the board by more than this began anew. */
const clockSlackMs = 1000;
/** Calls are counted in spans of so long. */
const meterMs = 5000;
/** Who has not come for so long has nothing in use, unless jobs are open. */
const quietAfterMs = 10_000;

/** The board as it would be, had everything on it happened `ms` later: where a clock that all share was set. */
export function shiftBoard(board: PaceBoard, ms: number): PaceBoard {
  return {
    ...board,
    atMs: board.atMs + ms,
    nextTurnMs: board.nextTurnMs + ms,
    loweredAtMs: board.loweredAtMs + ms,
    quietUntilMs: board.quietUntilMs + ms,
    ...(board.meter && { meter: { ...board.meter, sinceMs: board.meter.sinceMs + ms } }),
    holders: board.holders.map((one) => ({
      ...one,
      seenAtMs: one.seenAtMs + ms,
      callsUntilMs: one.callsUntilMs + ms,
    })),
  };
}

/** A board that nobody has come to yet. */
export function beginBoard(nowMs: number, firstTurnMs: number): PaceBoard {
  return {
    atMs: nowMs,
    nextTurnMs: firstTurnMs,
    share: 1,
    loweredAtMs: Number.MIN_SAFE_INTEGER,
    quietUntilMs: nowMs,
    holders: [],
  };
}

/** Multiplicative decrease. */
export function lowerShare(share: number): number {
  return Math.max(lowestShare, share / 2);
}

/** Additive increase. */
export function raiseShare(share: number, successes: number): number {
  return Math.min(1, share + raiseBy * successes);
}

/** Calls that may be made in any second at this rate: a whole number above it. */
export function mostInSecond(perSecond: number): number {
  return Math.floor(perSecond) + 1;
}

/** Others on the board that have not been heard of for so long that someone should look whether they live. */
export function findSilent(board: PaceBoard | undefined, process: string, nowMs: number): readonly string[] {
  const silent = (board?.holders ?? []).filter(
    (one) => one.process !== process && nowMs - one.seenAtMs > 1000,
  );
  return [...new Set(silent.map((one) => one.process))];
}

/**
 * The board without what an earlier process of that name held, which is gone though its name is alive. What this one takes
 * over of it, open jobs above all, it has to report itself.
 */
export function forgetFormer(board: PaceBoard, process: string, sinceMs: number): PaceBoard {
  const holders = board.holders.map((one) =>
    one.process === process && one.seenAtMs < sinceMs
      ? { ...one, flights: 0, flightsWanted: 0, jobs: 0, jobsWanted: 0 }
      : one,
  );
  return { ...board, holders };
}

/** The board without the open jobs of processes whose jobs others count as their own. */
export function dropJobs(board: PaceBoard, isMeant: (process: string) => boolean): PaceBoard {
  const holders = board.holders.map((one) =>
    isMeant(one.process) ? { ...one, jobs: 0, jobsWanted: 0, inUse: { flights: 0, jobs: 0 } } : one,
  );
  return { ...board, holders };
}

/** One exchange: the board afterwards, and what the process is granted. `dead` names processes that are no more. */
export function exchange(
  before: PaceBoard | undefined,
  process: string,
  request: PaceRequest,
  clockMs: number,
  dead: ReadonlySet<string> = new Set(),
): { readonly board: PaceBoard; readonly grant: PaceGrant } {
  const known = before && before.atMs <= clockMs + clockSlackMs ? before : undefined;
  const nowMs = Math.max(clockMs, known?.atMs ?? clockMs);
  const board = adapt(known, request, nowMs);
  const others = board.holders.flatMap((one): Holder[] => {
    if (one.process === process && one.part === request.part) return [];
    if (!dead.has(one.process)) return [one];
    const isForgotten = one.jobs === 0 || nowMs - one.seenAtMs > forgottenAfterMs;
    if (isForgotten && one.callsUntilMs < nowMs - 1000) return [];
    return [{ ...one, flights: 0, flightsWanted: 0, jobs: isForgotten ? 0 : one.jobs, jobsWanted: 0 }];
  });
  const me = board.holders.find((one) => one.process === process && one.part === request.part);
  const { turns, isAlone } = grantTurns(board, others, request, nowMs);
  const flights = grantPlaces(
    Math.max(1, Math.round(request.limits.concurrency * board.share)),
    { name: `${process} ${request.part}`, ...request.flights, grain: 1 },
    others.map((one) => ({ name: nameOf(one), held: one.flights, wanted: one.flightsWanted, grain: 1 })),
    nowMs,
  );
  const jobs = grantPlaces(
    request.limits.maxOpenJobs,
    { name: `${process} ${request.part}`, ...request.jobs },
    others.map((one) => ({ name: nameOf(one), held: one.jobs, wanted: one.jobsWanted, grain: one.grain })),
    nowMs,
  );
  const endMs = turns.firstAtMs + turns.count * turns.everyMs;
  const holder: Holder = {
    process,
    part: request.part,
    seenAtMs: nowMs,
    callsUntilMs: turns.count > 0 ? endMs + turns.graceMs : (me?.callsUntilMs ?? Number.MIN_SAFE_INTEGER),
    wasAlone: turns.count > 0 ? isAlone : (me?.wasAlone ?? false),
    flights: Math.max(flights, request.flights.used),
    flightsWanted: Math.max(request.flights.used, request.flights.wanted),
    jobs: Math.max(jobs, request.jobs.used),
    jobsWanted: Math.max(request.jobs.used, request.jobs.wanted),
    grain: request.jobs.grain,
    inUse: { flights: request.flights.used, jobs: request.jobs.used },
  };
  return {
    board: {
      ...board,
      meter: countCalls(board.meter, request.calls ?? 0, nowMs),
      nextTurnMs: turns.count > 0 ? endMs : board.nextTurnMs,
      holders: [...others, holder],
    },
    grant: { turns, flights, jobs, share: board.share, quietUntilMs: board.quietUntilMs },
  };
}

function countCalls(meter: CallMeter | undefined, calls: number, nowMs: number): CallMeter {
  const before = rollMeter(meter, nowMs);
  return { ...before, calls: before.calls + calls };
}

/** As it stands at that time, though nobody called meanwhile. */
function rollMeter(meter: CallMeter | undefined, nowMs: number): CallMeter {
  const ageMs = meter ? nowMs - meter.sinceMs : Number.POSITIVE_INFINITY;
  if (!meter || ageMs >= 2 * meterMs) return { sinceMs: nowMs, calls: 0, callsBefore: 0 };
  if (ageMs < meterMs) return meter;
  return { sinceMs: meter.sinceMs + meterMs, calls: 0, callsBefore: meter.calls };
}

/** What the board tells of a limit, at a time of its own clock. */
export function readBoard(board: PaceBoard | undefined, limits: Limits, nowMs: number): PaceReading {
  const share = board?.share ?? 1;
  const meter = rollMeter(board?.meter, nowMs);
  const agoMs = nowMs - meter.sinceMs;
  // The span that goes on, and as much of the one before as makes it a whole one.
  const calls = meter.calls + (meter.callsBefore * Math.max(0, meterMs - agoMs)) / meterMs;
  const holders = (board?.holders ?? []).filter(
    (one) => nowMs - one.seenAtMs < (one.jobs > 0 ? forgottenAfterMs : quietAfterMs),
  );
  const recent = holders.filter((one) => nowMs - one.seenAtMs < quietAfterMs);
  const sum = (all: readonly Holder[], read: (one: Holder) => number) =>
    all.reduce((total, one) => total + read(one), 0);
  return {
    perSecond: { now: (calls * 1000) / meterMs, allowed: limits.perSecond * share },
    inFlight: {
      now: sum(recent, (one) => one.inUse?.flights ?? one.flights),
      allowed: Math.max(1, Math.round(limits.concurrency * share)),
    },
    openJobs: { now: sum(holders, (one) => one.inUse?.jobs ?? one.jobs), allowed: limits.maxOpenJobs },
    share,
    // Of a process that does several things at once, each comes under a name of its own: `process/part`.
    processes: new Set(recent.map((one) => one.process.split('/', 1)[0])).size,
  };
}

function nameOf({ process, part }: Holder): string {
  return `${process} ${part}`;
}

/** The board with what the process has to tell of the vendor's mood. */
function adapt(known: PaceBoard | undefined, request: PaceRequest, nowMs: number): PaceBoard {
  const board = known ?? beginBoard(nowMs, nowMs);
  const share = nowMs - board.atMs > forgottenAfterMs ? 1 : board.share;
  const isLowered = request.isThrottled && nowMs - board.loweredAtMs >= lowerEveryMs;
  const { unused } = request;
  return {
    ...board,
    atMs: nowMs,
    // Given back as far as nobody has been granted later ones.
    nextTurnMs: unused?.endMs === board.nextTurnMs ? unused.fromMs : board.nextTurnMs,
    share: isLowered ? lowerShare(share) : raiseShare(share, request.successes),
    loweredAtMs: isLowered ? nowMs : board.loweredAtMs,
    quietUntilMs: Math.max(board.quietUntilMs, nowMs + request.quietMs),
  };
}

/** The next turns that are nobody's, as many as fit into one slice. */
function grantTurns(
  board: PaceBoard,
  others: readonly Holder[],
  { limits, turns: wanted }: PaceRequest,
  nowMs: number,
): { readonly turns: Turns; readonly isAlone: boolean } {
  // Whoever called within the last second, or will, counts in the same second as we do.
  const callers = others.filter((one) => one.callsUntilMs > nowMs - 1000);
  const isAlone = callers.length === 0;
  const rate = limits.perSecond * board.share;
  const evenMs = 1000 / rate;
  const most = mostInSecond(rate);
  // Calls of one second come from turns of that second and of the grace before it; they may be no more than `most`.
  const graceMs = Math.max(isAlone ? graceAloneMs : graceAmongMs, evenMs * most - 1000);
  const everyMs = isAlone ? evenMs : Math.max(evenMs, (1000 + graceMs) / most);
  const loners = callers.filter((one) => one.wasAlone).map((one) => one.callsUntilMs + everyMs);
  const firstAtMs = Math.max(nowMs, board.nextTurnMs, board.quietUntilMs, ...loners);
  const slice = Math.max(1, Math.ceil((rate * sliceMs) / 1000 / (callers.length + 1)));
  return { turns: { firstAtMs, everyMs, graceMs, count: Math.min(wanted, slice) }, isAlone };
}

interface Claim {
  readonly name: string;
  readonly wanted: number;
  readonly grain: number;
}

/**
 * Places for one process: what it wants where there is enough for all, else its part, as far as the others have left.
 * Whoever uses more than its part keeps that for as long as it uses it, so that all together never pass the limit.
 */
function grantPlaces(
  limit: number,
  mine: Claim & Need,
  others: readonly (Claim & { readonly held: number })[],
  nowMs: number,
): number {
  const held = others.reduce((sum, one) => sum + one.held, 0);
  const wanted = Math.max(mine.used, mine.wanted);
  const part =
    divide(limit, [{ ...mine, wanted }, ...others], Math.floor(nowMs / rotateEveryMs)).get(mine.name) ?? 0;
  return Math.max(0, Math.min(part, limit - held));
}

/** Deals places out one grain at a time, to each in turn, until all are gone or everyone has what it wants. */
export function divide(
  limit: number,
  claims: readonly Claim[],
  rotation: number,
): ReadonlyMap<string, number> {
  const sorted = claims
    .filter(({ wanted }) => wanted > 0)
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const first = sorted.length === 0 ? 0 : rotation % sorted.length;
  const ordered = [...sorted.slice(first), ...sorted.slice(0, first)];
  const given = new Map<string, number>();
  let left = limit;
  for (let isDealing = true; isDealing && left > 0; ) {
    isDealing = false;
    for (const { name, wanted, grain } of ordered) {
      const has = given.get(name) ?? 0;
      const deal = Math.min(grain, wanted - has, left);
      if (deal <= 0) continue;
      given.set(name, has + deal);
      left -= deal;
      isDealing = true;
    }
  }
  return given;
}
