/** Parts that several of PAI's answers are made of: lists of labels, sizes, feature vectors. */
import { z } from 'zod';
import type { Finding, Label } from '../../domain/finding.ts';

/** `undefined` where the value is absent or of another type, so that one odd field never costs a paid answer. */
function makeLenient<Shape extends z.ZodType>(shape: Shape) {
  return shape.optional().catch(undefined);
}

export const lenientNumber = makeLenient(z.number());

/**
 * A list whose odd elements are left out; `null` is an empty one, as Go writes it. `undefined` where it is no list or
 * all of it is odd: then its shape has changed, and no labels must not be taken for nothing found.
 */
function makeLenientList<Shape extends z.ZodType>(shape: Shape) {
  return makeLenient(
    z
      .array(z.unknown())
      .nullable()
      .transform((list) => {
        const kept = (list ?? []).flatMap((one) => {
          const parsed = shape.safeParse(one);
          return parsed.success ? [parsed.data] : [];
        });
        return kept.length === 0 && list !== null && list.length > 0 ? undefined : kept;
      }),
  );
}

const word = z.union([z.string(), z.number()]).transform(String);
const tag = z.looseObject({ tag: word, score: z.number() });
const classOf = z.looseObject({ class: word, score: z.number() });

/** `embedding_result` is numbers joined by commas; its length differs from the manual's in the manual's own samples. */
export const labelShape = z.looseObject({
  classification_result: makeLenientList(classOf),
  tag_result: makeLenientList(tag),
  embedding_result: makeLenient(z.string()),
});

/** True where at least one of the fields is there, and no list of labels is there that cannot be read. */
export function isAnswer(data: z.infer<typeof labelShape>, fields: readonly string[]): boolean {
  const isBroken = (['classification_result', 'tag_result'] as const).some(
    (field) => field in data && data[field] === undefined,
  );
  return !isBroken && fields.some((field) => field in data);
}

/** The classes and labels of an answer, in the vendor's order. */
export function readLabels(data: z.infer<typeof labelShape>): Label[] {
  return [
    ...(data.classification_result ?? []).map((one) => ({
      op: 'classification',
      label: one.class,
      score: one.score,
    })),
    ...(data.tag_result ?? []).map((one) => ({ op: 'tag', label: one.tag, score: one.score })),
  ];
}

export function readEmbeddings(data: z.infer<typeof labelShape>): Pick<Finding, 'embeddings'> {
  const { embedding_result: vector } = data;
  return vector ? { embeddings: { embedding_result: vector } } : {};
}

/** The metrics that are there; the vendor sends `""` for the size and length of a video that a post does not have. */
export function keepMetrics(
  values: Readonly<Record<string, number | string | undefined>>,
): Record<string, number | string> {
  const metrics: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') metrics[name] = value;
  }
  return metrics;
}
