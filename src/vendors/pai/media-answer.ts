/** The answer that posts and video labels share: classes, labels, a feature vector, size and length of the video. */
import { z } from 'zod';
import type { Finding } from '../../domain/finding.ts';
import type { ServiceColumns } from '../../domain/service.ts';
import { isAnswer, keepMetrics, labelShape, lenientNumber, readEmbeddings, readLabels } from './answer.ts';
import type { classifyOptions } from './configure.ts';

type Options = z.infer<typeof classifyOptions>;

/** Sizes and length are `""` for a post without a video, which `lenientNumber` reads as absent. */
const answer = z.looseObject({
  ...labelShape.shape,
  video_width: lenientNumber,
  video_height: lenientNumber,
  duration: lenientNumber,
});

const parts = ['classification_result', 'tag_result', 'embedding_result', 'duration'] as const;

export function readMediaAnswer(result: unknown): Finding | undefined {
  const parsed = answer.safeParse(result);
  if (!parsed.success || !isAnswer(parsed.data, parts)) return undefined;
  const { video_width, video_height, duration } = parsed.data;
  const metrics = keepMetrics({ video_width, video_height, duration });
  return { labels: readLabels(parsed.data), segments: [], metrics, ...readEmbeddings(parsed.data) };
}

export function listMediaColumns(options: Options): ServiceColumns {
  return {
    metrics: ['video_width', 'video_height', 'duration'],
    tops: [
      ...(options.output_classification ? [{ op: 'classification', normal: [] }] : []),
      ...(options.output_tag ? [{ op: 'tag', normal: [] }] : []),
    ],
  };
}

/** Options under which the vendor is paid for an answer without any classes or labels. */
export function warnOfNoLabels(options: Options): readonly string[] {
  return options.output_classification || options.output_tag
    ? []
    : [
        'output_classification and output_tag are both false: the answer has no labels. Set one of them to true.',
      ];
}
