/** Options of `qiniu/video-censor` in the vendor's spelling (v1 page, 2019-07-11): ranges, defaults, warnings. */
import { z } from 'zod';

export const opNames = ['politician', 'pulp', 'terror'] as const;
export type Op = (typeof opNames)[number];

/** Documented defaults; not filled in by the shape, so that an idle interval can be told from none. */
const defaultMode = 1;
const defaultIntervalSeconds = 5;
/** Above this the manual's error table and its parameter table contradict each other. */
const undisputedIntervalSeconds = 10;

const intervalRange =
  "expected a number of seconds from 1 to 60. Vendor's page on v1 video moderation, table of parameters";

const labelFilter = z.strictObject({
  label: z
    .string('expected text in quotes, such as "0" for pulp and terror or the name of a person')
    .min(1)
    .describe(
      'Label that the filter is about: a name for politician, "0", "1" or "2" for pulp, "0" or "1" for terror',
    ),
  select: z
    .union([z.literal(1), z.literal(2)], 'expected 1 (leave the label out) or 2 (only this label)')
    .optional()
    .describe('1 leaves the label out, 2 returns only this label; without it nothing is filtered'),
  score: z
    .number()
    .min(0, 'expected a number from 0 to 1')
    .max(1, 'expected a number from 0 to 1')
    .optional()
    .describe('Refines select: with 1, leaves out scores below it; with 2, returns scores at or above it'),
});

const op = z.strictObject({
  op: z
    .enum(opNames, `expected one of ${opNames.join(', ')}`)
    .describe('What to look for: politician (sensitive persons), pulp (pornography), terror'),
  params: z
    .strictObject({
      labels: z
        .array(labelFilter)
        .optional()
        .meta({ default: [] })
        .describe('Filters of the labels returned'),
    })
    .optional()
    .meta({ default: {} })
    .describe('Filters of this op'),
});

export const options = z.strictObject({
  ops: z
    .array(op)
    .min(1, 'expected 1 to 3 ops')
    .max(opNames.length, 'expected 1 to 3 ops')
    .refine((ops) => new Set(ops.map((one) => one.op)).size === ops.length, 'expected each op at most once')
    .describe('Checks to make on every cut frame; each is billed by itself'),
  vframe: z
    .strictObject({
      mode: z
        .union([z.literal(0), z.literal(1)], 'expected 0 (a frame every interval) or 1 (key frames)')
        .optional()
        .meta({ default: defaultMode })
        .describe('0 cuts a frame every interval seconds, 1 cuts the key frames'),
      interval: z
        .number(intervalRange)
        .min(1, intervalRange)
        .max(60, intervalRange)
        .optional()
        .meta({ default: defaultIntervalSeconds })
        .describe('Seconds between two frames, with mode 0 only'),
    })
    .optional()
    .meta({ default: {} })
    .describe('How frames are cut'),
  save: z
    .strictObject({
      bucket: z.string().min(1).describe('Bucket at the vendor for the cut frames; East China only'),
      prefix: z.string().optional().describe('Beginning of the names of the saved frames'),
    })
    .optional()
    .describe('Keeps the cut frames in a bucket'),
});

export type Options = z.output<typeof options>;

/** Frame cutting with the documented defaults filled in. */
export function readFrameCutting(given: Options): { readonly mode: 0 | 1; readonly intervalSeconds: number } {
  return {
    mode: given.vframe?.mode ?? defaultMode,
    intervalSeconds: given.vframe?.interval ?? defaultIntervalSeconds,
  };
}

/** What is allowed but probably not meant. */
export function warnOptions(given: Options): readonly string[] {
  const interval = given.vframe?.interval;
  const warnings: string[] = [];
  if (interval !== undefined && interval > undisputedIntervalSeconds) {
    warnings.push(
      `vframe.interval: ${interval} s is within the manual's table of parameters (1 to 60), but its table of errors allows only 0 to 10. Use at most 10 to be safe.`,
    );
  }
  if (interval !== undefined && readFrameCutting(given).mode !== 0) {
    warnings.push(
      'vframe.interval: has no effect, because vframe.mode is 1 (key frames, the default). Set vframe.mode to 0, or leave the interval out.',
    );
  }
  for (const one of given.ops) {
    const idle = one.params?.labels?.find((filter) => filter.select === undefined);
    if (idle) {
      warnings.push(
        `ops: the filter of ${one.op} on label "${idle.label}" has no effect without select. Set select to 1 or 2, or leave the filter out.`,
      );
    }
  }
  return warnings;
}
