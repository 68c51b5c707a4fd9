/** `pai/video-labels`: classes and labels of what a video shows. */
import { classifyOptions } from './configure.ts';
import { listMediaColumns, readMediaAnswer, warnOfNoLabels } from './media-answer.ts';
import { defineVideoService, videoLimits } from './video-call.ts';

export const videoLabels = defineVideoService({
  name: 'pai/video-labels',
  vendorCall: 'ClassifyLabelVideo',
  action: 'ClassifyLabelVideo',
  defaultModel: '',
  kind: 'video',
  about: 'classifies and labels what a video shows, one by one or in batches',
  options: classifyOptions,
  exampleOptions: { tag_top_k: 10, output_embedding: false },
  limits: videoLimits,
  maxBatch: 100,
  sendsTitle: true,
  columns: listMediaColumns,
  warn: warnOfNoLabels,
  describe: ({ item, link }) => ({ video_url: link ?? '', video_title: item.title }),
  read: readMediaAnswer,
});
