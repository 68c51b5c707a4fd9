/** Verifies AWS Signature Version 4 of headers and links, written from Amazon's pages and sharing nothing with the client. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ServerRequest } from '../domain/exchange.ts';
import { algorithm, type Claim, readClaim } from './claim.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import type { Target } from './target.ts';
import { encodeUri } from './uri.ts';

export interface SignatureRules {
  /** Secret access keys by access key id. */
  readonly credentials: ReadonlyMap<string, string>;
  /** The only region that is accepted; any where absent. */
  readonly region?: string | undefined;
  readonly nowMs: number;
}

/** A signer whose signature was right; what signed chunks of a body go on from. */
export interface Signer {
  readonly claim: Claim;
  readonly signingKey: Buffer;
}

/** Fifteen minutes, as at AWS. */
const maxSkewMs = 15 * 60_000;

/** The signer; `undefined` for an anonymous request; a refusal where a signature is given and wrong. */
export function verifySignature(
  request: ServerRequest,
  target: Target,
  rules: SignatureRules,
): Signer | Refusal | undefined {
  const claim = readClaim(request, target);
  if (claim === undefined || isRefusal(claim)) return claim;
  const secret = rules.credentials.get(claim.accessKeyId);
  if (secret === undefined) {
    return refuse('InvalidAccessKeyId', undefined, { AWSAccessKeyId: claim.accessKeyId });
  }
  const trouble = checkRegion(claim, rules) ?? checkTime(claim, rules.nowMs) ?? checkHeaders(request, claim);
  if (trouble !== undefined) return trouble;
  const signingKey = deriveKey(secret, claim);
  const expected = sign(signingKey, [
    algorithm,
    claim.date,
    scopeOf(claim),
    hash(canonicalise(request, target, claim)),
  ]);
  if (!isSame(expected, claim.signature)) {
    return refuse('SignatureDoesNotMatch', undefined, { AWSAccessKeyId: claim.accessKeyId });
  }
  return { claim, signingKey };
}

/** `day/region/s3/aws4_request`. */
export function scopeOf(claim: Claim): string {
  return `${claim.day}/${claim.region}/s3/aws4_request`;
}

/** Hex HMAC of the lines of a text to sign. */
export function sign(signingKey: Buffer, lines: readonly string[]): string {
  return createHmac('sha256', signingKey).update(lines.join('\n')).digest('hex');
}

/** Hex SHA-256. */
export function hash(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Compares in constant time. */
export function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function checkRegion(claim: Claim, rules: SignatureRules): Refusal | undefined {
  if (rules.region === undefined || rules.region === claim.region) return undefined;
  const code = claim.via === 'header' ? 'AuthorizationHeaderMalformed' : 'AuthorizationQueryParametersError';
  const message = `The region '${claim.region}' is wrong; expecting '${rules.region}'`;
  return refuse(code, message, { Region: rules.region });
}

function checkTime(claim: Claim, nowMs: number): Refusal | undefined {
  const signedMs = Date.parse(
    claim.date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'),
  );
  const serverTime = new Date(nowMs).toISOString();
  if (Number.isNaN(signedMs))
    return refuse('AccessDenied', 'Invalid date of the signature', { ServerTime: serverTime });
  if (claim.expires === undefined) {
    if (Math.abs(nowMs - signedMs) <= maxSkewMs) return undefined;
    const details = {
      RequestTime: claim.date,
      ServerTime: serverTime,
      MaxAllowedSkewMilliseconds: String(maxSkewMs),
    };
    return refuse('RequestTimeTooSkewed', undefined, details);
  }
  if (signedMs - nowMs > maxSkewMs) {
    return refuse('AccessDenied', 'Request is not valid yet', { ServerTime: serverTime });
  }
  const expiresMs = signedMs + claim.expires * 1000;
  if (nowMs < expiresMs) return undefined;
  const expires = new Date(expiresMs).toISOString();
  const details = { 'X-Amz-Expires': String(claim.expires), Expires: expires, ServerTime: serverTime };
  return refuse('AccessDenied', 'Request has expired', details);
}

/** The host and every `x-amz-` header must be signed, or a link could be bent by adding some. */
function checkHeaders(request: ServerRequest, claim: Claim): Refusal | undefined {
  const required = Object.keys(request.headers).filter(
    (name) => name === 'host' || name.startsWith('x-amz-'),
  );
  // The payload's hash stands in the signed text itself, and links do not list it.
  const missing = required.filter(
    (name) => name !== 'x-amz-content-sha256' && !claim.signedHeaders.includes(name),
  );
  if (missing.length === 0) return undefined;
  const message = 'There were headers present in the request which were not signed';
  return refuse('AccessDenied', message, { HeadersNotSigned: missing.join(', ') });
}

/** Amazon S3 API Reference, page `sig-v4-header-based-auth`, read 2026-11-20; S3 encodes paths once and keeps `//`. */
function canonicalise(request: ServerRequest, target: Target, claim: Claim): string {
  const query = target.pairs
    .filter(([name]) => name !== 'X-Amz-Signature' || claim.via === 'header')
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .toSorted(([leftName, left], [rightName, right]) => compare(leftName, rightName) || compare(left, right))
    .map(([name, value]) => `${name}=${value}`);
  const headers = claim.signedHeaders.map((name) => {
    const value = request.headers[name] ?? '';
    return `${name}:${value.trim().replace(/ +/g, ' ')}\n`;
  });
  return [
    request.method,
    encodeUri(target.path, true),
    query.join('&'),
    headers.join(''),
    claim.signedHeaders.join(';'),
    claim.payload,
  ].join('\n');
}

/** Encoded text is ASCII, so that code units order it as bytes. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function deriveKey(secret: string, claim: Claim): Buffer {
  const mix = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return mix(mix(mix(mix(`AWS4${secret}`, claim.day), claim.region), 's3'), 'aws4_request');
}
