/**
 * PAI's refusals and what to do about them. All request errors but 422 share one code, so rows are told apart by HTTP
 * status and message (SDK manual of 2024-08-26, "Error codes"; misspellings are the vendor's).
 */
import { redactLinks } from '../../domain/link.ts';
import type { Reply } from '../../domain/exchange.ts';
import type { Outcome, Refusal } from '../../domain/outcome.ts';
import { isGoodStatus, isSuccess, readEnvelope } from './envelope.ts';

interface Row extends Pick<Refusal, 'reaction' | 'class' | 'booking' | 'halts'> {
  readonly matches: (status: number, message: string, code: string) => boolean;
}

/** The first row that matches counts. */
const rows: readonly Row[] = [
  {
    // `note found appid` for images, `not found appid` for videos.
    matches: (_status, message) => /\bnote? found appid\b/i.test(message),
    reaction: 'halt',
    class: 'unknown-app-id',
    booking: 'refused',
    halts: 'account',
  },
  {
    matches: (status, message) => status === 401 || message === 'sign error',
    reaction: 'halt',
    class: 'bad-signature',
    booking: 'refused',
    halts: 'account',
  },
  {
    matches: (status, message) => status === 404 || message === 'model not found',
    reaction: 'halt',
    class: 'model-not-found',
    booking: 'refused',
    halts: 'service',
  },
  {
    // Where such a text comes with 422 the model has looked at the data, which may have been billed.
    matches: (status, message) => status !== 422 && isMediaTrouble(message),
    reaction: 'give-up',
    class: 'media-unreadable',
    booking: 'refused',
  },
  {
    matches: (_status, message) => isMediaTrouble(message),
    reaction: 'give-up',
    class: 'media-unreadable',
    booking: 'modelFailed',
  },
  {
    matches: (status, message) => status === 400 && message === 'image is empty',
    reaction: 'give-up',
    class: 'media-missing',
    booking: 'refused',
  },
  {
    matches: (status, message) => status === 400 || /^Invalid Input ?- ?json format error/i.test(message),
    reaction: 'give-up',
    class: 'bad-request',
    booking: 'refused',
  },
  {
    matches: (status, _message, code) => status === 422 || code === 'SEVER_ERROR' || code === 'SERVER_ERROR',
    reaction: 'give-up',
    class: 'model-failed',
    booking: 'modelFailed',
  },
];

function isMediaTrouble(message: string): boolean {
  return (
    /^Invalid Input ?- ?(image|video) data error/i.test(message) ||
    /^failed to download (image|video)/i.test(message)
  );
}

/** Statuses of a fetched link that has expired or lost its object; the manual prints the tab as `\t`. */
const deadLink = /fetch resource failed(\s|\\t)*code\s*=\s*(401|403|404|410)\b/i;

/**
 * What a submission's reply refuses, or `undefined` where it is a success or leaves the call's fate open:
 * 500, 502, 503, 504 and 599, and a success status with an unreadable body.
 */
export function readRefusal(reply: Reply): Refusal | undefined {
  const envelope = readEnvelope(reply);
  if (envelope && isSuccess(reply, envelope)) return undefined;
  const slowDown = readSlowDown(reply);
  if (slowDown) return slowDown;
  if (reply.status >= 500 || (!envelope && isGoodStatus(reply.status))) return undefined;
  const message = envelope?.message ?? reply.body;
  const code = envelope?.code ?? '';
  const row = rows.find((one) => one.matches(reply.status, message.trim(), code));
  return {
    reaction: row?.reaction ?? 'give-up',
    class: row?.class ?? 'unexpected-reply',
    booking: row?.booking ?? 'refused',
    code,
    httpStatus: reply.status,
    message: keepWords(message),
    ...(row?.halts ? { halts: row.halts } : {}),
    ...(deadLink.test(message) ? { isLinkDead: true } : {}),
  };
}

/** Rate answers are not documented for PAI; 429, and 503 with `Retry-After`, mean the same everywhere. */
function readSlowDown(reply: Reply): Refusal | undefined {
  const retryAfter = reply.headers['retry-after'];
  if (reply.status !== 429 && !(reply.status === 503 && retryAfter !== undefined)) return undefined;
  const retryAfterMs = readRetryAfter(retryAfter, reply.headers['date']);
  const envelope = readEnvelope(reply);
  return {
    reaction: 'slow-down',
    class: 'throttled',
    booking: 'refused',
    code: envelope?.code ?? '',
    httpStatus: reply.status,
    message: keepWords(envelope?.message ?? reply.body),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Seconds, or a date that is read against the server's own clock. */
function readRetryAfter(value: string | undefined, date: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const waitMs = Date.parse(value) - Date.parse(date ?? '');
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

/** The same refusal of a finished job: `state` 3 with the vendor's text. */
export function readJobFailure(message: string): Refusal {
  return {
    reaction: 'give-up',
    class: isMediaTrouble(message.trim()) ? 'media-unreadable' : 'model-failed',
    booking: 'failedJob',
    code: '',
    message: keepWords(message),
    ...(deadLink.test(message) ? { isLinkDead: true } : {}),
  };
}

/** A complete answer that says nothing we know; it was carried out, so it is booked like a failure of the model. */
export function refuseUnexpected(what: string, booking: Refusal['booking'], httpStatus?: number): Outcome {
  return {
    is: 'refused',
    refusal: {
      reaction: 'give-up',
      class: 'unexpected-reply',
      booking,
      code: 'OK',
      message: what,
      ...(httpStatus === undefined ? {} : { httpStatus }),
    },
  };
}

/**
 * The outcome of a submission that is no success: a refusal, or `unknown` where the reply leaves it open.
 */
export function readTrouble(reply: Reply): Outcome {
  const refusal = readRefusal(reply);
  if (refusal) return { is: 'refused', refusal };
  const cause = isGoodStatus(reply.status)
    ? 'unreadable body on a success status'
    : `server error ${reply.status}: ${keepWords(readEnvelope(reply)?.message ?? reply.body)}`;
  return { is: 'unknown', cause, httpStatus: reply.status };
}

/** The vendor's words, bounded; links in them lose their query. */
export function keepWords(text: string): string {
  return redactLinks(text.slice(0, 4000)).trim().slice(0, 1000);
}
