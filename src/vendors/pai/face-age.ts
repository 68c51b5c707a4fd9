/** `pai/face-age`: the age range of the main face, by the custom model `fairface`. */
import { z } from 'zod';
import { emptyFinding } from '../../domain/finding.ts';
import { keepMetrics, lenientNumber } from './answer.ts';
import { noOptions } from './configure.ts';
import { defineImageService, faceLimits } from './image-call.ts';

/** `raneg` is the vendor's spelling in sample and table alike; the right one is taken too. */
const answer = z.looseObject({
  age_range: z.string(),
  age_raneg_prob: lenientNumber,
  age_range_prob: lenientNumber,
});

export const faceAge = defineImageService({
  name: 'pai/face-age',
  vendorCall: 'FaceAttrImage, fairface',
  action: 'FaceAttrImage',
  defaultModel: 'fairface',
  about: 'estimates the age range of the main face in an image',
  options: noOptions,
  exampleOptions: {},
  limits: faceLimits,
  columns: () => ({
    metrics: ['age_range', 'age_raneg_prob'],
    tops: [{ op: 'age_range', normal: [] }],
  }),
  read: (data) => {
    const parsed = answer.safeParse(data);
    if (!parsed.success) return undefined;
    const { age_range, age_raneg_prob, age_range_prob } = parsed.data;
    if (age_range === '') return { finding: emptyFinding };
    const probability = age_raneg_prob ?? age_range_prob;
    const labels =
      probability === undefined ? [] : [{ op: 'age_range', label: age_range, score: probability }];
    const metrics = keepMetrics({ age_range, age_raneg_prob: probability });
    return { finding: { labels, segments: [], metrics } };
  },
});
