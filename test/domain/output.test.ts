import { expect, test } from 'vitest';
import { readBucketPlace } from '../../src/domain/output.ts';

test.each([
  ['s3://main/reports', { storage: 'main', bucket: 'reports', prefix: '' }],
  ['s3://main/reports/', { storage: 'main', bucket: 'reports', prefix: '' }],
  ['s3://main/reports/audit', { storage: 'main', bucket: 'reports', prefix: 'audit/' }],
  ['s3://main/reports/审核/2026/', { storage: 'main', bucket: 'reports', prefix: '审核/2026/' }],
  ['s3://main', undefined],
  ['s3://main/', undefined],
  ['s3:///reports/a', undefined],
  ['s3://main/reports//a', undefined],
  ['s3://main/reports/../a', undefined],
  ['reports', undefined],
])('%s is read as a place in a bucket, or as none', (written, place) => {
  expect(readBucketPlace(written)).toEqual(place);
});
