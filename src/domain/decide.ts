/** What to do once the fate of a submitted task is known, or known to be unknown. Pure: every retry rule stands here. */
import { jitter } from './clock.ts';
import type { Outcome, Refusal } from './outcome.ts';
import type { Nano } from './pricing.ts';
import type { ServiceUse } from './settings.ts';

/** Submissions of one task that a vendor may refuse with "try again" before the task fails, where nobody says otherwise. */
export const defaultMaxAttempts = 5;
/** Times a call of unknown fate is sent again at most. DESIGN, "Unknown fate". */
export const maxResends = 3;

const firstDelayMs = 1000;
const longestDelayMs = 60_000;

/** As set for the service in its pipeline, else for its account, else as the service has it by itself. */
export function maxAttemptsOf(
  use: Pick<ServiceUse, 'limits' | 'service'> & { readonly account: Pick<ServiceUse['account'], 'limits'> },
): number {
  const { limits, account, service } = use;
  return limits?.maxAttempts ?? account.limits.maxAttempts ?? service.maxAttempts ?? defaultMaxAttempts;
}

/** What a decision depends on besides the outcome. */
export interface Circumstances {
  /** Attempts of the task that counted so far, this one left out. */
  readonly attempts: number;
  /** Of the service, see `maxAttemptsOf`. */
  readonly maxAttempts: number;
  readonly resends: number;
  /** The vendor can be asked what became of the call. */
  readonly canAsk: boolean;
  /** Charge of the whole call; undefined where a price is unknown. */
  readonly callCharge: Nano | undefined;
  readonly resendBelow: Nano;
  /** The link had expired when the reply came. */
  readonly isLinkExpired: boolean;
  /** The task was given a fresh link for a dead one before. */
  readonly wasSignedAgain: boolean;
}

export type Decision =
  | { readonly next: 'accept'; readonly job: string }
  | { readonly next: 'answer'; readonly outcome: Extract<Outcome, { is: 'answered' }> }
  /** Back to planned. `wait`: for the gate only, or a backed-off delay. */
  | {
      readonly next: 'again';
      readonly refusal: Refusal;
      readonly costsAttempt: boolean;
      readonly wait: 'gate' | 'backoff' | 'none';
      readonly signAgain: boolean;
    }
  | {
      readonly next: 'fail';
      readonly refusal: Refusal;
      readonly isRemembered: boolean;
      /** Later runs ask the vendor again. */
      readonly isAskable?: boolean | undefined;
    }
  /** Fate unknown: ask the vendor. */
  | { readonly next: 'ask'; readonly cause: string }
  /** Fate unknown, nobody to ask, cheap: send again and count it as uncertain. */
  | { readonly next: 'resend'; readonly cause: string }
  /** Fate unknown, nobody to ask, dear: a person decides. */
  | { readonly next: 'hold'; readonly cause: string };

/** Decides about one element of a submission or of a job. `waiting` and `gone` belong to jobs and are handled there. */
export function decide(outcome: Outcome, circumstances: Circumstances): Decision {
  switch (outcome.is) {
    case 'accepted':
      return { next: 'accept', job: outcome.job };
    case 'answered':
      return { next: 'answer', outcome };
    case 'refused':
      return decideRefusal(outcome.refusal, circumstances);
    case 'unknown':
      return decideUnknown(outcome.cause, circumstances);
    case 'waiting':
      return decideUnknown('the reply names no job and no result', circumstances);
    case 'gone':
      return decideUnknown(outcome.message, circumstances);
  }
}

function decideRefusal(refusal: Refusal, circumstances: Circumstances): Decision {
  const again = { next: 'again', refusal, costsAttempt: false, signAgain: false } as const;
  if (refusal.isLinkDead && circumstances.isLinkExpired && !circumstances.wasSignedAgain) {
    return { ...again, wait: 'none', signAgain: true };
  }
  switch (refusal.reaction) {
    case 'slow-down':
      return { ...again, wait: 'gate' };
    case 'halt':
      return { ...again, wait: 'gate' };
    case 'try-again':
      return circumstances.attempts + 1 < circumstances.maxAttempts
        ? { ...again, costsAttempt: true, wait: 'backoff' }
        : { next: 'fail', refusal, isRemembered: false };
    case 'give-up':
      return { next: 'fail', refusal, isRemembered: true };
  }
}

function decideUnknown(cause: string, circumstances: Circumstances): Decision {
  if (circumstances.canAsk) return { next: 'ask', cause };
  const isCheap =
    circumstances.callCharge !== undefined && circumstances.callCharge < circumstances.resendBelow;
  return isCheap && circumstances.resends < maxResends ? { next: 'resend', cause } : { next: 'hold', cause };
}

/** Exponential backoff with full jitter, in milliseconds: anywhere from 0 to the bound, by the seed. */
export function backoffMs(attempts: number, seed: string): number {
  return jitter(`${seed}/${attempts}`) * Math.min(longestDelayMs, firstDelayMs * 2 ** attempts);
}

const firstPollMs = 1000;
const longestPollMs = 60_000;

/**
 * Delay before the n-th read of a job (from 0): growing by half each time, a tenth of it jitter. Where it is known how
 * long such jobs usually take, the first read waits for most of that, so that reads leave the pace to submissions.
 */
export function pollDelayMs(reads: number, seed: string, usualMs = 0): number {
  const first = Math.max(firstPollMs, usualMs * 0.8);
  const step = Math.max(firstPollMs, usualMs * 0.2);
  const base = Math.min(longestPollMs, reads === 0 ? first : step * 1.5 ** Math.min(reads, 20));
  return base * (0.95 + 0.1 * jitter(`${seed}/${reads}`));
}
