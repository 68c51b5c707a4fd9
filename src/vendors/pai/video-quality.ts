/** `pai/video-quality`: how good a video looks, from 0 to 100, and how much its frames differ. */
import { z } from 'zod';
import { keepMetrics, lenientNumber } from './answer.ts';
import { noOptions } from './configure.ts';
import { defineVideoService, videoLimits } from './video-call.ts';

/** Size is `height` and `width` here, but `video_height` and `video_width` in the other video answers. */
const answer = z.looseObject({
  video_score: z.number(),
  single_img: lenientNumber,
  avg_fps: lenientNumber,
  // Whole seconds in the table, fractions in the batch samples.
  duration: lenientNumber,
  width: lenientNumber,
  height: lenientNumber,
});

export const videoQuality = defineVideoService({
  name: 'pai/video-quality',
  vendorCall: 'VideoQA',
  action: 'VideoQA',
  defaultModel: '',
  kind: 'video',
  about: 'scores the quality of a video from 0 to 100, one by one or in batches',
  options: noOptions,
  exampleOptions: {},
  limits: videoLimits,
  maxBatch: 100,
  // The vendor has a field for the title and says that it is not used.
  sendsTitle: false,
  columns: () => ({
    metrics: ['video_score', 'single_img', 'avg_fps', 'duration', 'width', 'height'],
    tops: [],
  }),
  describe: ({ link }) => ({ video_url: link ?? '' }),
  read: (result) => {
    const parsed = answer.safeParse(result);
    if (!parsed.success) return undefined;
    const { video_score, single_img, avg_fps, duration, width, height } = parsed.data;
    const metrics = keepMetrics({ video_score, single_img, avg_fps, duration, width, height });
    return { labels: [], segments: [], metrics };
  },
});
