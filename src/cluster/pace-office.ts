/**
 * Limits that machines share, in Redis: one board for each limit, by Redis' own clock. The rule is `exchange` of the
 * domain, as over the ledger: the board is read with the time, and put back only where nobody else has put one back
 * meanwhile; then it is read anew. Processes come a few times a second each, so that is rare.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../domain/clock.ts';
import {
  beginBoard,
  exchange,
  findSilent,
  type PaceBoard,
  type PaceGrant,
  type PaceOffice,
  type PaceRequest,
  shiftBoard,
} from '../domain/pace.ts';
import { ClockReading } from './clock-reading.ts';

/** Answers the board as it is, and the time in microseconds. */
const readScript = `
local time = redis.call('TIME')
return { redis.call('GET', KEYS[1]), time[1], time[2] }`;

/** Likewise, and how long it settles yet. */
const visitScript = `
local time = redis.call('TIME')
return { redis.call('GET', KEYS[1]), time[1], time[2], redis.call('PTTL', KEYS[2]) }`;

/** Puts a board where the one that was read still is, and lets it settle where that is asked for. */
const replaceScript = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if ARGV[4] ~= '0' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) end
return 1`;

/** A board that nobody came to for so long says nothing any more. */
const keptMs = 60 * 60_000;
/**
 * Where Redis has forgotten a board, turns of the old one are used up first, and all who hold places come and say so: no
 * turn lies in this time, and nobody is given more places than it uses.
 */
const settleMs = 1500;
/** Redis' clock was set back where it is behind the board by more than this. */
const clockSlackMs = 1000;

interface Place {
  readonly client: Redis;
  readonly prefix: string;
}

/** The board of a limit as it is, for those who look on, with its text and the time of its clock. */
export async function readPaceBoard(
  { client, prefix }: Place,
  limit: string,
): Promise<{ readonly board: PaceBoard | undefined; readonly text: string; readonly nowMs: number }> {
  const answer = (await client.eval(readScript, 1, `${prefix}:pace:${limit}`)) as BoardAnswer;
  return { board: parseBoard(answer), text: answer[0] ?? '', nowMs: parseTime(answer) };
}

/** Puts a board in the place of the one with that text; false where another one stands there meanwhile. */
export async function replacePaceBoard(
  { client, prefix }: Place,
  limit: string,
  text: string,
  board: PaceBoard,
): Promise<boolean> {
  const keys = [`${prefix}:pace:${limit}`, `${prefix}:settling:${limit}`];
  return (await client.eval(replaceScript, 2, ...keys, text, JSON.stringify(board), keptMs, 0)) === 1;
}

/** The board as JSON, and the time in seconds and microseconds. */
type BoardAnswer = readonly [string | null, string, string];

function parseBoard([text]: readonly [BoardAnswer[0], ...unknown[]]): PaceBoard | undefined {
  return text === null ? undefined : (JSON.parse(text) as PaceBoard);
}

function parseTime([, seconds, microseconds]: readonly [unknown, string, string, ...unknown[]]): number {
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

interface Tools {
  readonly client: Redis;
  readonly prefix: string;
  /** The name that this process is known by. */
  readonly process: string;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly isAlive: (process: string) => Promise<boolean>;
  /** Limits that this process has come for, whichever of its parts did. */
  readonly met: Set<string>;
}

export class RedisPaceOffice implements PaceOffice {
  readonly #tools: Tools;
  readonly #reading = new ClockReading();
  /** Where the turns of the last grant end, in our time and in theirs, by limit and part: they are given back by that. */
  readonly #ends = new Map<string, { readonly oursMs: number; readonly theirsMs: number }>();
  /** The last that was asked for each limit and part. */
  readonly #visits = new Map<string, PaceRequest>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  async exchange(request: PaceRequest): Promise<PaceGrant> {
    const { client, prefix, process, met } = this.#tools;
    const key = `${prefix}:pace:${request.limit}`;
    this.#visits.set(nameVisit(request), request);
    const settling = `${prefix}:settling:${request.limit}`;
    for (;;) {
      const { text, board: read, nowMs, isSettling } = await this.#read(key, settling);
      const isForgotten = read === undefined && met.has(request.limit);
      const before = isForgotten ? beginBoard(nowMs, nowMs + settleMs) : read;
      const dead = await this.#findDead(before, nowMs);
      const modest = isForgotten || isSettling ? wantNoMore(request) : request;
      const told = { ...modest, unused: this.#translateUnused(request) };
      const { board, grant } = exchange(before, process, told, nowMs, dead);
      const settlesMs = isForgotten ? settleMs : 0;
      const values = [text, JSON.stringify(board), keptMs, settlesMs];
      const isReplaced = await client.eval(replaceScript, 2, key, settling, ...values);
      if (isReplaced !== 1) continue;
      met.add(request.limit);
      return this.#translate(request, grant);
    }
  }

  /** Gives everything back: nothing of this process is under way any more, and it lives on. */
  async leave(): Promise<void> {
    const nothing = { used: 0, wanted: 0 };
    for (const request of this.#visits.values()) {
      const left = { flights: nothing, jobs: { ...nothing, grain: 1 }, isThrottled: false, successes: 0 };
      await this.exchange({ ...request, ...left, turns: 0, unused: undefined, quietMs: 0 });
    }
  }

  async #read(key: string, settling: string) {
    const { client, clock } = this.#tools;
    const askedMs = clock.monotonic();
    const answer = (await client.eval(visitScript, 2, key, settling)) as readonly [...BoardAnswer, number];
    const [text, , , settlesMs] = answer;
    const nowMs = parseTime(answer);
    this.#reading.note(askedMs, nowMs, clock.monotonic());
    const board = parseBoard(answer);
    const behindMs = board ? board.atMs - nowMs : 0;
    return {
      text: text ?? '',
      board: board && behindMs > clockSlackMs ? shiftBoard(board, -behindMs) : board,
      nowMs,
      isSettling: settlesMs > 0,
    };
  }

  async #findDead(board: PaceBoard | undefined, nowMs: number): Promise<ReadonlySet<string>> {
    const { process, isAlive } = this.#tools;
    const silent = findSilent(board, process, nowMs);
    const alive = await Promise.all(silent.map(isAlive));
    return new Set(silent.filter((_, index) => alive[index] === false));
  }

  #translateUnused(request: PaceRequest): PaceRequest['unused'] {
    const { unused } = request;
    const end = this.#ends.get(nameVisit(request));
    if (!unused || !end || end.oursMs !== unused.endMs) return undefined;
    return { fromMs: unused.fromMs - end.oursMs + end.theirsMs, endMs: end.theirsMs };
  }

  /** In our own time. A turn comes no earlier than it is, and what we cannot know is taken off its grace. */
  #translate(request: PaceRequest, grant: PaceGrant): PaceGrant {
    const { ms, slackMs } = this.#reading.offset();
    const { firstAtMs, everyMs, graceMs, count } = grant.turns;
    const turns = {
      firstAtMs: firstAtMs + ms,
      everyMs,
      graceMs: Math.max(1, graceMs - slackMs),
      count,
    };
    if (count > 0) {
      const ends = {
        oursMs: turns.firstAtMs + count * everyMs,
        theirsMs: firstAtMs + count * everyMs,
      };
      this.#ends.set(nameVisit(request), ends);
    }
    return { ...grant, turns, quietUntilMs: grant.quietUntilMs + ms };
  }
}

function wantNoMore(request: PaceRequest): PaceRequest {
  const { flights, jobs } = request;
  return { ...request, flights: { ...flights, wanted: flights.used }, jobs: { ...jobs, wanted: jobs.used } };
}

function nameVisit({ limit, part }: PaceRequest): string {
  return JSON.stringify([limit, part]);
}
