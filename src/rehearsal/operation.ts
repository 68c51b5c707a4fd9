/** The S3 operations that the embedded store carries out, one entry each. */
import type { ServerAnswer, ServerRequest } from '../domain/exchange.ts';
import { listObjects, readListing } from './listing.ts';
import { abandonUpload, beginUpload, completeUpload, putPart } from './multipart.ts';
import { readPayload } from './payload.ts';
import { checkConditions, listsEtag, readRange } from './reading.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import type { StoredObject } from './shelf.ts';
import type { Target } from './target.ts';
import type { Work } from './work.ts';
import { writeXml, type XmlElements } from './xml.ts';

export interface Operation {
  /** Its name at AWS. */
  readonly name: string;
  readonly run: (work: Work) => Promise<ServerAnswer | Refusal>;
}

/** By method and by what the path names. */
const operations: Readonly<Record<string, Operation>> = {
  'GET service': { name: 'ListBuckets', run: answerBuckets },
  'PUT bucket': { name: 'CreateBucket', run: addBucket },
  'HEAD bucket': { name: 'HeadBucket', run: answerBucket },
  'GET bucket': { name: 'ListObjectsV2', run: answerListing },
  'PUT object': { name: 'PutObject', run: putObject },
  'GET object': { name: 'GetObject', run: readObject },
  'HEAD object': { name: 'HeadObject', run: readObject },
  'DELETE object': { name: 'DeleteObject', run: removeObject },
  'POST object uploads': { name: 'CreateMultipartUpload', run: withinBucket(beginUpload) },
  'PUT object uploadId': { name: 'UploadPart', run: withinBucket(putPart) },
  'POST object uploadId': { name: 'CompleteMultipartUpload', run: withinBucket(completeUpload) },
  'DELETE object uploadId': { name: 'AbortMultipartUpload', run: withinBucket(abandonUpload) },
};

/** Query names that belong to an upload in parts; which operation they mean goes by the first of these. */
const uploadNames = ['uploads', 'uploadId'] as const;

/** Query names that mean another operation at AWS; carrying out the plain one instead would be a lie. */
const subresources = new Set(
  'accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject replication requestPayment restore retention select tagging torrent versionId versioning versions website response-cache-control response-content-disposition response-content-encoding response-content-language response-content-type response-expires'.split(
    ' ',
  ),
);

export function findOperation(request: ServerRequest, target: Target): Operation | Refusal {
  const what = target.bucket === undefined ? 'service' : target.key === undefined ? 'bucket' : 'object';
  const upload = uploadNames.find((name) => target.query.has(name));
  const operation = operations[`${request.method} ${what}${upload === undefined ? '' : ` ${upload}`}`];
  if (upload !== undefined && operation === undefined) return refuse('NotImplemented');
  if (upload === undefined && target.query.has('partNumber')) return refuse('NotImplemented');
  if (target.pairs.some(([name]) => subresources.has(name))) return refuse('NotImplemented');
  if (request.headers['x-amz-copy-source'] !== undefined) return refuse('NotImplemented');
  return operation ?? refuse('MethodNotAllowed', undefined, { Method: request.method });
}

/** Only objects of public buckets are for everyone, and only to read. */
export function isAnonymousAllowed(
  operation: Operation,
  target: Target,
  publicBuckets: readonly string[],
): boolean {
  const isRead = operation.name === 'GetObject' || operation.name === 'HeadObject';
  return isRead && target.bucket !== undefined && publicBuckets.includes(target.bucket);
}

function answerXml(root: string, elements: XmlElements): ServerAnswer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: writeXml(root, elements) };
}

async function answerBuckets({ shelf }: Work): Promise<ServerAnswer> {
  const buckets = shelf.listBuckets().map((bucket) => ({
    Name: bucket.name,
    CreationDate: new Date(bucket.createdMs).toISOString(),
  }));
  const owner = { ID: 'rehearsal', DisplayName: 'rehearsal' };
  return answerXml('ListAllMyBucketsResult', { Owner: [owner], Buckets: [{ Bucket: buckets }] });
}

