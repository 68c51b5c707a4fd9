/** ListObjectsV2 over keys in UTF-8 byte order: prefixes, delimiters, pages and their tokens. */
import { type Refusal, refuse } from './refusal.ts';
import type { StoredObject } from './shelf.ts';
import { encodeUri } from './uri.ts';
import type { XmlElements } from './xml.ts';

export interface ListingRequest {
  readonly prefix: string;
  readonly delimiter: string;
  readonly startAfter: string;
  readonly token?: string | undefined;
  readonly maxKeys: number;
  readonly isUrlEncoded: boolean;
}

/** AWS lists at most this many at a time, whatever is asked for. */
const maxPageKeys = 1000;

export function readListing(
  query: ReadonlyMap<string, string>,
  pageCap = maxPageKeys,
): ListingRequest | Refusal {
  if (query.get('list-type') !== '2') return refuse('NotImplemented', 'Only list-type=2 is implemented.');
  const maxKeys = query.get('max-keys') ?? String(maxPageKeys);
  if (!/^\d{1,10}$/.test(maxKeys) || Number(maxKeys) > 2_147_483_647) {
    return refuse('InvalidArgument', 'Provided max-keys not an integer or within integer range');
  }
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    return refuse('InvalidArgument', 'Invalid Encoding Method specified in Request');
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    startAfter: query.get('start-after') ?? '',
    token: query.get('continuation-token'),
    maxKeys: Math.min(Number(maxKeys), maxPageKeys, pageCap),
    isUrlEncoded: encoding === 'url',
  };
}

/** Where a listing goes on: behind a key, or behind every key that begins with a common prefix. */
interface Resume {
  readonly kind: 'key' | 'prefix';
  readonly text: string;
}

/** One page of `objects`, which stand in UTF-8 byte order. */
export function listObjects(
  bucket: string,
  objects: readonly StoredObject[],
  request: ListingRequest,
  isReversed = false,
): XmlElements | Refusal {
  const resume = request.token === undefined ? undefined : readToken(request.token);
  if (isBroken(resume)) return refuse('InvalidArgument', 'The continuation token provided is incorrect');
  const found: StoredObject[] = [];
  const prefixes: string[] = [];
  const prefixBytes = Buffer.from(request.prefix);
  let index = findStart(objects, prefixBytes, resume ?? { kind: 'key', text: request.startAfter });
  let last: Resume | undefined;
  while (found.length + prefixes.length < request.maxKeys) {
    const object = objects[index];
    if (object === undefined || !object.key.startsWith(request.prefix)) break;
    const common = commonPrefixOf(object.key, request);
    if (common === undefined) {
      found.push(object);
      last = { kind: 'key', text: object.key };
      index += 1;
    } else {
      prefixes.push(common);
      last = { kind: 'prefix', text: common };
      index = findFirst(objects, pastPrefix(common));
    }
  }
  const isTruncated = request.maxKeys > 0 && objects[index]?.key.startsWith(request.prefix) === true;
  const encode = (text: string): string => (request.isUrlEncoded ? encodeUri(text, true) : text);
  return {
    Name: bucket,
    Prefix: encode(request.prefix),
    Delimiter: request.delimiter === '' ? undefined : encode(request.delimiter),
    StartAfter: request.startAfter === '' ? undefined : encode(request.startAfter),
    ContinuationToken: request.token,
    NextContinuationToken: isTruncated && last !== undefined ? writeToken(last) : undefined,
    KeyCount: found.length + prefixes.length,
    MaxKeys: request.maxKeys,
    EncodingType: request.isUrlEncoded ? 'url' : undefined,
    IsTruncated: isTruncated,
    Contents: (isReversed ? found.toReversed() : found).map((object) => ({
      Key: encode(object.key),
      LastModified: new Date(object.lastModifiedMs).toISOString(),
      ETag: `"${object.etag}"`,
      Size: object.sizeBytes,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

function commonPrefixOf(key: string, request: ListingRequest): string | undefined {
  if (request.delimiter === '') return undefined;
  const cut = key.indexOf(request.delimiter, request.prefix.length);
  return cut < 0 ? undefined : key.slice(0, cut + request.delimiter.length);
}

function findStart(objects: readonly StoredObject[], prefix: Buffer, resume: Resume): number {
  const behind =
    resume.kind === 'prefix' || resume.text === ''
      ? pastPrefix(resume.text)
      : Buffer.concat([Buffer.from(resume.text), Buffer.of(0)]);
  return findFirst(objects, Buffer.compare(behind, prefix) > 0 ? behind : prefix);
}

/** The least bytes after all keys with this prefix. No byte of UTF-8 is 255, so the last one can be raised. */
function pastPrefix(prefix: string): Buffer {
  const bytes = Buffer.from(prefix);
  const last = bytes.at(-1);
  if (last !== undefined) bytes[bytes.length - 1] = last + 1;
  return bytes;
}

/** The index of the first object at or behind these bytes. */
function findFirst(objects: readonly StoredObject[], bytes: Buffer): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const object = objects[middle];
    if (object !== undefined && Buffer.compare(object.order, bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writeToken(resume: Resume): string {
  return Buffer.from(`${resume.kind}:${resume.text}`).toString('base64url');
}

function readToken(token: string): Resume | 'broken' {
  const match = /^(key|prefix):(.+)$/s.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) return 'broken';
  return { kind: match[1] === 'key' ? 'key' : 'prefix', text: match[2] ?? '' };
}

function isBroken(resume: Resume | 'broken' | undefined): resume is 'broken' {
  return resume === 'broken';
}
