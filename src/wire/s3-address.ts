/** How an object and its times are named towards the SDK and in our errors. */
import type { GetObjectCommandInput } from '@aws-sdk/client-s3';
import type { ObjectAddress } from '../domain/item.ts';

export function locate(
  address: ObjectAddress,
): Pick<GetObjectCommandInput, 'VersionId'> & { Bucket: string; Key: string } {
  const version = address.version === undefined ? {} : { VersionId: address.version };
  return { Bucket: address.bucket, Key: address.key, ...version };
}

export function nameObject(address: ObjectAddress): string {
  return `"${address.key}" in bucket "${address.bucket}"`;
}

/** ISO 8601; `undefined` for a date that the SDK could not read. */
export function formatTime(date: Date | undefined): string | undefined {
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
