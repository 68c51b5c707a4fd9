/** What may stand in `pipelines/NAME.yaml`: each key with its description, default and example. */
import { z } from 'zod';
import { fitModes } from '../../domain/fit.ts';
import { kinds } from '../../domain/item.ts';
import { formatSize } from '../../domain/quantity.ts';
import {
  defaultLimits,
  languages,
  manifestFields,
  mostInlineBytes,
  noticeEvents,
  noticeFormats,
  reportFormats,
} from '../../domain/settings.ts';
import { canaryShape } from './canary.ts';
import { conditionShape, inlinePolicyShape } from './policy.ts';
import {
  baseUrlShape,
  countShape,
  durationOrNoneShape,
  durationShape,
  encodingShape,
  instantShape,
  manifestPathShape,
  moneyShape,
  objectPathShape,
  shareShape,
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
    .int()
    .min(1)
    .max(64)
    .default(8)
    .meta({
      description: 'Listings at a time, each of a range of keys; with 1, keys come in their order.',
      examples: [16],
    }),
});

const columnShape = z.union([wordShape, countShape], {
  error: 'expected the name of a column, or its position from 1',
});

const columnsShape = z.strictObject(
  Object.fromEntries(
    manifestFields.map((field) => [
      field,
      columnShape.optional().meta({ description: `Column that holds our ${field}.` }),
    ]),
  ) as Record<(typeof manifestFields)[number], z.ZodOptional<typeof columnShape>>,
);

const maxBrokenRowsShape = z
  .int()
  .min(0)
  .optional()
  .meta({
    description: 'More broken rows than this end the run; any number may be broken if left out.',
    examples: [100],
  });

/** What every manifest takes beside its path. */
const manifestKeys = {
  encoding: encodingShape.prefault('utf-8').meta({
    description: 'Encoding of the file; a byte order mark is believed before it.',
    examples: ['gb18030'],
  }),
  storage: wordShape.optional().meta({ description: 'Storage of rows that name none.', examples: ['main'] }),
  bucket: wordShape.optional().meta({ description: 'Bucket of rows that name none.', examples: ['media'] }),
  allowPrivateAddresses: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether URLs on private, loopback and link-local addresses may be probed.' }),
  maxBrokenRows: maxBrokenRowsShape,
} as const;

const csvShape = z.strictObject({
  path: manifestPathShape.meta({
    description:
      'CSV file, relative to this file; s3://storage/bucket/key; or - for standard input. Compressed with gzip or not.',
    examples: ['posts.csv', 's3://main/lists/posts.csv.gz'],
  }),
  header: z.boolean().default(true).meta({ description: 'Whether the first row names the columns.' }),
  columns: columnsShape.prefault({}).meta({
    description: `Our field to the name of their column, or to its position from 1, the only way with header: false. Fields: ${manifestFields.join(' ')}.`,
    examples: [{ url: 'link', title: 'name' }],
  }),
  delimiter: z
    .string({ error: 'expected one character, such as "," or "\\t"' })
    .length(1, { error: 'expected one character, such as "," or "\\t"' })
    .default(',')
    .meta({ description: 'What stands between two columns.' }),
  ...manifestKeys,
});

const jsonlShape = z.strictObject({
  path: manifestPathShape.meta({
    description:
      'File of JSON lines, relative to this file; s3://storage/bucket/key; or - for standard input. Our own tasks.jsonl too.',
    examples: ['rows.jsonl'],
  }),
  ...manifestKeys,
});

const inventoryShape = z.strictObject({
  manifest: objectPathShape.meta({
    description: 'The manifest.json of an S3 Inventory in CSV; its parts are read from the same bucket.',
    examples: ['s3://main/inventory/media/daily/2026-11-20T01-00Z/manifest.json'],
  }),
  storage: wordShape
    .optional()
    .meta({ description: 'Storage of the media; that of the manifest if left out.', examples: ['main'] }),
  maxBrokenRows: maxBrokenRowsShape,
});

export const sourceShape = z.strictObject({
  bucket: bucketShape.optional().meta({ description: 'A listing of a bucket.' }),
  csv: csvShape.optional().meta({ description: 'A manifest as a CSV file.' }),
  jsonl: jsonlShape.optional().meta({ description: 'A manifest as JSON lines.' }),
  inventory: inventoryShape.optional().meta({ description: 'An S3 Inventory.' }),
});

export const sourceShapes = {
  bucket: bucketShape,
  csv: csvShape,
  jsonl: jsonlShape,
  inventory: inventoryShape,
} as const;

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
  sample: shareShape
    .optional()
    .meta({ description: 'A share of the items, the same ones every time.', examples: ['1%'] }),
  fit: z
    .enum(fitModes)
    .default('warn')
    .meta({
      description:
        "What to do with media outside a service's documented limits: off sends it; warn sends it and says how much of it there is, by what the listing tells and what was read anyway; skip also reads the headers of what could be outside (pixels of images; a read of 16 KB each, remembered by content), and leaves out what is.",
      examples: ['skip'],
    }),
});

const modes = ['presigned', 'public', 'qiniu-private', 'inline'] as const;

/** The mode alone, told first: it decides which keys may stand beside it. */
export const accessModeShape = z
  .enum(modes)
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

