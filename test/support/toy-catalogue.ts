/**
 * One made-up vendor with a service of every form that the contract knows: one call, batch job, callback job, post job
 * and artifact. Its wire is plain JSON, so that a test can play the vendor in a few lines:
 *
 * - `POST /call/<service>` answers `{ results: [Result] }` at once;
 * - `POST /jobs/<service>` answers `{ job }`, whether one element or a batch was sent;
 * - `GET /jobs/<job>` answers `{ status: "waiting" | "done" | "failed", ref?, error?, results? }`, and
 *   `GET /jobs?status=open|ended` a list `{ jobs: [{ job, createdAtMs }] }`;
 * - the callback's body is `{ ref }`;
 * - refusals are `{ error }` with 400 (give up), 401 (halts the account), 404 (halts the service), 408 (the link is
 *   dead), 429 (slow down), 503 (try again); 500 leaves the fate unknown.
 *
 * Result: `{ ref?, link?, labels?: [{ op?, label, score }], metrics?, seenFrames?, image?, error? }`.
 */
import { z } from 'zod';
import type { Call, Reply } from '../../src/domain/exchange.ts';
import { emptyFinding, type Finding } from '../../src/domain/finding.ts';
import { hashLink } from '../../src/domain/link.ts';
import type { Outcome, Reaction, Refusal } from '../../src/domain/outcome.ts';
import {
  type Catalogue,
  defineService,
  type JobReading,
  type Service,
  type Submission,
  type UsageQuestion,
  type Vendor,
} from '../../src/domain/service.ts';
import type { Account } from '../../src/domain/settings.ts';
import type { Usage } from '../../src/domain/usage.ts';

const resultShape = z.object({
  ref: z.string().optional(),
  link: z.string().optional(),
  labels: z.array(z.object({ op: z.string().optional(), label: z.string(), score: z.number() })).default([]),
  metrics: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  seenFrames: z.number().optional(),
  image: z.string().optional(),
  error: z.string().optional(),
});
type Result = z.output<typeof resultShape>;

const answerShape = z.object({ results: z.array(resultShape) });
const acceptedShape = z.object({ job: z.string() });
const jobShape = z.object({
  status: z.enum(['waiting', 'done', 'failed']),
  ref: z.string().optional(),
  error: z.string().optional(),
  results: z.array(resultShape).optional(),
});
const listShape = z.object({
  jobs: z.array(z.object({ job: z.string(), createdAtMs: z.number().optional() })),
});
const errorShape = z.object({ error: z.string() });

/** What each status of the toy vendor means. */
const reactions: Readonly<Record<number, { reaction: Reaction; class: string }>> = {
  400: { reaction: 'give-up', class: 'bad-media' },
  401: { reaction: 'halt', class: 'bad-signature' },
  404: { reaction: 'halt', class: 'no-service' },
  408: { reaction: 'give-up', class: 'media-unreadable' },
  429: { reaction: 'slow-down', class: 'too-many' },
  503: { reaction: 'try-again', class: 'busy' },
};

