/** `qiniu/video-censor`: pornography, terror and sensitive persons in one video, as a job or in one long call. */
import { z } from 'zod';
import type { Call, Reply } from '../../domain/exchange.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { type Submission, type TopColumn, defineService } from '../../domain/service.ts';
import { type AskedOp, readResult, skuOf } from './answer.ts';
import { isSuccess, jobIdText, jobSearch, makeJobCall, readVideoJob } from './job.ts';
import { type Op, type Options, options, readFrameCutting, warnOptions } from './options.ts';
import { keepWords, parseJson, readSubmissionTrouble } from './refusals.ts';
import { estimateUsage } from './usage.ts';

/** 0 is the bad label of pulp and the good one of terror. */
const normalLabels: Readonly<Record<Op, readonly string[]>> = {
  politician: [],
  pulp: ['2'],
  terror: ['0'],
};

/**
 * What the digits stand for: pulp as the vendor documents it for another image check (`nrop`), terror as public client
 * code for images has it. Read 2026-11-20.
 */
const meanings: Readonly<Record<Op, TopColumn['meanings']>> = {
  politician: undefined,
  pulp: {
    0: { en: 'pornographic', zh: '色情' },
    1: { en: 'sexy', zh: '性感' },
    2: { en: 'normal', zh: '正常' },
  },
  terror: { 0: { en: 'normal', zh: '正常' }, 1: { en: 'terror', zh: '暴恐' } },
};

export const videoCensor = defineService<Options>({
  name: 'qiniu/video-censor',
  vendorCall: 'POST /v1/video/<vid>',
  about: 'finds sensitive persons, pornography and terror in the cut frames of a video',
  manual: 'Qiniu, "API call: video sensitive-person detection v1", 2019-07-11',
  kinds: ['video'],
  options,
  exampleOptions: {
    ops: [{ op: 'politician' }, { op: 'pulp' }, { op: 'terror' }],
    vframe: { mode: 0, interval: 5 },
  },
  deliveries: ['poll', 'callback', 'sync'],
  maxBatch: 1,
  // "Try again" is what a job failed with, and a failed job may be billed.
  maxAttempts: 3,
  limits: { source: 'the v1 page names no limits of size, format or length' },
  sendsTitle: false,
  skus: (given) => given.ops.map(({ op }) => skuOf(op)),
  columns: (given) => ({
    metrics: [],
    tops: given.ops.map(({ op }) => ({ op, normal: normalLabels[op], meanings: meanings[op] })),
  }),
  pricedBy: (given) =>
    readFrameCutting(given).mode === 1 ? ['durationSeconds', 'keyFrames'] : ['durationSeconds'],
  usage: estimateUsage,
  warn: warnOptions,
  submit,
  readSubmission: (reply, submission) =>
    submission.elements.map(() => readSubmission(reply, submission.options)),
  poll: makeJobCall,
  readJob: (reply, reading) => reading.elements.map(() => readVideoJob(reply, listAsked(reading.options))),
  search: jobSearch,
  readCallback,
});

/**
 * One video. The mode is always written out, the interval only where it counts: a mode 1 call is not to be refused
 * over an interval that the vendor ignores.
 */
function submit(submission: Submission & { readonly options: Options }): Call {
  const [element] = submission.elements;
  if (element?.link === undefined)
    throw new Error('qiniu/video-censor: a submission needs one video with a link');
  const { mode, intervalSeconds } = readFrameCutting(submission.options);
  const { save, ops } = submission.options;
  const isCalledBack = submission.delivery === 'callback' && submission.hookUrl !== undefined;
  const body = {
    data: { uri: element.link },
    params: {
      async: submission.delivery !== 'sync',
      vframe: mode === 0 ? { mode, interval: intervalSeconds } : { mode },
      ...(save === undefined ? {} : { save }),
      ...(isCalledBack ? { hookURL: submission.hookUrl } : {}),
    },
    ops: ops.map(({ op, params }) =>
      params?.labels?.length ? { op, params: { labels: params.labels } } : { op },
    ),
  };
  return {
    method: 'POST',
    path: `/v1/video/${encodeURIComponent(element.ref)}`,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
}

const accepted = z.object({ job: jobIdText });

/** A job's id where one was asked for, or the result itself; a 2xx that is neither leaves the fate open. */
function readSubmission(reply: Reply, given: Options): Outcome {
  if (!isSuccess(reply)) return readSubmissionTrouble(reply);
  const body = parseJson(reply.body);
  const job = accepted.safeParse(body);
  if (job.success) return { is: 'accepted', job: job.data.job };
  const reading = readResult(body, listAsked(given));
  if ('outcome' in reading) return reading.outcome;
  const cause = `HTTP ${reply.status} without a job or a result (${reading.trouble}): ${keepWords(reply.body)}`;
  return { is: 'unknown', cause, httpStatus: reply.status };
}

function listAsked(given: Options): readonly AskedOp[] {
  return given.ops.map(({ op, params }) => ({
    op,
    isFiltered: params?.labels?.some((filter) => filter.select !== undefined) ?? false,
  }));
}

const callback = z.object({ id: z.string().min(1).max(200) });

/** In a callback `id` is the vid, which is our ref; in job objects it is the job's id. */
function readCallback(body: string): string | undefined {
  return callback.safeParse(parseJson(body)).data?.id;
}
