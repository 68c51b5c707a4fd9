/**
 * What is known of this machine's clock being wrong. The wall clock stamps intents, signs links and says to which month a
 * call belongs, and somebody may set it at any time. Two witnesses tell: the time that passes meanwhile, which nobody can
 * set, and the `Date` of vendors' replies.
 */
import type { Clock } from '../domain/clock.ts';
import type { Reply } from '../domain/exchange.ts';
import type { Log } from '../domain/log.ts';
import { formatDuration } from '../domain/quantity.ts';

/** Looked at no more often than this: replies are many. */
const lookEveryMs = 1000;
/** A machine that was busy, and a `Date` without fractions, are off by less. */
const jumpMs = 60_000;
/** Links and signatures are refused beyond a quarter of an hour by many. */
const toldMs = 10 * 60_000;
/** Stamps that are further off would mislead the search for lost calls, and the month of what is spent. */
const mostSkewMs = 12 * 3_600_000;

export class Witness {
  readonly #clock: Clock;
  readonly #log: Log;
  /** What the wall clock shows when the clock that cannot be set shows 0. */
  readonly #originMs: number;
  #lastOriginMs: number;
  #toldSkewMs = 0;
  #aheadMs = 0;
  #lookAtMs = Number.NEGATIVE_INFINITY;
  /** Accounts whose vendor says what time it is. */
  readonly #heard = new Set<string>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#originMs = clock.now() - clock.monotonic();
    this.#lastOriginMs = this.#originMs;
  }

  /** The most by which the wall clock was ahead, as far as was seen; milliseconds, 0 where it never was. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Whether the account's vendor has said what time it is, so that a clock that is far off would have been noticed. */
  hasHeard(account: string): boolean {
    return this.#heard.has(account);
  }

  /** A vendor replied. Answers why nothing more is to be spent under this clock; undefined where it is not far off. */
  note(account: string, reply: Reply): string | undefined {
    if (!this.#heard.has(account) && readSkewMs(reply, 0) !== undefined) this.#heard.add(account);
    const now = this.#clock.monotonic();
    if (now < this.#lookAtMs) return undefined;
    this.#noteJump();
    const skewMs = readSkewMs(reply, this.#clock.now());
    const isFarOff = skewMs !== undefined && Math.abs(skewMs) > mostSkewMs;
    // One that is far off is everyone's business: each account is to hear of it.
    if (!isFarOff) this.#lookAtMs = now + lookEveryMs;
    if (skewMs === undefined) return undefined;
    this.#aheadMs = Math.max(this.#aheadMs, skewMs);
    if (isFarOff) {
      return `this machine's clock is ${describe(skewMs)} the vendor's, and bills, links and the search for lost calls go by it. Set the clock`;
    }
    if (Math.abs(skewMs - this.#toldSkewMs) <= toldMs) return undefined;
    this.#toldSkewMs = skewMs;
    if (Math.abs(skewMs) > toldMs) {
      this.#log.warn(
        `this machine's clock is ${describe(skewMs)} the vendor's: links may be refused, and calls near the end of a month be booked in the wrong one. Set the clock.`,
        { account },
      );
    }
    return undefined;
  }

  #noteJump(): void {
    const originMs = this.#clock.now() - this.#clock.monotonic();
    const jumpedMs = originMs - this.#lastOriginMs;
    if (Math.abs(jumpedMs) <= jumpMs) return;
    this.#lastOriginMs = originMs;
    this.#aheadMs = Math.max(this.#aheadMs, originMs - this.#originMs);
    const way = jumpedMs > 0 ? 'forward' : 'back';
    this.#log.warn(
      `this machine's clock was set ${way} by ${formatDuration(Math.abs(jumpedMs))} while the run goes on, or the machine slept: how long jobs are under way is counted without it.`,
    );
  }
}

/** Milliseconds by which our clock is ahead of the vendor's, by the reply's `Date`; undefined where it names none. */
export function readSkewMs(reply: Reply, nowMs: number): number | undefined {
  const theirs = Date.parse(reply.headers['date'] ?? '');
  return Number.isNaN(theirs) ? undefined : nowMs - theirs;
}

function describe(skewMs: number): string {
  return `${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'}`;
}
