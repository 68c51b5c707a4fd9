/** What a reply means for a task, and what to do about a refusal. */
import type { Finding } from './finding.ts';
import type { Units } from './usage.ts';

/**
 * What to do about a refusal: `slow-down` lowers the gate and costs no attempt; `try-again` backs off and costs
 * one; `give-up` ends this task; `halt` stops the account (or one service on it) while the rest goes on.
 */
export type Reaction = 'slow-down' | 'try-again' | 'give-up' | 'halt';

/** Which booking rule of the account says what a failure costs. */
export type FailureBooking = 'refused' | 'modelFailed' | 'failedJob';

export interface Refusal {
  readonly reaction: Reaction;
  /** Our own short word for the cause, e.g. `bad-signature`, `media-unreadable`, `deadline`, `job-lost`. */
  readonly class: string;
  /** The vendor's own code, as sent; empty where it sends none. */
  readonly code: string;
  readonly httpStatus?: number | undefined;
  /** The vendor's own words, unchanged but for links, which lose their query. */
  readonly message: string;
  /** `unsent` where no call was made at all. */
  readonly booking: FailureBooking | 'unsent';
  /** For `halt`: the whole account, or only the service on it. */
  readonly halts?: 'account' | 'service' | undefined;
  /** For `slow-down`: what `Retry-After` asked for. */
  readonly retryAfterMs?: number | undefined;
  /** True where the vendor says that it could not fetch the link, which may have expired. */
  readonly isLinkDead?: boolean | undefined;
}

/** An image inside a reply, not yet saved. */
export interface ReturnedImage {
  readonly base64: string;
}

export type Outcome =
  /** The vendor has taken the work and knows it as `job`. */
  | { readonly is: 'accepted'; readonly job: string }
  /** The job is known and not finished. */
  | { readonly is: 'waiting'; readonly note?: string | undefined }
  | {
      readonly is: 'answered';
      readonly finding: Finding;
      /** Units that the answer itself proves, e.g. distinct cut frames by op; absent where it proves none. */
      readonly observed?: Units | undefined;
      readonly image?: ReturnedImage | undefined;
    }
  | { readonly is: 'refused'; readonly refusal: Refusal }
  /** A submission whose fate the reply leaves open (500, 503, 599, gateway errors, an unreadable body). */
  | { readonly is: 'unknown'; readonly cause: string; readonly httpStatus?: number | undefined }
  /** The vendor does not know the job (any more). */
  | { readonly is: 'gone'; readonly message: string };
