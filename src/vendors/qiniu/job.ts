/** Jobs of v1 video moderation: reading one, listing them by status, and whose they are. */
import { z } from 'zod';
import type { Call, Reply } from '../../domain/exchange.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { JobSearch } from '../../domain/service.ts';
import { type AskedOp, readResult } from './answer.ts';
import { keepWords, parseJson, readFailedJob, readJobTrouble } from './refusals.ts';

/**
 * The documented status words, in the order in which a job passes through them: where a job moves on while the lists
 * are read one after the other, a later list still shows it.
 */
const statuses = ['WAITING', 'RESCHEDULED', 'DOING', 'FAILED', 'FINISHED'] as const;

/** Before the end, `result` and `error` may be absent, null or empty. */
const job = z.object({
  status: z.string(),
  result: z.unknown().optional(),
  error: z.string().nullish().catch(undefined),
});
/** As text that can stand in a path; the manual shows 24 letters and digits. */
export const jobIdText = z
  .string()
  .min(1)
  .max(256)
  .refine((id) => !/\p{Cs}/u.test(id));
const jobId = z.union([jobIdText, z.number().int().transform(String)]);
const listed = z.array(z.object({ id: jobId, created_at: z.unknown().optional() }));
const owned = z.object({ vid: z.string().min(1) });

/** Reads one job. A GET carries no `Content-Type`, so none is signed. */
export function makeJobCall(id: string): Call {
  return { method: 'GET', path: `/v1/jobs/video/${encodeURIComponent(id)}`, headers: {} };
}

/**
 * What the read of a job means. Words that the manual does not know count as "still going"; an ended job whose result
 * cannot be read is given up, since asking again would bring the same.
 */
export function readVideoJob(reply: Reply, asked: readonly AskedOp[]): Outcome {
  if (!isSuccess(reply)) return readJobTrouble(reply);
  const parsed = job.safeParse(parseJson(reply.body));
  if (!parsed.success) return { is: 'waiting', note: 'the answer is no job object' };
  const status = parsed.data.status.toUpperCase();
  const error = parsed.data.error ?? '';
  if (status === 'FAILED') return { is: 'refused', refusal: readFailedJob(error) };
  if (status !== 'FINISHED') return { is: 'waiting', note: keepWords(parsed.data.status) };

  const reading = readResult(parsed.data.result, asked);
  if ('outcome' in reading) return reading.outcome;
  if (error !== '') return { is: 'refused', refusal: readFailedJob(error) };
  return {
    is: 'refused',
    refusal: {
      reaction: 'give-up',
      class: 'answer-unreadable',
      code: '',
      message: keepWords(reading.trouble),
      booking: 'failedJob',
    },
  };
}

/** How submitted jobs are found again: by listing all five statuses and reading the jobs, whose `vid` is our ref. */
export const jobSearch: JobSearch = {
  lists: statuses.map((status) => ({
    method: 'GET',
    path: '/v1/jobs/video',
    query: `status=${status}`,
    headers: {},
  })),
  readList: (reply) => {
    if (!isSuccess(reply)) return undefined;
    const body = parseJson(reply.body);
    // The list is a bare array; an encoder that writes empty lists as null is believed.
    if (body === null) return [];
    const parsed = listed.safeParse(body);
    if (!parsed.success) return undefined;
    return parsed.data.map((one) => ({ job: one.id, createdAtMs: readTime(one.created_at) }));
  },
  readRef: (reply) => (isSuccess(reply) ? owned.safeParse(parseJson(reply.body)).data?.vid : undefined),
};

/**
 * Milliseconds of a time such as `2019-06-01T15:03:04`, with or without fraction and zone; without a zone China's is
 * assumed, which the manual leaves open. `undefined` for anything else.
 */
export function readTime(given: unknown): number | undefined {
  if (typeof given !== 'string') return undefined;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s*(Z|[+-]\d\d:?\d\d)?$/i.exec(
    given.trim(),
  );
  if (!match) return undefined;
  const [, day = '', time = '', fraction = '', zone = '+08:00'] = match;
  const offset = zone.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const ms = Date.parse(`${day}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** True for 2xx. */
export function isSuccess(reply: Reply): boolean {
  return reply.status >= 200 && reply.status < 300;
}
