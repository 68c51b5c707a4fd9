/** `pai/post-labels`: classes and labels of a post, from its text, images and video together. */
import { classifyOptions } from './configure.ts';
import { manual } from './image-call.ts';
import { listMediaColumns, readMediaAnswer, warnOfNoLabels } from './media-answer.ts';
import { defineVideoService } from './video-call.ts';

export const postLabels = defineVideoService({
  name: 'pai/post-labels',
  vendorCall: 'MultiModalClassify, multi_modal_tag',
  action: 'MultiModalClassify',
  defaultModel: 'multi_modal_tag',
  kind: 'post',
  about: 'classifies and labels a post of text with images or a video',
  options: classifyOptions,
  exampleOptions: { tag_top_k: 10, output_embedding: false },
  limits: { source: `${manual}: no limits are given for posts` },
  maxBatch: 1,
  sendsTitle: true,
  columns: listMediaColumns,
  warn: warnOfNoLabels,
  // The manual's text "consists of the title and the introduction"; there is no field for the title alone.
  describe: ({ item }) => ({
    video_url: item.videoUrl ?? '',
    text: [item.title, item.text].filter(Boolean).join('\n'),
    images: item.images,
  }),
  read: readMediaAnswer,
});