function readJson<Value>(body: string, shape: z.ZodType<Value>): Value | undefined {
  try {
    return shape.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function readRefusal(reply: Reply): Refusal | undefined {
  if (reply.status === 200) return undefined;
  const known = reactions[reply.status] ?? { reaction: 'give-up', class: 'unexpected' };
  const retryAfter = Number(reply.headers['retry-after']);
  return {
    ...known,
    code: String(reply.status),
    httpStatus: reply.status,
    message: readJson(reply.body, errorShape)?.error ?? '',
    booking: 'refused',
    ...(known.reaction === 'halt' && { halts: reply.status === 404 ? 'service' : 'account' }),
    ...(known.reaction === 'slow-down' && retryAfter > 0 && { retryAfterMs: retryAfter * 1000 }),
    ...(reply.status === 408 && { isLinkDead: true }),
  };
}

function failModel(message: string, booking: Refusal['booking']): Outcome {
  return {
    is: 'refused',
    refusal: { reaction: 'give-up', class: 'model-failed', code: 'failed', message, booking },
  };
}

function readResult(result: Result, frameSku?: string): Outcome {
  if (result.error !== undefined) return failModel(result.error, 'modelFailed');
  const finding: Finding = { ...emptyFinding, labels: result.labels, metrics: result.metrics };
  return {
    is: 'answered',
    finding,
    ...(frameSku !== undefined &&
      result.seenFrames !== undefined && { observed: { [frameSku]: result.seenFrames } }),
    ...(result.image !== undefined && { image: { base64: result.image } }),
  };
}

/** What a refused or unreadable submission means for each of its elements; `undefined` where it was taken. */
function readFault(reply: Reply, isReadable: boolean): Outcome | undefined {
  if (reply.status >= 500 && reply.status !== 503) {
    return { is: 'unknown', cause: `status ${reply.status}`, httpStatus: reply.status };
  }
  const refusal = readRefusal(reply);
  if (refusal) return { is: 'refused', refusal };
  return isReadable ? undefined : { is: 'unknown', cause: 'unreadable body', httpStatus: reply.status };
}

function submitTo(path: string, submission: Submission): Call {
  const body = {
    elements: submission.elements.map(({ ref, item, link }) => ({
      ref,
      link,
      text: item.text,
      title: item.title,
      images: item.images,
      videoUrl: item.videoUrl,
    })),
    options: submission.options,
    model: submission.model === '' ? 'general' : submission.model,
    hookUrl: submission.hookUrl,
  };
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

function readAnswer(reply: Reply, submission: Submission, frameSku?: string): readonly Outcome[] {
  const answer = readJson(reply.body, answerShape);
  const fault = readFault(reply, answer !== undefined);
  return submission.elements.map((_, index) => {
    const result = answer?.results[index];
    if (fault) return fault;
    return result ? readResult(result, frameSku) : { is: 'unknown', cause: 'no result for this element' };
  });
}

function readAccepted(reply: Reply, submission: Submission): readonly Outcome[] {
  const accepted = readJson(reply.body, acceptedShape);
  const fault = readFault(reply, accepted !== undefined);
  return submission.elements.map(() => fault ?? { is: 'accepted', job: accepted?.job ?? '' });
}

/** Results go by the hash of their link, then by position; elements without one wait. */
function readJob(frameSku: string | undefined): (reply: Reply, reading: JobReading) => readonly Outcome[] {
  return (reply, reading) => {
    if (reply.status === 404) return reading.elements.map(() => ({ is: 'gone', message: 'no such job' }));
    const refusal = readRefusal(reply);
    // A read that failed says nothing about its job: what halts or slows the account is told, the rest is read again.
    const isOfReading = refusal && refusal.reaction !== 'halt' && refusal.reaction !== 'slow-down';
    if (isOfReading) return reading.elements.map(() => ({ is: 'waiting', note: refusal.message }));
    if (refusal) return reading.elements.map(() => ({ is: 'refused', refusal }));
    const job = readJson(reply.body, jobShape);
    return reading.elements.map((element) => {
      if (!job) return { is: 'waiting', note: 'unreadable body' };
      if (job.status === 'failed') return failModel(job.error ?? 'failed', 'failedJob');
      const results = job.results ?? [];
      const byLink = results.find((one) => one.link !== undefined && hashLink(one.link) === element.linkHash);
      const byPlace = results[element.position];
      const result = byLink ?? (byPlace?.link === undefined ? byPlace : undefined);
      return result ? readResult(result, frameSku) : { is: 'waiting' };
    });
  };
}

const pollJob = (job: string): Call => ({ method: 'GET', path: `/jobs/${job}`, headers: {} });

const manual = 'Toy manual, "All calls", 2026-01-01';
const limits = { source: 'none' } as const;
const oneCall = ({ use }: UsageQuestion): Usage => ({
  units: { 'toy/call': use.unitsPerCall },
  basis: 'observed',
});

const image: Service = defineService({
  name: 'toy/image',
  vendorCall: 'Image',
  about: 'scores an image',
  manual,
  kinds: ['image'],
  options: z.strictObject({
    top_k: z.int().min(1).max(10).default(5).meta({ description: 'How many labels.' }),
    threshold: z.number().min(0).max(1).optional().meta({ description: 'Least score.' }),
  }),
  exampleOptions: { top_k: 3 },
  defaultModel: 'general',
  deliveries: ['call'],
  maxBatch: 1,
  limits: { maxBytes: 10_000_000, source: manual },
  sendsTitle: false,
  skus: () => ['toy/call'],
  columns: () => ({ metrics: ['quality'], tops: [{ op: 'tag', normal: [] }] }),
  usage: oneCall,
  submit: (submission) => submitTo('/call/image', submission),
  readSubmission: (reply, submission) => readAnswer(reply, submission),
});

const video: Service = defineService({
  name: 'toy/video',
  vendorCall: 'Video',
  about: 'scores a video, many in one call',
  manual,
  kinds: ['video'],
  options: z.strictObject({}),
  exampleOptions: {},
  defaultModel: 'general',
  deliveries: ['poll'],
  maxBatch: 20,
  limits,
  sendsTitle: false,
  skus: () => ['toy/call'],
  columns: () => ({ metrics: ['quality'], tops: [] }),
  usage: oneCall,
  submit: (submission) => submitTo('/jobs/video', submission),
  readSubmission: readAccepted,
  poll: pollJob,
  readJob: readJob(undefined),
});

const watchOptions = z.strictObject({
  ops: z
    .array(z.strictObject({ op: z.enum(['faces', 'mood']) }))
    .min(1)
    .max(2)
    .meta({ description: 'What to look for.' }),
  interval: z.number().min(1).max(60).default(5).meta({ description: 'Seconds between two frames.' }),
});

const watch: Service = defineService({
  name: 'toy/watch',
  vendorCall: 'Watch',
  about: 'watches a video frame by frame and calls back',
  manual,
  kinds: ['video'],
  options: watchOptions,
  exampleOptions: { ops: [{ op: 'faces' }, { op: 'mood' }] },
  deliveries: ['poll', 'callback', 'sync'],
  maxBatch: 1,
  limits,
  pricedBy: () => ['durationSeconds'],
  sendsTitle: false,
  skus: () => ['toy/frame'],
  columns: ({ ops }) => ({
    metrics: [],
    tops: ops.map(({ op }) => ({ op, normal: op === 'mood' ? ['calm'] : [] })),
  }),
  usage: ({ item, media, use, assume }) => {
    const seconds = item.durationSeconds ?? media.durationSeconds;
    const assumed = seconds ?? assume.durationSeconds ?? 60;
    return {
      units: { 'toy/frame': Math.max(1, Math.ceil(assumed / use.options.interval)) },
      basis: 'estimated',
      ...(seconds === undefined && { assumptions: [`length unknown, counted as ${assumed} s`] }),
    };
  },
  warn: ({ interval }) =>
    interval > 10 ? [`interval: ${interval} s is allowed, but sees little. Use at most 10.`] : [],
  submit: (submission) =>
    submitTo(submission.delivery === 'sync' ? '/call/watch' : '/jobs/watch', submission),
  readSubmission: (reply, submission) =>
    submission.delivery === 'sync'
      ? readAnswer(reply, submission, 'toy/frame')
      : readAccepted(reply, submission),
  poll: pollJob,
  readJob: readJob('toy/frame'),
  search: {
    lists: ['open', 'ended'].map((status) => ({
      method: 'GET',
      path: '/jobs',
      query: `status=${status}`,
      headers: {},
    })),
    readList: (reply) => (reply.status === 200 ? readJson(reply.body, listShape)?.jobs : undefined),
    readRef: (reply) => readJson(reply.body, jobShape)?.ref,
  },
  readCallback: (body) => readJson(body, z.object({ ref: z.string() }))?.ref,
});

const post: Service = defineService({
  name: 'toy/post',
  vendorCall: 'Post',
  about: 'labels a post',
  manual,
  kinds: ['post'],
  options: z.strictObject({}),
  exampleOptions: {},
  deliveries: ['poll'],
  maxBatch: 1,
  limits,
  sendsTitle: true,
  skus: () => ['toy/call'],
  columns: () => ({ metrics: [], tops: [{ normal: [] }] }),
  usage: oneCall,
  submit: (submission) => submitTo('/jobs/post', submission),
  readSubmission: readAccepted,
  poll: pollJob,
  readJob: readJob(undefined),
});

const repaint: Service = defineService({
  name: 'toy/repaint',
  vendorCall: 'Repaint',
  about: 'returns the image repainted',
  manual,
  kinds: ['image'],
  options: z.strictObject({}),
  exampleOptions: {},
  deliveries: ['call'],
  maxBatch: 1,
  limits,
  sendsTitle: false,
  skus: () => ['toy/call'],
  columns: () => ({ metrics: [], tops: [] }),
  usage: oneCall,
  submit: (submission) => submitTo('/call/repaint', submission),
  readSubmission: (reply, submission) => readAnswer(reply, submission),
});

export const toy: Vendor = {
  name: 'toy',
  about: 'a vendor for tests',
  credentials: z.strictObject({
    key: z.string().min(1).meta({ description: 'Name of the key.' }),
    secret: z.string().min(8).meta({ description: 'The key itself.' }),
  }),
  endpoint: 'https://toy.example',
  skus: [
    { name: 'toy/call', unit: 'call', about: 'one call' },
    { name: 'toy/frame', unit: 'frame', about: 'one frame of a video' },
  ],
  services: [image, video, watch, post, repaint],
  sign: (call, account, nowMs) => ({
    method: call.method,
    url: `${account.endpoint}${call.path}${call.query ? `?${call.query}` : ''}`,
    headers: {
      ...call.headers,
      authorization: `Toy ${account.credentials.key}:${account.credentials.secret}`,
      date: new Date(nowMs).toISOString(),
    },
    ...(call.body !== undefined && { body: call.body }),
  }),
  readRefusal,
};

/** A second vendor that only lends its name: for accounts of the wrong vendor. */
const mock: Vendor = { ...toy, name: 'mock', services: [], skus: [] };

export const toyCatalogue: Catalogue = [toy, mock];

/** An account of the toy vendor; whatever a test cares about is handed in. */
export function makeToyAccount(changes: Partial<Account> = {}): Account {
  return {
    name: 'toy-test',
    vendor: toy,
    endpoint: 'http://127.0.0.1:9',
    credentials: { key: 'toy-key', secret: 'toy-secret' },
    limits: { concurrency: 8, perSecond: 1000, maxOpenJobs: 100 },
    billing: {},
    booking: { refused: 'free', modelFailed: 'billed', failedJob: 'billed' },
    assume: {},
    returnsEmptyFrames: false,
    isLoopback: true,
    ...changes,
  };
}
