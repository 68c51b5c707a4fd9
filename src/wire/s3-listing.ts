/** One page of ListObjectsV2, with keys decoded as the server wrote them. */
import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import type { Storage } from '../domain/settings.ts';
import type { ListedObject, ListPage, ListRequest } from '../domain/storage.ts';
import { formatTime } from './s3-address.ts';
import { decodeKeys, plainEtag } from './s3-key.ts';
import { nameStorage } from './s3-refusal.ts';

/** @throws Stop for an answer that is no listing, or holds a key that is not UTF-8; else what the SDK throws */
export async function listPage(
  { client, settings }: { readonly client: S3Client; readonly settings: Storage },
  request: ListRequest,
): Promise<ListPage> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const command = new ListObjectsV2Command({
    Bucket: request.bucket,
    Prefix: request.prefix,
    StartAfter: request.startAfter,
    ContinuationToken: request.token,
    MaxKeys: request.maxKeys,
    EncodingType: 'url',
  });
  const page = await client.send(command);
  if (page.IsTruncated === undefined && page.Name === undefined && page.Contents === undefined) {
    const text = `${nameStorage(settings)}: listing bucket "${request.bucket}": the answer is no S3 listing.`;
    throw wrongUse(`${text} Check the endpoint and pathStyle of this storage.`);
  }
  return {
    objects: readObjects(page, settings, request.bucket),
    nextToken: page.NextContinuationToken,
    isTruncated: page.IsTruncated ?? false,
  };
}

function readObjects(
  page: ListObjectsV2CommandOutput,
  settings: Storage,
  bucket: string,
): readonly ListedObject[] {
  const contents = page.Contents ?? [];
  let keys: readonly string[];
  try {
    keys = decodeKeys(
      contents.map((object) => object.Key ?? ''),
      page.EncodingType,
    );
  } catch (error) {
    const text = `${nameStorage(settings)}: listing bucket "${bucket}": a key is not UTF-8. Rename the object.`;
    throw new Stop(exitCodes.halted, text, [], error);
  }
  return contents.map((object, index) => ({
    key: keys[index] ?? '',
    sizeBytes: object.Size ?? 0,
    etag: plainEtag(object.ETag),
    lastModified: formatTime(object.LastModified),
  }));
}
