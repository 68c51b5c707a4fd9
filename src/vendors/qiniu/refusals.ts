/** What Qiniu's error answers mean: the v1 error table, the platform's own statuses, and texts of failed jobs. */
import { redactLinks } from '../../domain/link.ts';
import type { Outcome, Refusal } from '../../domain/outcome.ts';
import type { Reply } from '../../domain/exchange.ts';

/** Longest piece of an answer that is kept as the vendor's words. */
const longestMessage = 500;

/** Rows of the v1 error table that speak of the media, by their literal text; the class is our own. */
const mediaTexts: readonly (readonly [text: string, what: Pick<Refusal, 'class' | 'isLinkDead'>])[] = [
  ['cannot find the video', { class: 'media-missing', isLinkDead: true }],
  ['cannot open the file', { class: 'media-unreadable' }],
];

/** The vendor's code and words in an error body: `error`, then `message`, then the body as it is. */
export function readErrorBody(reply: Reply): { readonly code: string; readonly message: string } {
  const body = parseJson(reply.body);
  const fields: { code?: unknown; error?: unknown; message?: unknown } =
    typeof body === 'object' && body !== null ? body : {};
  const words = [fields.error, fields.message, reply.body.trim(), `HTTP ${reply.status}`];
  const message = words.find((one): one is string => typeof one === 'string' && one !== '') ?? '';
  const code = typeof fields.code === 'number' || typeof fields.code === 'string' ? String(fields.code) : '';
  return { code, message: keepWords(message) };
}

/** Parses JSON; `undefined` where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The vendor's words, bounded and without the queries of links. */
export function keepWords(text: string): string {
  return redactLinks(text.slice(0, longestMessage));
}

/**
 * The refusal that an answer states beyond doubt: nothing was carried out. `undefined` for a 2xx and for server
 * trouble (5xx but 573, 503 without `Retry-After`), which leaves the fate of a submission open.
 * v1 page "video sensitive-person detection", 2019-07-11, and the platform's page of HTTP statuses.
 */
export function readRefusal(reply: Reply): Refusal | undefined {
  const { status } = reply;
  if (status >= 200 && status < 300) return undefined;
  const { code, message } = readErrorBody(reply);
  const base = { code, httpStatus: status, message, booking: 'refused' } as const;
  const retryAfterMs = readRetryAfter(reply);

  const isPaced = status === 503 && reply.headers['retry-after'] !== undefined;
  if (status === 429 || status === 573 || isPaced) {
    return { ...base, reaction: 'slow-down', class: 'too-many-requests', retryAfterMs };
  }
  if (status >= 500 && status < 600) return undefined;
  const halt = classifyHalt(status, message);
  if (halt !== undefined) return { ...base, reaction: 'halt', class: halt, halts: 'account' };
  return { ...base, reaction: 'give-up', ...classifyGiveUp(status, message) };
}

function classifyHalt(status: number, message: string): string | undefined {
  if (status === 401) return 'bad-signature';
  if (status === 419) return 'account-frozen';
  if (status !== 403) return undefined;
  return /time.*skew/i.test(message) ? 'clock-skew' : 'access-denied';
}

function classifyGiveUp(status: number, message: string): Pick<Refusal, 'class' | 'isLinkDead'> {
  const known = mediaTexts.find(([text]) => message.includes(text));
  if (known) return known[1];
  if (status === 424 || status === 612) return { class: 'media-missing', isLinkDead: true };
  if (status === 631) return { class: 'bucket-missing' };
  if (status === 404) return { class: 'not-found' };
  return { class: status === 400 ? 'bad-request' : 'refused' };
}

/**
 * What an answer other than 2xx means for a submission. A submission is not idempotent, so server trouble leaves its
 * fate open. An address that does not exist stops the service: it is no fault of the task.
 */
export function readSubmissionTrouble(reply: Reply): Outcome {
  const refusal = readRefusal(reply);
  if (refusal === undefined) {
    const cause = `HTTP ${reply.status}: ${readErrorBody(reply).message}`;
    return { is: 'unknown', cause, httpStatus: reply.status };
  }
  const isElsewhere = [404, 405].includes(reply.status) || reply.status < 400;
  return isElsewhere
    ? {
        is: 'refused',
        refusal: { ...refusal, reaction: 'halt', class: 'wrong-endpoint', halts: 'service' },
      }
    : { is: 'refused', refusal };
}

/**
 * What an answer other than 2xx means for the read of a job. Reads are free, so server trouble and unknown codes only
 * mean "ask again". The error table stands under the job query in the manual, so its 400 and 424 speak of the job.
 */
export function readJobTrouble(reply: Reply): Outcome {
  const refusal = readRefusal(reply);
  if (reply.status === 404 || reply.status === 612) {
    return { is: 'gone', message: readErrorBody(reply).message };
  }
  if (refusal && refusal.reaction !== 'give-up') return { is: 'refused', refusal };
  if (refusal && (reply.status === 400 || reply.status === 424)) {
    return { is: 'refused', refusal: { ...refusal, booking: 'failedJob' } };
  }
  return { is: 'waiting', note: `HTTP ${reply.status}: ${readErrorBody(reply).message}` };
}

/** A job that ended as FAILED, by its `error` text. Lack of memory is the vendor's, all else the media's or ours. */
export function readFailedJob(error: string): Refusal {
  const base = {
    code: '',
    message: keepWords(error === '' ? 'FAILED' : error),
    booking: 'failedJob',
  } as const;
  if (error.includes('cannot allow memory')) {
    return { ...base, reaction: 'try-again', class: 'vendor-memory' };
  }
  const known = mediaTexts.find(([text]) => error.includes(text));
  return { ...base, reaction: 'give-up', ...(known?.[1] ?? { class: 'job-failed' }) };
}

/** What `Retry-After` asks for, in either form; the date form is measured against the answer's own `Date`. */
function readRetryAfter(reply: Reply): number | undefined {
  const text = reply.headers['retry-after']?.trim() ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const delayMs = Date.parse(text) - Date.parse(reply.headers['date'] ?? '');
  return Number.isFinite(delayMs) ? Math.max(0, delayMs) : undefined;
}
