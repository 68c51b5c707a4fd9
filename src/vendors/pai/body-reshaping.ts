/** `pai/body-reshaping`: makes the figure in a portrait larger or slimmer; the new image becomes an artifact. */
import { z } from 'zod';
import { defineImageService, pictureLimits } from './image-call.ts';
import { readReturnedImage } from './returned-image.ts';

const options = z.strictObject({
  degree: z
    .number()
    .default(-1.5)
    .describe(
      'above 0 slims, below 0 enlarges (-2.5 to -1.5 is advised for that); a number, default -1.5, which enlarges',
    ),
});

export const bodyReshaping = defineImageService({
  name: 'pai/body-reshaping',
  vendorCall: 'MultiLabelImageV2, body_reshaping',
  action: 'MultiLabelImageV2',
  defaultModel: 'body_reshaping',
  about: 'makes the figure in a portrait larger or slimmer and returns the new image',
  options,
  exampleOptions: { degree: 1 },
  limits: pictureLimits,
  columns: () => ({ metrics: [], tops: [] }),
  warn: ({ degree }) =>
    degree === 0 || degree < -2.5 || (degree < 0 && degree > -1.5)
      ? [
          `degree is ${degree}: -2.5 to -1.5 is advised for enlarging, above 0 slims. Vendor's manual, "degree".`,
        ]
      : [],
  read: readReturnedImage,
});
