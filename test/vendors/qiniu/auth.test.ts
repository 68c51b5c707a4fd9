import { readFileSync } from 'node:fs';
import qiniuSdk from 'qiniu';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkCallback, signDownload, signRequest } from '../../../src/vendors/qiniu/auth.ts';
import { isSigned, signCallback } from '../../../src/vendors/qiniu/emulator/signature.ts';
import { qiniu } from '../../../src/vendors/qiniu/index.ts';
import { account, openStandIn, receive } from './stand-in.ts';

const request = z.object({
  id: z.string(),
  scheme: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  access_key: z.string(),
  secret_key: z.string(),
  authorization: z.string(),
});
const download = z.object({
  id: z.string(),
  base_url: z.string(),
  deadline: z.number(),
  access_key: z.string(),
  secret_key: z.string(),
  signed_url: z.string(),
});
const vectors = z
  .object({
    qiniu: z.object({
      request_vectors: z.array(request),
      download_vectors: z.array(download),
      callback_vectors: z.array(request),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/signatures.json', import.meta.url), 'utf8'))).qiniu;

type Vector = z.output<typeof request>;
const keysOf = (vector: { access_key: string; secret_key: string }) => ({
  accessKey: vector.access_key,
  secretKey: vector.secret_key,
});
/** The vector as a server receives it. */
const received = (vector: Vector) => ({
  ...receive(`http://${vector.host}/`, vector),
  path: vector.path,
  query: vector.query,
  headers: {
    ...receive(`http://${vector.host}/`, vector).headers,
    host: vector.host,
    authorization: vector.authorization,
  },
});
/** Forms that SDKs sign by decoding the path or by doubling the port; our client signs neither. */
const foreign = ['qiniu-11-decoded-path', 'qiniu-13-node-sdk-double-port'];

describe('the client signs', () => {
  it.each(vectors.request_vectors.filter((one) => !foreign.includes(one.id)))('$id', (vector) => {
    expect(signRequest(vector, keysOf(vector))).toBe(vector.authorization);
  });

  it.each(vectors.download_vectors)('a private link: $id', (vector) => {
    expect(signDownload(vector.base_url, vector.deadline, keysOf(vector))).toBe(vector.signed_url);
  });

  it('the method as given, not the foreign forms', () => {
    for (const vector of vectors.request_vectors.filter((one) => foreign.includes(one.id))) {
      expect(signRequest(vector, keysOf(vector))).not.toBe(vector.authorization);
    }
    expect(vectors.request_vectors.filter((one) => foreign.includes(one.id))).toHaveLength(2);
  });

  it('a call with the host and port of the endpoint, and adds nothing but Authorization', () => {
    const vector = vectors.request_vectors.find((one) => one.id === 'qiniu-12-host-with-port');
    const signed = qiniu.sign(
      {
        method: 'POST',
        path: '/v1/video/test-vid-1',
        headers: { 'Content-Type': 'application/json' },
        body: '{"a":1}',
      },
      { ...account, credentials: keysOf(vector ?? { access_key: '', secret_key: '' }) },
      0,
    );
    expect(signed).toEqual({
      method: 'POST',
      url: 'http://127.0.0.1:8080/v1/video/test-vid-1',
      headers: { 'Content-Type': 'application/json', Authorization: vector?.authorization },
      body: '{"a":1}',
    });
  });

  it('the path of an endpoint with a prefix as it is sent', () => {
    const prefixed = { ...account, endpoint: 'https://proxy.example/qiniu' };
    const call = { method: 'GET', path: '/v1/jobs/video', query: 'status=DOING', headers: {} } as const;
    const signed = qiniu.sign(call, prefixed, 0);
    expect(signed.url).toBe('https://proxy.example/qiniu/v1/jobs/video?status=DOING');
    const parts = { ...call, host: 'proxy.example', path: '/qiniu/v1/jobs/video', body: '' };
    const keys = { accessKey: 'emulated-access-key', secretKey: 'emulated-secret-key' };
    expect(signed.headers['Authorization']).toBe(signRequest(parts, keys));
  });
});

describe("the stand-in's check of raw requests", () => {
  it.each(vectors.request_vectors)('takes $id', (vector) => {
    expect(isSigned(received(vector), keysOf(vector))).toBe(true);
  });

  it.each(vectors.request_vectors)('refuses $id once anything signed has changed', (vector) => {
    const good = received(vector);
    const keys = keysOf(vector);
    expect(isSigned({ ...good, query: `${good.query}x=1` }, keys)).toBe(false);
    expect(isSigned({ ...good, method: 'PUT' }, keys)).toBe(false);
    expect(isSigned({ ...good, headers: { ...good.headers, host: 'other.example' } }, keys)).toBe(false);
    expect(isSigned(good, { ...keys, secretKey: 'other' })).toBe(false);
    expect(isSigned(good, { ...keys, accessKey: 'other' })).toBe(false);
    const type = vector.headers['Content-Type'];
    const isBodyFree = type === undefined || type === 'application/octet-stream';
    expect(isSigned({ ...good, body: Buffer.from('tampered') }, keys)).toBe(isBodyFree);
  });

  it('survives a path that cannot be decoded', () => {
    const [vector] = vectors.request_vectors;
    if (!vector) throw new Error('no vectors');
    expect(isSigned({ ...received(vector), path: '/v1/video/%E8%' }, keysOf(vector))).toBe(false);
  });
});

describe('a callback', () => {
  it.each(vectors.callback_vectors)('that is signed is known: $id', (vector) => {
    expect(checkCallback(received(vector), keysOf(vector))).toBe('signed');
  });

  it.each(vectors.callback_vectors)('with another signature is forged: $id', (vector) => {
    const good = received(vector);
    const keys = keysOf(vector);
    expect(checkCallback({ ...good, path: '/other' }, keys)).toBe('forged');
    expect(checkCallback(good, { ...keys, secretKey: 'other' })).toBe('forged');
    const cut = { ...good.headers, authorization: vector.authorization.slice(0, -1) };
    expect(checkCallback({ ...good, headers: cut }, keys)).toBe('forged');
  });

  it('without a signature is unsigned, as v1 documents', () => {
    const [vector] = vectors.callback_vectors;
    if (!vector) throw new Error('no vectors');
    const { authorization: _, ...headers } = received(vector).headers;
    expect(checkCallback({ ...received(vector), headers }, keysOf(vector))).toBe('unsigned');
  });

  it.each(vectors.callback_vectors)('is signed by the stand-in alike: $id', (vector) => {
    const scheme = vector.scheme === 'QBox' ? 'QBox' : 'Qiniu';
    const url = `http://${vector.host}${vector.path}${vector.query === '' ? '' : `?${vector.query}`}`;
    expect(signCallback(scheme, url, vector.headers, vector.body, keysOf(vector))).toBe(vector.authorization);
  });
});

describe("the vendor's own package", () => {
  const mac = new qiniuSdk.auth.digest.Mac('emulated-access-key', 'emulated-secret-key');
  const submission = {
    method: 'POST',
    path: '/v1/video/ref-1',
    headers: { 'Content-Type': 'application/json' },
    body: '{"data":{"uri":"http://foo.com/视频.mp4"},"ops":[{"op":"pulp"}]}',
  } as const;

  it('signs a submission as we do', () => {
    const url = `https://ai.qiniuapi.com${submission.path}`;
    const theirs = qiniuSdk.util.generateAccessTokenV2(
      mac,
      url,
      'POST',
      'application/json',
      submission.body,
      {},
    );
    const ours = qiniu.sign(submission, { ...account, endpoint: 'https://ai.qiniuapi.com' }, 0);
    expect(ours.headers['Authorization']).toBe(theirs);
  });

  it('is accepted by the stand-in, with its doubled port, its date and its content type on a GET', async () => {
    const { emulator } = openStandIn();
    const dated = { 'X-Qiniu-Date': '20261120T020000Z' };
    const post = qiniuSdk.util.generateAccessTokenV2(
      mac,
      `http://127.0.0.1:8080${submission.path}`,
      'POST',
      'application/json',
      submission.body,
      dated,
    );
    const posted = await emulator.handler(
      receive(`http://127.0.0.1:8080${submission.path}`, {
        ...submission,
        headers: { ...submission.headers, ...dated, Authorization: post },
      }),
    );
    expect(posted.status).toBe(424);

    const listUrl = 'http://127.0.0.1:8080/v1/jobs/video?status=DOING';
    const form = 'application/x-www-form-urlencoded';
    const get = qiniuSdk.util.generateAccessTokenV2(mac, listUrl, 'GET', '', '', {});
    const listed = await emulator.handler(
      receive(listUrl, { method: 'GET', headers: { 'Content-Type': form, Authorization: get } }),
    );
    expect([listed.status, listed.body]).toEqual([200, '[]']);
  });

  it('takes signed callbacks of the stand-in for its own', () => {
    const url = 'http://hooks.example/in/abc';
    const headers = { 'Content-Type': 'application/json' };
    const keys = { accessKey: 'emulated-access-key', secretKey: 'emulated-secret-key' };
    const newer = signCallback('Qiniu', url, headers, '{"id":"v"}', keys);
    const extra = { reqMethod: 'POST', reqContentType: 'application/json', reqHeaders: headers };
    expect(qiniuSdk.util.isQiniuCallback(mac, url, '{"id":"v"}', newer, extra)).toBe(true);
    // The package adds whatever body it is given, so a JSON callback of the older scheme is checked without.
    const older = signCallback('QBox', url, headers, '{"id":"v"}', keys);
    expect(qiniuSdk.util.isQiniuCallback(mac, url, null, older)).toBe(true);
  });
});
