/** Reads the result of a moderated video: ops, their segments and cut frames, leniently where the manual is silent. */
import { z } from 'zod';
import { aggregateOps } from '../../domain/aggregate.ts';
import type { CutReading, OpReading, SegmentReading } from '../../domain/aggregate.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Units } from '../../domain/usage.ts';

/** What of the options decides how an answer is read. */
export interface AskedOp {
  readonly op: string;
  /** True where a label filter leaves frames out, so that the frames shown prove nothing about the bill. */
  readonly isFiltered: boolean;
}

/** The price's name of one cut frame checked by an op: the price of one image check. v1 page, "price", 2019-07-11. */
export function skuOf(op: string): string {
  return `qiniu/${op}-image`;
}

/** Labels are strings throughout: the integer 0 of a `pulp` frame is `"0"`. Empty where there is none. */
const labelText = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => String(value ?? ''));
/** A score of zero may be left out by the vendor's encoder. */
const score = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
/** An empty list may come as null or not at all. */
const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .array(entry)
    .nullish()
    .transform((value) => value ?? []);
/** An entry without a label, as an unknown face may have, says nothing. */
const scoredList = listOf(z.object({ label: labelText, score })).transform((entries) =>
  entries.filter((one) => one.label !== ''),
);
const offset = z.number().nullish();

const isReview = z
  .unknown()
  .optional()
  .transform((value) => value === true);
const face = z.object({ value: z.object({ name: labelText, score, review: isReview }) });
const faces = z.object({ detections: z.array(z.unknown()) });
const frameClass = z.object({ label: labelText, score, review: isReview });

const cut = z.object({ offset, result: z.unknown().optional() });
const segment = z.object({
  offset_begin: offset,
  offset_end: offset,
  labels: scoredList,
  cuts: listOf(cut),
});
const opResult = z.object({ labels: scoredList, segments: listOf(segment) });
const result = z.record(z.string(), opResult);

type Segment = z.output<typeof segment>;

/**
 * Reads a result keyed by op into an outcome, or says why it cannot be read: a result without one of the ops that
 * were asked for would pass for a clean one. Offsets are milliseconds: public clients of the successor document it.
 */
export function readResult(
  value: unknown,
  asked: readonly AskedOp[],
): { readonly outcome: Extract<Outcome, { is: 'answered' }> } | { readonly trouble: string } {
  const parsed = result.safeParse(value);
  if (!parsed.success) return { trouble: `the result has another form: ${describeIssue(parsed.error)}` };
  const ops = Object.entries(parsed.data);
  const missing = asked.find((one) => !ops.some(([op]) => op === one.op));
  if (missing) return { trouble: `the result lacks op "${missing.op}"` };
  const readings: OpReading[] = ops.map(([op, given]) => ({
    op,
    labels: given.labels,
    segments: given.segments.map(readSegment),
  }));
  const isFiltered = asked.some((one) => one.isFiltered);
  return {
    outcome: {
      is: 'answered',
      finding: { ...aggregateOps(readings), metrics: {} },
      ...(isFiltered ? {} : { observed: countFrames(parsed.data, asked) }),
    },
  };
}

function readSegment(given: Segment): SegmentReading {
  const known = [given.offset_begin, given.offset_end, ...given.cuts.map((one) => one.offset)];
  const times = known.filter((time) => typeof time === 'number');
  return {
    // A long video has more cuts than a call can have arguments.
    beginMs: given.offset_begin ?? times.reduce((least, time) => Math.min(least, time), times[0] ?? 0),
    endMs: given.offset_end ?? times.reduce((most, time) => Math.max(most, time), 0),
    labels: given.labels,
    cuts: given.cuts.map((one) => ({ labels: readCut(one.result) })),
  };
}

/**
 * The labels of one frame: persons in `detections[].value`, or one class. The field is documented as "anything", so
 * what is not known of it, such as a face without a name, shows no label; the segment's own labels still count.
 */
function readCut(given: unknown): CutReading['labels'] {
  const persons = faces.safeParse(given);
  const seen = persons.success
    ? persons.data.detections.flatMap((one) => {
        const value = face.safeParse(one).data?.value;
        return value ? [{ label: value.name, score: value.score, needsReview: value.review }] : [];
      })
    : [frameClass.safeParse(given).data].flatMap((one) =>
        one ? [{ label: one.label, score: one.score, needsReview: one.review }] : [],
      );
  return seen.filter((one) => one.label !== '');
}

/** Distinct cut offsets of each op; `undefined` where the answer shows no frame at all and so proves nothing. */
function countFrames(given: z.output<typeof result>, asked: readonly AskedOp[]): Units | undefined {
  const counts = asked.map(({ op }) => {
    const cuts = given[op]?.segments.flatMap((one) => one.cuts) ?? [];
    const offsets = new Set(cuts.map((one) => one.offset).filter((time) => typeof time === 'number'));
    return [skuOf(op), offsets.size] as const;
  });
  const shown = counts.filter(([, count]) => count > 0);
  return shown.length === 0 ? undefined : Object.fromEntries(shown);
}

function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.')}: ${issue.message}`;
}
