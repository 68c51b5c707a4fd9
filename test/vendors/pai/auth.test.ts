import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Call, ServerRequest } from '../../../src/domain/exchange.ts';
import { signCall, textToSign } from '../../../src/vendors/pai/auth.ts';
import { isSignedBy, readAuthorization } from '../../../src/vendors/pai/emulator/signature.ts';
import { pai } from '../../../src/vendors/pai/index.ts';
import { makeAccount } from '../../contracts/emulated-vendor.ts';

const vector = z.object({
  id: z.string(),
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  query: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  body_bytes: z.number(),
  app_id: z.string(),
  token: z.string(),
  string_to_sign: z.string(),
  authorization: z.string(),
});
const text = readFileSync(new URL('../../fixtures/signatures.json', import.meta.url), 'utf8');
const { vectors } = z.object({ pai: z.object({ vectors: z.array(vector) }) }).parse(JSON.parse(text)).pai;

type Vector = z.infer<typeof vector>;

function makeCall({ method, path, query, headers, body }: Vector): Call {
  const { 'X-Request-Time': _time, ...own } = headers;
  return {
    method,
    path,
    headers: own,
    query: new URLSearchParams(query).toString(),
    ...(body === '' ? {} : { body }),
  };
}

function makeRequest(one: Vector): ServerRequest {
  return {
    method: one.method,
    path: one.path,
    query: new URLSearchParams(one.query).toString(),
    headers: { authorization: one.authorization },
    body: new TextEncoder().encode(one.body),
  };
}

describe('the signature', () => {
  it('is tried against all ten vectors', () => {
    expect(vectors).toHaveLength(10);
  });

  it.each(vectors)('$id: what is signed and sent is the vendor’s', (one) => {
    const call = makeCall(one);
    const account = makeAccount(pai, { appId: one.app_id, token: one.token });
    const signed = signCall(call, account, 1_698_998_400_999);
    expect(Buffer.byteLength(one.body)).toBe(one.body_bytes);
    expect(textToSign(call)).toBe(one.string_to_sign);
    expect(signed.headers).toEqual({ ...one.headers, Authorization: one.authorization });
    expect(signed.body ?? '').toBe(one.body);
  });

  it.each(vectors)('$id: the stand-in takes it, and neither another token nor another byte', (one) => {
    const request = makeRequest(one);
    const { appId, signature } = readAuthorization(one.authorization);
    expect(appId).toBe(one.app_id);
    expect(isSignedBy(one.token, request, signature)).toBe(true);
    expect(isSignedBy(`${one.token}x`, request, signature)).toBe(false);
    const longer = { ...request, body: new TextEncoder().encode(`${one.body} `) };
    expect(isSignedBy(one.token, longer, signature)).toBe(false);
    expect(isSignedBy(one.token, request, signature.toUpperCase())).toBe(false);
  });

  it('leaves a path prefix and a trailing slash of the endpoint out of what is signed', () => {
    const call: Call = { method: 'GET', path: '/api/v1/batch_jobs/14', headers: {} };
    const account = makeAccount(pai, { appId: 'a', token: 't' });
    const plain = signCall(call, account, 0);
    const prefixed = signCall(call, { ...account, endpoint: 'http://gateway.example/pai/' }, 0);
    expect(prefixed.url).toBe('http://gateway.example/pai/api/v1/batch_jobs/14');
    expect(prefixed.headers).toEqual(plain.headers);
  });

  it('takes the same value at another time, since the time in seconds is not signed', () => {
    const call: Call = { method: 'POST', path: '/api/v1/async_jobs/1', headers: {} };
    const account = makeAccount(pai, { appId: 'a', token: 't' });
    const [early, late] = [signCall(call, account, 1000), signCall(call, account, 99_999)];
    expect(early.headers['Authorization']).toBe(late.headers['Authorization']);
    expect([early.headers['X-Request-Time'], late.headers['X-Request-Time']]).toEqual(['1', '99']);
  });

  it('splits the header at the last colon', () => {
    expect(readAuthorization('a:b:c')).toEqual({ appId: 'a:b', signature: 'c' });
    expect(readAuthorization(undefined)).toEqual({ appId: '', signature: '' });
  });
});

describe('credentials', () => {
  it.each([
    [
      { appId: '2022 09', token: 't' },
      'expected an AppId of visible ASCII characters, as the console shows it. Copy it from there.',
    ],
    [{ appId: '2022', token: '' }, 'Too small: expected string to have >=1 characters'],
    [{ appId: '2022', token: 't', secret: 's' }, 'Unrecognized key: "secret"'],
  ])('are strict: %o', (given, message) => {
    expect(pai.credentials.safeParse(given).error?.issues[0]?.message).toBe(message);
  });
});
