/** The form that all image services share: one POST to `/api/v1/images`, whose reply is the answer. */
import type { z } from 'zod';
import type { Call, Reply } from '../../domain/exchange.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Outcome, ReturnedImage } from '../../domain/outcome.ts';
import type { MediaLimits, Service, ServiceColumns, Submission } from '../../domain/service.ts';
import { defineService } from '../../domain/service.ts';
import { makeConfigure } from './configure.ts';
import { isSuccess, readEnvelope } from './envelope.ts';
import { readTrouble, refuseUnexpected } from './refusals.ts';

export const manual = 'PAI, "Usage notes on multimedia analysis SDK for Python", 2024-08-26';

/** Advised for pictures as a whole; the manual's own sample of ImageQA is a picture of 398 x 214. */
export const pictureLimits: MediaLimits = {
  maxBytes: 5 * 1024 * 1024,
  minWidth: 240,
  minHeight: 240,
  isAdvice: true,
  source: `${manual}: "no larger than 5 MB and the resolution of the image is equal to or higher than 240 × 240"`,
};

/** Nothing is said of the picture as a whole, and where its faces are stands in no header. */
export const faceLimits: MediaLimits = {
  note: 'faces larger than 100 x 100 pixels',
  source: `${manual}: "The face section in the image must have a resolution that is higher than 100 × 100"`,
};

export interface ImageAnswer {
  readonly finding: Finding;
  readonly image?: ReturnedImage;
}

export interface ImageServiceParts<Options extends object> {
  readonly name: string;
  readonly vendorCall: string;
  readonly action: string;
  readonly defaultModel: string;
  readonly about: string;
  readonly options: z.ZodType<Options>;
  readonly exampleOptions: unknown;
  readonly limits: MediaLimits;
  readonly columns: (options: Options) => ServiceColumns;
  readonly warn?: (options: Options) => readonly string[];
  /** Reads `data` of a success; `undefined` where it is nothing that this service answers. */
  readonly read: (data: unknown, options: Options) => ImageAnswer | undefined;
}

/** Makes an image service of what is its own. Each call is one unit of `pai/basic`, a custom model's several. */
export function defineImageService<Options extends object>(parts: ImageServiceParts<Options>): Service {
  return defineService<Options>({
    name: parts.name,
    vendorCall: parts.vendorCall,
    about: parts.about,
    manual,
    kinds: ['image'],
    options: parts.options,
    exampleOptions: parts.exampleOptions,
    defaultModel: parts.defaultModel,
    deliveries: ['call'],
    maxBatch: 1,
    limits: parts.limits,
    takesInline: true,
    sendsTitle: false,
    skus: () => ['pai/basic'],
    columns: parts.columns,
    ...(parts.warn ? { warn: parts.warn } : {}),
    usage: ({ use }) => ({ units: { 'pai/basic': use.unitsPerCall }, basis: 'observed' }),
    submit: (submission) => submitImage(parts, submission, makeConfigure(parts.options, submission.options)),
    readSubmission: (reply, { elements, options }) => {
      const outcome = readImage(reply, (data) => parts.read(data, options));
      return elements.map(() => outcome);
    },
  });
}

/** Field order as in the Go SDK; empty fields are left out as it does. */
function submitImage(
  { action, defaultModel }: Pick<ImageServiceParts<never>, 'action' | 'defaultModel'>,
  submission: Submission,
  configure: Readonly<Record<string, unknown>> | undefined,
): Call {
  const model = submission.model || defaultModel;
  const body = {
    action,
    image: readInline(submission.elements[0]?.link ?? ''),
    ...(model === '' ? {} : { model_name: model }),
    ...(configure ? { configure } : {}),
  };
  return {
    method: 'POST',
    path: '/api/v1/images',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  };
}

/** A `data:` link carries the image itself, which the vendor takes as bare base64 (its Java SDK documents both). */
function readInline(link: string): string {
  return /^data:[^,]*;base64,/i.test(link) ? link.slice(link.indexOf(',') + 1) : link;
}

function readImage(reply: Reply, read: (data: unknown) => ImageAnswer | undefined): Outcome {
  const envelope = readEnvelope(reply);
  if (!envelope || !isSuccess(reply, envelope)) return readTrouble(reply);
  const answer = read(envelope.data);
  if (!answer) {
    return refuseUnexpected(
      'the answer has another shape than the manual shows',
      'modelFailed',
      reply.status,
    );
  }
  return { is: 'answered', finding: answer.finding, ...(answer.image ? { image: answer.image } : {}) };
}
