/** What may stand in `pipelines/NAME.yaml`: each key with its description, default and example. */
import { z } from 'zod';
import { kinds } from '../../domain/item.ts';
import { formatSize } from '../../domain/quantity.ts';
import { defaultLimits, manifestFields, mostInlineBytes, reportFormats } from '../../domain/settings.ts';
import { inlinePolicyShape } from './policy.ts';
import {
  baseUrlShape,
  countShape,
  durationShape,
  instantShape,
  moneyShape,
  notYet,
  sizeShape,
  wordShape,
  wordsShape,
  zoneShape,
} from './scalar.ts';

/** SigV4 signs no link for longer. */
const longestLinkMs = 7 * 86_400_000;

const bucketShape = z.strictObject({
  storage: wordShape.meta({ description: 'Name of a storage in config/storages.yaml.', examples: ['main'] }),
  bucket: wordShape.meta({ description: 'Name of the bucket.', examples: ['media'] }),
  prefix: z
    .union([z.string(), z.array(z.string()).min(1)], {
      error: 'expected a prefix, or a list of at least one',
    })
    .transform((written) => (typeof written === 'string' ? [written] : written))
    .prefault('')
    .meta({ description: 'Only keys that begin with this, or with one of these.', examples: ['ugc/'] }),
  parallel: z
    .literal(1, {
      error: ({ input }) =>
        typeof input === 'number' && input > 1 ? 'not supported yet: expected 1' : 'expected 1',
    })
    .default(1)
    .meta({ description: 'Listings at a time. More than 1 is not supported yet.' }),
});

const columnShape = z.union([wordShape, countShape], {
  error: 'expected the name of a column, or its position from 1 with header: false',
});

const columnsShape = z.strictObject(
  Object.fromEntries(
    manifestFields.map((field) => [
      field,
      columnShape.optional().meta({ description: `Column that holds our ${field}.` }),
    ]),
  ) as Record<(typeof manifestFields)[number], z.ZodOptional<typeof columnShape>>,
);

const csvShape = z.strictObject({
  path: wordShape
    .refine((path) => !path.startsWith('s3://'), 'not supported yet: expected the path of a local file')
    .refine((path) => path !== '-', 'not supported yet: expected the path of a file, not standard input')
    .refine((path) => !/\.gz$/i.test(path), 'not supported yet: expected a file that is not compressed')
    .meta({ description: 'Local CSV file, relative to this file.', examples: ['posts.csv'] }),
  header: z.boolean().default(true).meta({ description: 'Whether the first row names the columns.' }),
  columns: columnsShape.prefault({}).meta({
    description: `Our field to the name of their column, or to its position from 1 with header: false. Fields: ${manifestFields.join(' ')}.`,
    examples: [{ url: 'link', title: 'name' }],
  }),
  delimiter: z
    .string({ error: 'expected one character, such as "," or "\\t"' })
    .length(1, { error: 'expected one character, such as "," or "\\t"' })
    .default(',')
    .meta({ description: 'What stands between two columns.' }),
  encoding: z
    .literal('utf-8', {
      error: ({ input }) =>
        typeof input === 'string' && !/^utf-?8$/i.test(input)
          ? 'not supported yet: expected "utf-8"'
          : undefined,
    })
    .default('utf-8')
    .meta({ description: 'Encoding of the file.' }),
  storage: wordShape.optional().meta({ description: 'Storage of rows that name none.', examples: ['main'] }),
  bucket: wordShape.optional().meta({ description: 'Bucket of rows that name none.', examples: ['media'] }),
  allowPrivateAddresses: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether URLs on private, loopback and link-local addresses may be probed.' }),
  maxBrokenRows: notYet('How many rows may be broken before the run stops.'),
});

export const sourceShape = z.strictObject({
  bucket: bucketShape.optional().meta({ description: 'A listing of a bucket.' }),
  csv: csvShape.optional().meta({ description: 'A manifest as a CSV file.' }),
  jsonl: notYet('A manifest as JSON lines.'),
  inventory: notYet('An S3 Inventory or S3 Batch manifest.'),
});

export const sourceShapes = { bucket: bucketShape, csv: csvShape } as const;

