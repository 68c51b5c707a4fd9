/** PAI's credentials and signature: HMAC-SHA256 over method, digest of the exact body, and path. */
import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Call, SignedCall } from '../../domain/exchange.ts';
import type { Signer } from '../../domain/service.ts';

/** AppId and Token of the vendor's multimedia analysis page (SDK manual, 2024-08-26). The token is never sent. */
export const credentials = z.strictObject({
  appId: z
    .string()
    .regex(/^[\x21-\x7e]+$/, {
      error: 'expected an AppId of visible ASCII characters, as the console shows it. Copy it from there.',
    })
    .describe('AppId, a decimal string of 18 digits'),
  token: z.string().min(1).describe('Token that belongs to the AppId; the key of the signature'),
});

/**
 * Adds the account's address, `Authorization: <AppId>:<hex>` and the time in seconds, which is not signed.
 * A path prefix of the endpoint is sent and not signed. Format from the vendor's open Go and Java SDKs, 2024-06.
 */
export function signCall(call: Call, signer: Signer, nowMs: number): SignedCall {
  const { appId = '', token = '' } = signer.credentials;
  const signature = createHmac('sha256', token).update(textToSign(call)).digest('hex');
  const query = call.query ? `?${call.query}` : '';
  return {
    method: call.method,
    url: `${signer.endpoint.replace(/\/+$/, '')}${call.path}${query}`,
    headers: {
      ...call.headers,
      Authorization: `${appId}:${signature}`,
      'X-Request-Time': String(Math.floor(nowMs / 1000)),
    },
    ...(call.body === undefined ? {} : { body: call.body }),
  };
}

/** Method, MD5 of the body's bytes, and target: three lines without a line feed at the end. */
export function textToSign(call: Call): string {
  const digest = createHash('md5')
    .update(call.body ?? '')
    .digest('hex');
  const query = sortQuery(call.query ?? '');
  return `${call.method}\n${digest}\n${call.path}${query === '' ? '' : `?${query}`}`;
}

/** Keys by byte value, `sign` left out, the first value of each key, nothing percent-encoded. */
function sortQuery(query: string): string {
  const firsts = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (key !== 'sign' && !firsts.has(key)) firsts.set(key, value);
  }
  return [...firsts]
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
}
