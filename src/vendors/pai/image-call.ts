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

/** Advised for pictures as a whole. */
export const pictureLimits: MediaLimits = {
  maxBytes: 5 * 1024 * 1024,
  minWidth: 240,
  minHeight: 240,
  source: `${manual}: at most 5 MB, 240 x 240 or more`,
};

/** Nothing is said of the picture, but a face must be larger than 100 x 100, and so must be what shows it. */
export const faceLimits: MediaLimits = {
  minWidth: 101,
  minHeight: 101,
  source: `${manual}: a face must be larger than 100 x 100`,
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
    needsMediaFacts: false,
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
