/** The form that videos and posts share: a POST that is answered with a job or batch id, and reads of it. */
import { z } from 'zod';
import type { Call, Reply } from '../../domain/exchange.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type {
  MediaLimits,
  Service,
  ServiceColumns,
  Submission,
  SubmitElement,
} from '../../domain/service.ts';
import { defineService } from '../../domain/service.ts';
import type { Kind } from '../../domain/item.ts';
import { makeConfigure } from './configure.ts';
import { idShape, isSuccess, readEnvelope } from './envelope.ts';
import { manual } from './image-call.ts';
import type { ReadResult } from './job.ts';
import { pollJob, readBatch, readSingle } from './job.ts';
import { readTrouble } from './refusals.ts';

/** Advised for videos. */
export const videoLimits: MediaLimits = {
  maxBytes: 100 * 1024 * 1024,
  minWidth: 320,
  minHeight: 240,
  isAdvice: true,
  source: `${manual}: "no larger than 100 MB and the resolution of the video is equal to or higher than 320 × 240"`,
};

/** What stands between `action` and `configure` of a single request, in the order of the Go SDK. */
export interface VideoFields {
  readonly video_url: string;
  readonly video_title?: string | undefined;
  readonly text?: string | undefined;
  readonly images?: readonly string[] | undefined;
}

export interface VideoServiceParts<Options extends object> {
  readonly name: string;
  readonly vendorCall: string;
  readonly action: string;
  readonly defaultModel: string;
  readonly kind: Kind;
  readonly about: string;
  readonly options: z.ZodType<Options>;
  readonly exampleOptions: unknown;
  readonly limits: MediaLimits;
  readonly maxBatch: number;
  readonly sendsTitle: boolean;
  readonly columns: (options: Options) => ServiceColumns;
  readonly warn?: (options: Options) => readonly string[];
  readonly describe: (element: SubmitElement) => VideoFields;
  /** Reads the decoded `Result`. */
  readonly read: ReadResult;
}

/** Makes a job service of what is its own. Each video is one unit of `pai/advanced`, a custom model's several. */
export function defineVideoService<Options extends object>(parts: VideoServiceParts<Options>): Service {
  return defineService<Options>({
    name: parts.name,
    vendorCall: parts.vendorCall,
    about: parts.about,
    manual,
    kinds: [parts.kind],
    options: parts.options,
    exampleOptions: parts.exampleOptions,
    defaultModel: parts.defaultModel,
    deliveries: ['poll'],
    maxBatch: parts.maxBatch,
    limits: parts.limits,
    sendsTitle: parts.sendsTitle,
    skus: () => ['pai/advanced'],
    columns: parts.columns,
    ...(parts.warn ? { warn: parts.warn } : {}),
    usage: ({ use }) => ({ units: { 'pai/advanced': use.unitsPerCall }, basis: 'observed' }),
    submit: (submission) => {
      const configure = makeConfigure(parts.options, submission.options);
      return submission.isBatch
        ? submitBatch(parts, submission, configure)
        : submitSingle(parts, submission, configure);
    },
    readSubmission: (reply, { elements, isBatch }) => {
      const outcome = readAcceptance(reply, isBatch);
      return elements.map(() => outcome);
    },
    poll: pollJob,
    readJob: (reply, reading) =>
      reading.isBatch
        ? readBatch(reply, reading.elements, parts.read)
        : reading.elements.map(() => readSingle(reply, parts.read)),
  });
}

type Describing = Pick<VideoServiceParts<never>, 'action' | 'defaultModel' | 'describe'>;
type Configure = Readonly<Record<string, unknown>> | undefined;

function submitSingle(parts: Describing, submission: Submission, configure: Configure): Call {
  const { elements } = submission;
  const model = submission.model || parts.defaultModel;
  const fields = elements[0] ? parts.describe(elements[0]) : { video_url: '' };
  const { video_url, video_title, text, images } = fields;
  return post('/api/v1/videos', {
    action: parts.action,
    // Sent even when empty, as the SDKs do.
    video_url,
    ...(video_title ? { video_title } : {}),
    ...(model === '' ? {} : { model_name: model }),
    ...(text ? { text } : {}),
    ...(images && images.length > 0 ? { images } : {}),
    ...(configure ? { configure } : {}),
  });
}

/** Inside a batch the fields are called `url` and `title`. */
function submitBatch(parts: Describing, submission: Submission, configure: Configure): Call {
  const { elements } = submission;
  const model = submission.model || parts.defaultModel;
  const videos = elements.map(parts.describe).map(({ video_url, video_title }) => ({
    url: video_url,
    ...(video_title ? { title: video_title } : {}),
  }));
  return post('/api/v1/batch_videos', {
    action: parts.action,
    videos,
    ...(model === '' ? {} : { model_name: model }),
    ...(configure ? { configure } : {}),
  });
}

function post(path: string, body: unknown): Call {
  return {
    method: 'POST',
    path,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  };
}

const acceptedJob = z.looseObject({ job_id: idShape });
const acceptedBatch = z.looseObject({ batch_id: idShape });

/**
 * The handle is the vendor's own id, with `batch-` before that of a batch: the vendor counts both from 1, and the
 * ledger must not take one for the other.
 */
function readAcceptance(reply: Reply, isBatch: boolean): Outcome {
  const envelope = readEnvelope(reply);
  if (!envelope || !isSuccess(reply, envelope)) return readTrouble(reply);
  if (isBatch) {
    const parsed = acceptedBatch.safeParse(envelope.data);
    if (parsed.success) return { is: 'accepted', job: `batch-${parsed.data.batch_id}` };
  } else {
    const parsed = acceptedJob.safeParse(envelope.data);
    if (parsed.success) return { is: 'accepted', job: parsed.data.job_id };
  }
  // The work may have begun, but under an id that nobody has told us.
  return { is: 'unknown', cause: 'a success without a job id', httpStatus: reply.status };
}
