/** Alibaba Cloud PAI multimedia analysis: its account, its signature and its ten services. */
import type { Vendor } from '../../domain/service.ts';
import { credentials, signCall } from './auth.ts';
import { bodyReshaping } from './body-reshaping.ts';
import { faceAge } from './face-age.ts';
import { faceAttributes } from './face-attributes.ts';
import { imageLabels } from './image-labels.ts';
import { imageQuality } from './image-quality.ts';
import { paintingLabels } from './painting-labels.ts';
import { postLabels } from './post-labels.ts';
import { readRefusal } from './refusals.ts';
import { videoLabels } from './video-labels.ts';
import { videoQuality } from './video-quality.ts';
import { watermarkRemoval } from './watermark-removal.ts';

export const pai: Vendor = {
  name: 'pai',
  about: 'Alibaba Cloud Platform for AI, multimedia analysis',
  credentials,
  // Plain HTTP is what the vendor offers (SDK manual, 2024-08-26).
  endpoint: 'http://ai-service.ce8cc13b6421545749e7b4605f3d02607.cn-hangzhou.alicontainer.com',
  // The billing page's two specs, metered apart (last modified 2024-01-04).
  skus: [
    { name: 'pai/basic', unit: 'call', about: 'basic model services: every image service' },
    {
      name: 'pai/advanced',
      unit: 'call',
      about: 'advanced model services: videos and posts; each video of a batch counts',
    },
  ],
  services: [
    imageQuality,
    faceAttributes,
    faceAge,
    imageLabels,
    paintingLabels,
    bodyReshaping,
    watermarkRemoval,
    postLabels,
    videoQuality,
    videoLabels,
  ],
  sign: signCall,
  readRefusal,
};