const qiniuPrivateShape = z.strictObject({
  mode: z.literal('qiniu-private').meta({
    description: "Links of a private Qiniu bucket, signed with an account's keys when a call leaves.",
  }),
  baseUrl: baseUrlShape.meta({
    description: "Address of the bucket's domain, before the keys.",
    examples: ['https://media.example/'],
  }),
  account: wordShape.meta({
    description: 'Account in config/accounts.yaml whose keys sign.',
    examples: ['qiniu-prod'],
  }),
  expiresIn: durationShape({ leastMs: 1000 })
    .prefault('24h')
    .meta({ description: 'How long a signed link lives: long enough for queue and job.', examples: ['24h'] }),
});

const inlineShape = z.strictObject({
  mode: z.literal('inline').meta({
    description: `Images go with the call in base64, at most ${formatSize(mostInlineBytes)} each, for stores that the vendor cannot reach.`,
  }),
});

export const accessShapes = {
  presigned: presignedShape,
  public: publicShape,
  'qiniu-private': qiniuPrivateShape,
  inline: inlineShape,
} as const;

/** Limits of an account, or of one service on it. All runs on a ledger share them. */
export const limitsShape = z.strictObject({
  concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({
      description: `Calls in flight at once, over all runs on the ledger; ${defaultLimits.concurrency} for an account.`,
      examples: [8],
    }),
  perSecond: z
    .number()
    .gt(0)
    .max(100_000)
    .optional()
    .meta({
      description: `Requests in a second, polls and lists too, over all runs on the ledger; ${defaultLimits.perSecond} for an account.`,
      examples: [10],
    }),
  maxOpenJobs: z
    .int()
    .min(1)
    .optional()
    .meta({
      description: `Jobs open at the vendor at once, a batch counting its elements, over all runs on the ledger; ${defaultLimits.maxOpenJobs} for an account.`,
      examples: [100],
    }),
  maxAttempts: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .meta({
      description:
        'Submissions of one task that the vendor may answer with "try again" before the task fails; where it is left out, as the service has it (`mediasweep catalogue SERVICE`).',
      examples: [3],
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
  when: conditionShape.optional().meta({
    description:
      'Asked of an item only where the answer of another service of this pipeline meets this; skipped where it does not, or where there is none.',
    examples: [{ service: 'pai/video-quality', metric: 'video_score', is: '< 60' }],
  }),
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
    .enum(languages)
    .default('en')
    .meta({
      description: 'Language of the HTML report and of what `notify:` tells: English or Chinese.',
      examples: ['zh'],
    }),
  respect: z.literal('decisions').optional().meta({
    description:
      'With decisions, what a reviewer decided about an item (`mediasweep review import`) is its verdict until its content changes; else it is shown beside it.',
  }),
});

export const capsShape = z.strictObject({
  run: moneyShape.optional().meta({ description: 'Money that one run may not pass.', examples: ['500 CNY'] }),
  month: moneyShape.optional().meta({
    description: 'Money that all runs of this pipeline may not pass in a calendar month.',
    examples: ['20000 CNY'],
  }),
  units: z
    .record(z.string(), z.int().min(0))
    .optional()
    .meta({
      description: 'Units that one run may not pass, by SKU.',
      examples: [{ 'qiniu/pulp-image': 100_000 }],
    }),
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
  run: durationOrNoneShape.prefault('none').meta({
    description: 'Longest time that a run may take before it stops, to be gone on with later; or none.',
    examples: ['8h'],
  }),
});

const webhookExpected = 'expected an http or https address, such as "${HOOK_URL}"';

export const notifyShape = z.strictObject({
  webhook: z
    .string({ error: webhookExpected })
    .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), { error: webhookExpected })
    .meta({
      description:
        'Address that is told, with POST. From the environment where it holds a token, as those of bots do.',
      examples: ['${HOOK_URL}'],
    }),
  format: z.enum(noticeFormats).default('json').meta({
    description: 'json: the summary; dingtalk, feishu: a text for a group, by its custom bot.',
  }),
  secret: wordShape.optional().meta({
    description: 'Signs the messages: of the bot, or any of yours for json. From the environment only.',
    examples: ['${HOOK_SECRET}'],
  }),
  on: z.array(z.enum(noticeEvents)).min(1).default(['failure', 'flagged', 'cap80']).meta({
    description:
      'failure: the run came to no good end; flagged: items to review or block that the run before did not have; cap80: a cap is used to 80 %; finished: every end.',
  }),
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
      .union([presignedShape, publicShape, qiniuPrivateShape, inlineShape])
      .optional()
      .meta({ description: 'How vendors are given the media; presigned links if left out.' }),
    services: z.array(serviceShape).min(1).meta({ description: 'What is asked about each item.' }),
    policy: policyReferenceShape,
    reports: reportsShape.optional().meta({ description: 'What is written at the end.' }),
    caps: capsShape.optional().meta({
      description:
        'What a run or a month may not pass: reserved before a call leaves. Exit 4 where a task did not fit.',
    }),
    reuse: reuseShape.optional().meta({ description: 'When earlier answers stand in for new calls.' }),
    unknown: unknownShape.optional().meta({ description: 'What becomes of calls whose fate is unknown.' }),
    deadlines: deadlinesShape.optional().meta({ description: 'How long to wait.' }),
    canary: canaryShape.optional().meta({
      description:
        'A few items first, and when to stop after them. The whole source is listed before; holds for runs that begin with it.',
    }),
    notify: z
      .array(notifyShape)
      .optional()
      .meta({ description: 'Whom to tell of the end of a run, or of a cap that is nearly used up.' }),
  })
  .meta({ title: 'Mediasweep pipeline' });