export const selectShape = z.strictObject({
  include: wordsShape.optional().meta({
    description: 'Globs over the key or the path of the URL; all if left out.',
    examples: [['**/*.{jpg,mp4}']],
  }),
  exclude: wordsShape
    .optional()
    .meta({ description: 'Globs of what is left out although included.', examples: [['**/thumbs/**']] }),
  kinds: z
    .array(z.enum(kinds))
    .min(1)
    .optional()
    .meta({ description: 'Kinds of item; all if left out.', examples: [['image', 'video']] }),
  minSize: sizeShape.optional().meta({ description: 'Smallest size.', examples: ['1KB'] }),
  maxSize: sizeShape.optional().meta({ description: 'Largest size.', examples: ['100MB'] }),
  modifiedAfter: instantShape
    .optional()
    .meta({ description: 'Only what was modified after this day or instant.', examples: ['2026-01-01'] }),
  modifiedWithin: durationShape()
    .optional()
    .meta({ description: 'Only what was modified this long ago or less.', examples: ['2d'] }),
  sample: notYet('A share of the items, chosen by their identity.'),
  fit: z
    .literal('off', {
      error: ({ input }) =>
        input === 'warn' || input === 'skip' ? 'not supported yet: expected "off"' : undefined,
    })
    .default('off')
    .meta({ description: "What to do with media outside a service's limits. Only off is supported yet." }),
});

const modes = ['presigned', 'public', 'qiniu-private', 'inline'] as const;

/** The mode alone, told first: it decides which keys may stand beside it. */
export const accessModeShape = z
  .enum(modes)
  .refine((mode) => mode !== 'qiniu-private', {
    error: 'not supported yet: expected "presigned", "public" or "inline"',
  })
  .default('presigned')
  .meta({ description: 'How vendors are given the media.' });

const presignedShape = z.strictObject({
  mode: z
    .literal('presigned')
    .default('presigned')
    .meta({ description: 'Links are signed when a call leaves; rows with a url use it as it is.' }),
  expiresIn: durationShape({ leastMs: 1000, mostMs: longestLinkMs, range: ' from 1s to 7d' })
    .prefault('24h')
    .meta({ description: 'How long a signed link lives: long enough for queue and job.', examples: ['24h'] }),
});

const publicShape = z.strictObject({
  mode: z.literal('public').meta({ description: 'Links are this address and the key.' }),
  baseUrl: baseUrlShape.meta({ description: 'Address before the keys.', examples: ['https://cdn.example/'] }),
});

const inlineShape = z.strictObject({
  mode: z.literal('inline').meta({
    description: `Images go with the call in base64, at most ${formatSize(mostInlineBytes)} each, for stores that the vendor cannot reach.`,
  }),
});

export const accessShapes = {
  presigned: presignedShape,
  public: publicShape,
  inline: inlineShape,
} as const;

/** Limits of an account, or of one service on it. */
export const limitsShape = z.strictObject({
  concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({
      description: `Calls in flight at once; ${defaultLimits.concurrency} for an account.`,
      examples: [8],
    }),
  perSecond: z
    .number()
    .gt(0)
    .max(100_000)
    .optional()
    .meta({
      description: `Requests in a second, polls and lists too; ${defaultLimits.perSecond} for an account.`,
      examples: [10],
    }),
  maxOpenJobs: z
    .int()
    .min(1)
    .optional()
    .meta({
      description: `Jobs open at the vendor at once, a batch counting its elements; ${defaultLimits.maxOpenJobs} for an account.`,
      examples: [100],
    }),
});

export const serviceShape = z.strictObject({
  use: wordShape.meta({ description: 'Name of a service; `mediasweep catalogue` lists them.' }),
  as: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N}/_-]{0,63}$/u, {
      error: 'expected a name of at most 64 letters, digits, "-", "_" and "/"',
    })
    .optional()
    .meta({ description: 'Name that stands for it everywhere; needed where a service is used twice.' }),
  account: wordShape.optional().meta({
    description: 'Account in config/accounts.yaml; may be left out where the vendor has exactly one.',
    examples: ['pai-prod'],
  }),
  options: z.record(z.string(), z.unknown()).optional().meta({
    description: "The service's options in the vendor's spelling, and model_name for a custom model.",
  }),
  unitsPerCall: countShape
    .optional()
    .meta({ description: 'Billing units of one call of a custom model; 1.' }),
  batch: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .meta({ description: 'Most items in one call, for services with a batch form.' }),
  delivery: z
    .enum(['call', 'poll', 'callback', 'sync'])
    .optional()
    .meta({ description: "How the answer comes; the service's first form (poll for jobs) if left out." }),
  limits: limitsShape
    .prefault({})
    .meta({ description: "Limits of this service alone, within its account's." }),
  when: notYet('Conditions on the answer of a cheaper service.'),
});

