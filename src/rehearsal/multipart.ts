/** Uploads in parts: an object is there once its upload is completed. Amazon S3 API Reference, "CreateMultipartUpload" and its kin, read 2026-11-20. */
import { createHash } from 'node:crypto';
import type { ServerAnswer } from '../domain/exchange.ts';
import { readPayload } from './payload.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import type { Part, Upload } from './uploads.ts';
import type { Work } from './work.ts';
import { writeXml } from './xml.ts';

/** All parts but the last have at least so many bytes. */
const leastPartBytes = 5 * 1024 * 1024;
const mostParts = 10_000;

export async function beginUpload({ request, target, uploads }: Work): Promise<ServerAnswer> {
  const [bucket = '', key = ''] = [target.bucket, target.key];
  const metadata = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-')),
  );
  const id = uploads.begin({ bucket, key, contentType: request.headers['content-type'], metadata });
  return answerXml('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id });
}

export async function putPart(work: Work): Promise<ServerAnswer | Refusal> {
  const found = work.uploads.find(work.target);
  if (isRefusal(found)) return found;
  const number = Number(work.target.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > mostParts) {
    return refuse('InvalidArgument', `Part number must be an integer between 1 and ${mostParts}, inclusive`);
  }
  const bytes = readPayload(work.request, work.signer);
  if (isRefusal(bytes)) return bytes;
  const etag = createHash('md5').update(bytes).digest('hex');
  found.upload.parts.set(number, { bytes, etag });
  return { status: 200, headers: { etag: `"${etag}"` } };
}

export async function completeUpload(work: Work): Promise<ServerAnswer | Refusal> {
  const { uploads, shelf, nowMs } = work;
  const found = uploads.find(work.target);
  if (isRefusal(found)) return found;
  const { id, upload } = found;
  const document = readPayload(work.request, work.signer);
  if (isRefusal(document)) return document;
  const parts = readParts(document.toString('utf8'), upload);
  if (isRefusal(parts)) return parts;
  const { bucket, key, contentType, metadata } = upload;
  const digests = parts.map(({ etag }) => Buffer.from(etag, 'hex'));
  const etag = `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}`;
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  await shelf.put(bucket, key, bytes, { contentType, metadata, lastModifiedMs: nowMs, etag });
  uploads.end(id);
  return answerXml('CompleteMultipartUploadResult', { Bucket: bucket, Key: key, ETag: `"${etag}"` });
}

export async function abandonUpload(work: Work): Promise<ServerAnswer | Refusal> {
  const found = work.uploads.find(work.target);
  if (isRefusal(found)) return found;
  work.uploads.end(found.id);
  return { status: 204 };
}

/** The parts that the object is to be made of, in the order of their numbers. */
function readParts(document: string, { parts }: Upload): readonly Part[] | Refusal {
  const listed = [...document.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
    etag: /<ETag>(?:"|&quot;)?([0-9a-f]+)(?:"|&quot;)?<\/ETag>/.exec(part)?.[1],
  }));
  if (listed.length === 0) return refuse('MalformedXML');
  const isOrdered = listed.every(
    ({ number }, index) => index === 0 || number > (listed[index - 1]?.number ?? 0),
  );
  if (!isOrdered) return refuse('InvalidPartOrder');
  const chosen = listed.map(({ number, etag }) => {
    const part = parts.get(number);
    return part?.etag === etag ? part : undefined;
  });
  const whole = chosen.filter((part) => part !== undefined);
  if (whole.length < chosen.length) return refuse('InvalidPart');
  const isTooSmall = whole.slice(0, -1).some(({ bytes }) => bytes.length < leastPartBytes);
  return isTooSmall ? refuse('EntityTooSmall') : whole;
}

function answerXml(root: string, elements: Parameters<typeof writeXml>[1]): ServerAnswer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: writeXml(root, elements) };
}
