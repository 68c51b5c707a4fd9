/** `pai/image-labels`: what a picture shows, as Chinese words with scores. */
import { z } from 'zod';
import { isAnswer, keepMetrics, labelShape, lenientNumber, readEmbeddings, readLabels } from './answer.ts';
import { declareSwitch, declareTopK } from './configure.ts';
import { defineImageService, pictureLimits } from './image-call.ts';

const options = z.strictObject({
  // 10 here, but 5 for videos and posts.
  tag_top_k: declareTopK('how many labels to return at most', 10),
  output_embedding: declareSwitch('whether to return the feature vector, which goes to the JSONL only'),
});

const answer = z.looseObject({
  ...labelShape.shape,
  image_width: lenientNumber,
  image_height: lenientNumber,
});

export const imageLabels = defineImageService({
  name: 'pai/image-labels',
  vendorCall: 'MultiLabelImageV2',
  action: 'MultiLabelImageV2',
  defaultModel: '',
  about: 'labels what an image shows',
  options,
  exampleOptions: { tag_top_k: 5, output_embedding: false },
  limits: pictureLimits,
  columns: () => ({ metrics: ['image_width', 'image_height'], tops: [{ op: 'tag', normal: [] }] }),
  read: (data) => {
    const parsed = answer.safeParse(data);
    if (!parsed.success || !isAnswer(parsed.data, ['tag_result', 'embedding_result'])) return undefined;
    const { image_width, image_height } = parsed.data;
    const metrics = keepMetrics({ image_width, image_height });
    return {
      finding: { labels: readLabels(parsed.data), segments: [], metrics, ...readEmbeddings(parsed.data) },
    };
  },
});
