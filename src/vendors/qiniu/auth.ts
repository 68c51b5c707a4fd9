/** Qiniu's signatures: of our requests, of private download links, and of callbacks that we receive. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Call, ServerRequest, SignedCall } from '../../domain/exchange.ts';
import type { Signer } from '../../domain/service.ts';

export const credentials = z.strictObject({
  accessKey: z.string().min(1).describe('AccessKey of the account, from the key page of the vendor'),
  secretKey: z.string().min(1).describe('SecretKey that belongs to it; never sent'),
});

/** The two keys of an account. */
export type Keys = Readonly<z.output<typeof credentials>>;

/** What of a request a signature covers. */
export interface SignedParts {
  readonly method: string;
  /** As in the Host header: with the port where it is not the default one. */
  readonly host: string;
  /** As sent, percent-encoded. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/**
 * The `Authorization` of a request: `Qiniu <AccessKey>:<Sign>`, base64 url-safe with its padding kept.
 * Vendor's page on management credentials ("Qiniu" scheme), read 2026-11-20.
 */
export function signRequest(parts: SignedParts, keys: Keys): string {
  const contentType = findHeader(parts.headers, 'content-type');
  const lines = [
    `${parts.method} ${joinQuery(parts.path, parts.query)}`,
    `Host: ${parts.host}`,
    ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
    ...listQiniuHeaders(parts.headers),
  ];
  const hmac = createHmac('sha1', keys.secretKey).update(`${lines.join('\n')}\n\n`);
  if (contentType !== undefined && contentType !== 'application/octet-stream') hmac.update(parts.body);
  return `Qiniu ${keys.accessKey}:${encodeUrlSafe(hmac.digest())}`;
}

/**
 * Adds the account's address and signature to a call. No `X-Qiniu-Date` is sent: the v1 pages do not know it, and
 * whether the host takes it is undocumented. Path and query are signed as the URL parser sends them.
 */
export function signCall(call: Call, signer: Signer): SignedCall {
  const url = new URL(signer.endpoint + joinQuery(call.path, call.query ?? ''));
  const parts = {
    method: call.method,
    host: url.host,
    path: url.pathname,
    query: url.search.slice(1),
    headers: call.headers,
    body: call.body ?? '',
  };
  const headers = { ...call.headers, Authorization: signRequest(parts, readKeys(signer)) };
  return { method: call.method, url: url.href, headers, body: call.body };
}

/**
 * A link to an object of a private bucket, good until `deadlineSeconds` (since 1970). `url` has its key
 * percent-encoded already. The token stands last, because the vendor ignores what follows it.
 * Vendor's page on download credentials, read 2026-11-20.
 */
export function signDownload(url: string, deadlineSeconds: number, keys: Keys): string {
  const dated = `${url}${url.includes('?') ? '&' : '?'}e=${deadlineSeconds}`;
  const sign = encodeUrlSafe(createHmac('sha1', keys.secretKey).update(dated).digest());
  return `${dated}&token=${keys.accessKey}:${sign}`;
}

/** The same with the keys of an account. */
export function signLink(url: string, deadlineSeconds: number, signer: Signer): string {
  return signDownload(url, deadlineSeconds, readKeys(signer));
}

/**
 * Whether a callback carries a good signature of this account (`signed`), none (`unsigned`, which v1 documents), or
 * one that does not fit (`forged`). Even a signed callback is only a hint. `QBox` covers the body of forms only.
 */
export function checkCallback(request: ServerRequest, keys: Keys): 'signed' | 'unsigned' | 'forged' {
  const given = findHeader(request.headers, 'authorization');
  if (given === undefined) return 'unsigned';
  const expected = given.startsWith('QBox ')
    ? signQBox(request, keys)
    : signRequest({ ...request, host: findHeader(request.headers, 'host') ?? '' }, keys);
  return isSameText(given, expected) ? 'signed' : 'forged';
}

function signQBox(request: ServerRequest, keys: Keys): string {
  const hmac = createHmac('sha1', keys.secretKey).update(`${joinQuery(request.path, request.query)}\n`);
  if (findHeader(request.headers, 'content-type') === 'application/x-www-form-urlencoded') {
    hmac.update(request.body);
  }
  return `QBox ${keys.accessKey}:${encodeUrlSafe(hmac.digest())}`;
}

function readKeys(signer: Signer): Keys {
  const { accessKey = '', secretKey = '' } = signer.credentials;
  return { accessKey, secretKey };
}

/** `X-Qiniu-Name: value` lines by canonical name; the bare `X-Qiniu-` is none. */
function listQiniuHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .map(([name, value]) => [canonicaliseName(name), value] as const)
    .filter(([name]) => name.startsWith('X-Qiniu-') && name !== 'X-Qiniu-')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${value}`);
}

/** First letter and each after a hyphen upper case; names that are no HTTP token are left alone. */
function canonicaliseName(name: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name;
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function findHeader(headers: Readonly<Record<string, string>>, lowerName: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === lowerName)?.[1];
}

function joinQuery(path: string, query: string): string {
  return query === '' ? path : `${path}?${query}`;
}

/** Base64 with `-` and `_`; unlike Node's `base64url` it keeps the padding. */
function encodeUrlSafe(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function isSameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
