/** `pai/watermark-removal`: removes watermarks; the new image becomes an artifact. */
import { noOptions } from './configure.ts';
import { defineImageService, pictureLimits } from './image-call.ts';
import { readReturnedImage } from './returned-image.ts';

export const watermarkRemoval = defineImageService({
  name: 'pai/watermark-removal',
  vendorCall: 'MultiLabelImageV2, watermark_remover',
  action: 'MultiLabelImageV2',
  defaultModel: 'watermark_remover',
  about: 'removes watermarks from an image and returns the new image',
  options: noOptions,
  exampleOptions: {},
  limits: pictureLimits,
  columns: () => ({ metrics: [], tops: [] }),
  read: readReturnedImage,
});
