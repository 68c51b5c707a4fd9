/** `pai/image-quality`: how good a picture looks, from 0 to 100. */
import { z } from 'zod';
import { keepMetrics, lenientNumber } from './answer.ts';
import { noOptions } from './configure.ts';
import { defineImageService, pictureLimits } from './image-call.ts';

const answer = z.looseObject({
  iqa_result: z.number(),
  image_width: lenientNumber,
  image_height: lenientNumber,
});

export const imageQuality = defineImageService({
  name: 'pai/image-quality',
  vendorCall: 'ImageQA',
  action: 'ImageQA',
  defaultModel: '',
  about: 'scores the quality of an image from 0 to 100',
  options: noOptions,
  exampleOptions: {},
  limits: pictureLimits,
  columns: () => ({ metrics: ['iqa_result', 'image_width', 'image_height'], tops: [] }),
  read: (data) => {
    const parsed = answer.safeParse(data);
    if (!parsed.success) return undefined;
    const { iqa_result, image_width, image_height } = parsed.data;
    const metrics = keepMetrics({ iqa_result, image_width, image_height });
    return { finding: { labels: [], segments: [], metrics } };
  },
});
