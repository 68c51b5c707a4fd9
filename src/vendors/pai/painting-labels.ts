/** `pai/painting-labels`: labels of AI paintings, by the custom model `tagger`. */
import { z } from 'zod';
import { defineImageService, pictureLimits } from './image-call.ts';

const taggers = [
  'SmilingWolf/wd-v1-4-convnext-tagger-v2',
  'SmilingWolf/wd-v1-4-convnextv2-tagger-v2',
  'SmilingWolf/wd-v1-4-vit-tagger-v2',
  'SmilingWolf/wd-v1-4-swinv2-tagger-v2',
  'RAM',
  'BLIP',
  'GIT',
] as const;

const options = z.strictObject({
  threshold: z
    .number()
    .optional()
    .describe('score from which a label is named; a number, e.g. 0.5; the default is not documented'),
  tagger_type: z
    .enum(taggers)
    .optional()
    .describe(`the labelling model; one of ${taggers.join(', ')}; the default is not documented`),
});

const answer = z.looseObject({
  caption: z.string(),
  probs: z.array(z.number()).optional().catch(undefined),
});

export const paintingLabels = defineImageService({
  name: 'pai/painting-labels',
  vendorCall: 'MultiLabelImageV2, tagger',
  action: 'MultiLabelImageV2',
  defaultModel: 'tagger',
  about: 'labels an AI painting with the words of a tagging model',
  options,
  exampleOptions: { threshold: 0.5, tagger_type: 'SmilingWolf/wd-v1-4-convnextv2-tagger-v2' },
  limits: pictureLimits,
  columns: () => ({ metrics: ['caption'], tops: [{ op: 'tag', normal: [] }] }),
  read: (data) => {
    const parsed = answer.safeParse(data);
    if (!parsed.success) return undefined;
    const { caption, probs } = parsed.data;
    const embeddings = probs ? { embeddings: { probs: probs.join(',') } } : {};
    return { finding: { labels: readCaption(caption), segments: [], metrics: { caption }, ...embeddings } };
  },
});

/**
 * The caption's words. They come without scores (`probs` covers the model's whole label set and does not belong to
 * them), so each that is named counts as 1: it is there.
 */
function readCaption(caption: string) {
  const words = caption.split(',').map((word) => word.trim());
  return [...new Set(words)].filter((word) => word !== '').map((label) => ({ op: 'tag', label, score: 1 }));
}
