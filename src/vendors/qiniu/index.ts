/** Qiniu: credentials, signature, billing units and services of its v1 video moderation. */
import type { Vendor } from '../../domain/service.ts';
import { skuOf } from './answer.ts';
import { credentials, signCall, signLink } from './auth.ts';
import { type Op, opNames } from './options.ts';
import { readRefusal } from './refusals.ts';
import { videoCensor } from './video-censor.ts';

const checks: Readonly<Record<Op, string>> = {
  politician: 'sensitive persons',
  pulp: 'pornography',
  terror: 'terror',
};

export const qiniu: Vendor = {
  name: 'qiniu',
  about: 'Qiniu cloud, content moderation of videos (v1)',
  credentials,
  endpoint: 'https://ai.qiniuapi.com',
  skus: opNames.map((op) => ({
    name: skuOf(op),
    unit: 'image or frame',
    about: `an image, or a frame cut from a video, checked for ${checks[op]}; one monthly volume for both`,
  })),
  services: [videoCensor],
  sign: signCall,
  signLink,
  readRefusal,
};
