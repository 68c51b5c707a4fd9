/** One page of ListObjectsV2, with keys decoded as the server wrote them. */
import { Readable } from 'node:stream';
import type { _Object as ListedBySdk, S3Client } from '@aws-sdk/client-s3';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import type { Storage } from '../domain/settings.ts';
import type { ListedObject, ListPage, ListRequest } from '../domain/storage.ts';
import { formatTime } from './s3-address.ts';
import { readAtMost } from './s3-client.ts';
import { scanListing, type WrittenObject } from './s3-contents.ts';
import { decodeKeys, plainEtag } from './s3-key.ts';
import { nameStorage } from './s3-refusal.ts';

/** A page of 1,000 keys, each of 1,024 bytes that are percent-encoded, takes less than 4 MB. */
const mostPageBytes = 32 * 1024 * 1024;

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
  let scanned: readonly WrittenObject[] | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      scanned = await takeContents(answer.response);
      return answer;
    },
    { step: 'deserialize', name: 'takeContents', priority: 'low' },
  );
  const page = await client.send(command);
  const contents = scanned ?? page.Contents?.map(writeObject) ?? [];
  if (page.IsTruncated === undefined && page.Name === undefined && contents.length === 0) {
    const text = `${nameStorage(settings)}: listing bucket "${request.bucket}": the answer is no S3 listing.`;
    throw wrongUse(`${text} Check the endpoint and pathStyle of this storage.`);
  }
  return {
    objects: readObjects(contents, page.EncodingType, settings, request.bucket),
    nextToken: page.NextContinuationToken,
    isTruncated: page.IsTruncated ?? false,
  };
}

/**
 * Takes the objects out of a listing before the SDK reads it, and leaves it the rest. Any other answer is left as it was.
 * A body that breaks off fails here, within the SDK's tries.
 */
async function takeContents(response: unknown): Promise<readonly WrittenObject[] | undefined> {
  if (typeof response !== 'object' || response === null) return undefined;
  const body: unknown = Reflect.get(response, 'body');
  if (Reflect.get(response, 'statusCode') !== 200 || !(body instanceof Readable)) return undefined;
  const bytes = await readAtMost(body, mostPageBytes);
  if (bytes === undefined) throw new Error(`the listing's page is larger than ${mostPageBytes} bytes`);
  const listing = scanListing(bytes.toString('utf8'));
  Reflect.set(response, 'body', listing === undefined ? bytes : Buffer.from(listing.rest));
  return listing?.objects;
}

function writeObject(object: ListedBySdk): WrittenObject {
  return {
    key: object.Key ?? '',
    sizeBytes: object.Size ?? 0,
    etag: object.ETag,
    lastModified: formatTime(object.LastModified),
  };
}

function readObjects(
  contents: readonly WrittenObject[],
  encodingType: string | undefined,
  settings: Storage,
  bucket: string,
): readonly ListedObject[] {
  let keys: readonly string[];
  try {
    keys = decodeKeys(
      contents.map(({ key }) => key),
      encodingType,
    );
  } catch (error) {
    const text = `${nameStorage(settings)}: listing bucket "${bucket}": a key is not UTF-8. Rename the object.`;
    throw new Stop(exitCodes.halted, text, [], error);
  }
  return contents.map(({ sizeBytes, etag, lastModified }, index) => ({
    key: keys[index] ?? '',
    sizeBytes,
    etag: plainEtag(etag),
    lastModified,
  }));
}