export const reportsShape = z.strictObject({
  formats: z
    .array(z.enum(reportFormats))
    .default([...reportFormats])
    .meta({ description: 'Reports to write beside the summary and the bill.' }),
  timezone: zoneShape
    .prefault('UTC')
    .meta({ description: 'Time zone of the times in the HTML report.', examples: ['Asia/Shanghai'] }),
  excel: z.boolean().default(true).meta({
    description: 'Byte order mark and guard against formulas in tables for people; false for exact bytes.',
  }),
  language: z
    .literal('en', {
      error: ({ input }) => (input === 'zh' ? 'not supported yet: expected "en"' : undefined),
    })
    .default('en')
    .meta({ description: 'Language of the HTML report. Only en is supported yet.' }),
  respect: notYet('Whether decisions of reviewers stand in the reports.'),
});

export const reuseShape = z.strictObject({
  by: z
    .enum(['content', 'path', 'never'])
    .default('content')
    .meta({ description: 'What an answer belongs to: content (etag and size), path, or never reuse.' }),
  maxAge: durationShape()
    .optional()
    .meta({ description: 'Older answers are not reused.', examples: ['180d'] }),
  retryFailedAfter: durationShape()
    .prefault('30d')
    .meta({ description: 'How long a definite failure is remembered.', examples: ['30d'] }),
});

export const unknownShape = z.strictObject({
  resendBelow: moneyShape.optional().meta({
    description:
      'A call whose fate cannot be asked for is sent again only if its whole charge is below this (0.10 if left out), else held.',
    examples: ['0.10 CNY'],
  }),
});

export const deadlinesShape = z.strictObject({
  call: durationShape()
    .prefault('100s')
    .meta({ description: 'Longest wait for a reply.', examples: ['100s'] }),
  syncCall: durationShape()
    .prefault('30m')
    .meta({ description: 'Longest wait for the reply of a delivery: sync call.', examples: ['30m'] }),
  job: durationShape()
    .prefault('24h')
    .meta({ description: 'Longest wait for a job.', examples: ['24h'] }),
  run: z
    .literal('none', {
      error: ({ input }) => (typeof input === 'string' ? 'not supported yet: expected "none"' : undefined),
    })
    .default('none')
    .meta({ description: 'Longest time for a run. Only none is supported yet.' }),
});

export const policyReferenceShape = z
  .union([wordShape, inlinePolicyShape], {
    error: 'expected the name of a file in config/policies, or a map with rules',
  })
  .optional()
  .meta({ description: 'Name of a file in config/policies, or rules written here.', examples: ['strict'] });

/** The whole file, for the JSON Schema; loading reads it part by part, so that one fault hides no other. */
export const pipelineShape = z
  .strictObject({
    about: z.string().optional().meta({ description: 'One sentence for humans.' }),
    source: sourceShape.meta({ description: 'Where the items come from: exactly one of its keys.' }),
    select: selectShape.optional().meta({ description: 'Which of the items are looked at.' }),
    access: z
      .union([presignedShape, publicShape, inlineShape])
      .optional()
      .meta({ description: 'How vendors are given the media; presigned links if left out.' }),
    services: z.array(serviceShape).min(1).meta({ description: 'What is asked about each item.' }),
    policy: policyReferenceShape,
    reports: reportsShape.optional().meta({ description: 'What is written at the end.' }),
    caps: notYet('Money and units that a run or a month may not pass.'),
    reuse: reuseShape.optional().meta({ description: 'When earlier answers stand in for new calls.' }),
    unknown: unknownShape.optional().meta({ description: 'What becomes of calls whose fate is unknown.' }),
    deadlines: deadlinesShape.optional().meta({ description: 'How long to wait.' }),
    canary: notYet('A few items first, and when to stop after them.'),
    notify: notYet('Whom to tell of the end of a run.'),
  })
  .meta({ title: 'Mediasweep pipeline' });