async function addBucket(work: Work): Promise<ServerAnswer | Refusal> {
  const { shelf, target, nowMs } = work;
  const name = target.bucket ?? '';
  // The Amazon S3 User Guide's "Bucket naming rules"; they also keep folder names harmless.
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
    return refuse('InvalidBucketName', undefined, { BucketName: name });
  }
  const payload = readPayload(work.request, work.signer);
  if (isRefusal(payload)) return payload;
  await shelf.addBucket(name, nowMs);
  return { status: 200, headers: { location: `/${name}` } };
}

function refuseMissingBucket({ shelf, target }: Work): Refusal | undefined {
  const bucket = target.bucket ?? '';
  return shelf.hasBucket(bucket) ? undefined : refuse('NoSuchBucket', undefined, { BucketName: bucket });
}

async function answerBucket(work: Work): Promise<ServerAnswer | Refusal> {
  return refuseMissingBucket(work) ?? { status: 200, headers: { 'content-length': '0' } };
}

async function answerListing(work: Work): Promise<ServerAnswer | Refusal> {
  const { shelf, target, pageCap, quirks } = work;
  const missing = refuseMissingBucket(work);
  if (missing !== undefined) return missing;
  const asked = readListing(target.query, pageCap);
  if (isRefusal(asked)) return asked;
  const listing = quirks?.ignoresStartAfter === true ? { ...asked, startAfter: '' } : asked;
  const bucket = target.bucket ?? '';
  const page = listObjects(bucket, shelf.listObjects(bucket), listing, quirks?.reversesPages);
  return isRefusal(page) ? page : answerXml('ListBucketResult', page);
}

function withinBucket(run: Operation['run']): Operation['run'] {
  return async (work) => refuseMissingBucket(work) ?? (await run(work));
}

async function putObject(work: Work): Promise<ServerAnswer | Refusal> {
  const { request, shelf, target } = work;
  const missing = refuseMissingBucket(work);
  if (missing !== undefined) return missing;
  const [bucket = '', key = ''] = [target.bucket, target.key];
  // The same guide's "Naming Amazon S3 objects": at most 1,024 bytes of UTF-8.
  if (Buffer.byteLength(key) > 1024) return refuse('KeyTooLongError', undefined, { MaxSizeAllowed: '1024' });
  const bytes = readPayload(request, work.signer);
  if (isRefusal(bytes)) return bytes;
  const metadata = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-')),
  );
  const facts = { contentType: request.headers['content-type'], metadata, lastModifiedMs: work.nowMs };
  const [match, noneMatch] = [request.headers['if-match'], request.headers['if-none-match']];
  const object = await shelf.put(bucket, key, bytes, facts, (present) => {
    if (match !== undefined && (present === undefined || !listsEtag(match, present.etag))) return false;
    return noneMatch === undefined || present === undefined || !listsEtag(noneMatch, present.etag);
  });
  if (object === undefined) return refuse('PreconditionFailed');
  return { status: 200, headers: { etag: `"${object.etag}"` } };
}

async function readObject(work: Work): Promise<ServerAnswer | Refusal> {
  const { request, shelf, target } = work;
  const missing = refuseMissingBucket(work);
  if (missing !== undefined) return missing;
  const [bucket = '', key = ''] = [target.bucket, target.key];
  const object = shelf.find(bucket, key);
  if (object === undefined) return refuse('NoSuchKey', undefined, { Key: key });
  const unmet = checkConditions(request.headers, object);
  if (unmet !== undefined) return unmet;
  const range = readRange(request.headers['range'], object.sizeBytes);
  if (isRefusal(range)) return range;
  const { start, end, isPartial } = range;
  const headers = {
    ...describeObject(object),
    'content-length': String(end - start),
    ...(isPartial ? { 'content-range': `bytes ${start}-${end - 1}/${object.sizeBytes}` } : {}),
  };
  const body = request.method === 'HEAD' ? '' : await shelf.read(bucket, object, start, end);
  return { status: isPartial ? 206 : 200, headers, body };
}

function describeObject(object: StoredObject): Record<string, string> {
  return {
    ...object.metadata,
    'content-type': object.contentType,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
}

async function removeObject(work: Work): Promise<ServerAnswer | Refusal> {
  const missing = refuseMissingBucket(work);
  if (missing !== undefined) return missing;
  await work.shelf.remove(work.target.bucket ?? '', work.target.key ?? '');
  return { status: 204 };
}
