/** What calls that came to nothing are counted as: `booking:` of an account, since no vendor documents it. */
import type { FailureBooking } from './outcome.ts';
import type { Nano } from './pricing.ts';
import type { Units } from './usage.ts';

export type BookingRule = Readonly<Record<FailureBooking, 'free' | 'billed'>>;

/** What tasks that failed were booked with under the rules of their accounts; part of the bill. */
export interface BilledFailures {
  readonly tasks: number;
  readonly units: Units;
  readonly charge: Nano;
}

/** `refused calls free, failed models billed, failed jobs billed`. */
export function formatBooking({ refused, modelFailed, failedJob }: BookingRule): string {
  return `refused calls ${refused}, failed models ${modelFailed}, failed jobs ${failedJob}`;
}
