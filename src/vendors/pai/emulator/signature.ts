/** The stand-in's own reading of PAI's signature, apart from the client's, so that the two cannot be wrong together. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ServerRequest } from '../../../domain/exchange.ts';

export interface Identity {
  readonly appId: string;
  readonly signature: string;
}

/** `<AppId>:<hex>` without a scheme word; split at the last colon, since an AppId might contain one. */
export function readAuthorization(header: string | undefined): Identity {
  const text = (header ?? '').trim();
  const at = text.lastIndexOf(':');
  return at < 0
    ? { appId: text, signature: '' }
    : { appId: text.slice(0, at), signature: text.slice(at + 1) };
}

/** Compares in constant time, over the bytes and the path as they were received. */
export function isSignedBy(token: string, request: ServerRequest, signature: string): boolean {
  const digest = createHash('md5').update(request.body).digest('hex');
  const lines = [request.method.toUpperCase(), digest, request.path + orderQuery(request.query)];
  const expected = createHmac('sha256', Buffer.from(token, 'utf8')).update(lines.join('\n'), 'utf8').digest();
  const given = Buffer.from(signature, 'hex');
  return /^[0-9a-f]{64}$/.test(signature) && timingSafeEqual(given, expected);
}

/** Sorted by bytes, decoded, without `sign`, and with only the first value of each key. */
function orderQuery(query: string): string {
  if (query === '') return '';
  const seen: Record<string, string> = Object.create(null);
  for (const [key, value] of new URLSearchParams(query)) seen[key] ??= value;
  const keys = Object.keys(seen).filter((key) => key !== 'sign');
  keys.sort((a, b) => Buffer.from(a).compare(Buffer.from(b)));
  return keys.length === 0 ? '' : `?${keys.map((key) => `${key}=${seen[key]}`).join('&')}`;
}
