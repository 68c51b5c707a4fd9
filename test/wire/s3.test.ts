import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerAnswer, ServerRequest } from '../../src/domain/exchange.ts';
import { Stop } from '../../src/domain/problem.ts';
import type { Storage } from '../../src/domain/settings.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { openObjectStorage, type StorageOptions } from '../../src/wire/s3.ts';
import { type RunningServer, serve } from '../../src/wire/server.ts';

const nowMs = Date.parse('2026-11-20T02:00:00.500Z');
const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'very-secret-key' };
const address = { storage: 'main', bucket: 'media', key: 'ugc/猫 +%.mp4' };
const listing = { storage: 'main', bucket: 'media', prefix: '' };

let server: RunningServer;
let answer: (request: ServerRequest) => ServerAnswer;
let requests: ServerRequest[] = [];
const opened: ObjectStorage[] = [];

beforeEach(async () => {
  requests = [];
  answer = () => ({ status: 500 });
  const handler = async (request: ServerRequest): Promise<ServerAnswer> => {
    requests.push(request);
    return answer(request);
  };
  server = await serve(handler, { maxBodyBytes: 1000, timeoutMs: 5000 });
});

afterEach(async () => {
  for (const storage of opened.splice(0)) storage.close();
  await server.close();
  vi.unstubAllEnvs();
});

function open(settings: Partial<Storage> = {}, options: StorageOptions = {}): ObjectStorage {
  const main: Storage = {
    name: 'main',
    endpoint: server.url,
    region: 'us-east-1',
    pathStyle: true,
    ...keys,
    ...settings,
  };
  const storage = openObjectStorage(new Map([['main', main]]), {
    maxAttempts: 1,
    nowMs: () => nowMs,
    ...options,
  });
  opened.push(storage);
  return storage;
}

async function stopOf(work: Promise<unknown>): Promise<Stop> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Stop) return error;
  throw new Error('expected a Stop', { cause: error });
}

function answerXml(body: string, status = 200): ServerAnswer {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${body}` };
}

function answerList(names: readonly string[], more = ''): ServerAnswer {
  const contents = names.map(
    (name) =>
      `<Contents><Key>${name}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>7</Size></Contents>`,
  );
  return answerXml(
    `<ListBucketResult><Name>media</Name><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${more}${contents.join('')}</ListBucketResult>`,
  );
}

function answerError(code: string, status: number): ServerAnswer {
  return answerXml(`<Error><Code>${code}</Code><Message>the server's words</Message></Error>`, status);
}

describe('the S3 SDK', () => {
  it('prints and warns nothing', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name));
    const emitWarning = Object.getOwnPropertyDescriptor(process, 'emitWarning');
    answer = () => answerList([]);
    await open().list(listing);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    expect(Object.getOwnPropertyDescriptor(process, 'emitWarning')).toEqual(emitWarning);
    expect(process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED']).toBeUndefined();
  });
});

describe('a listing', () => {
  it('asks for encoded keys, and for the place to begin', async () => {
    answer = () => answerList(['a']);
    const page = await open().list({ ...listing, prefix: 'ugc/', startAfter: '猫 +', maxKeys: 5 });
    const [request] = requests;
    expect(request?.path).toBe('/media/');
    expect(Object.fromEntries(new URLSearchParams(request?.query))).toEqual({
      'list-type': '2',
      'encoding-type': 'url',
      prefix: 'ugc/',
      'start-after': '猫 +',
      'max-keys': '5',
    });
    expect(Object.keys(request?.headers ?? {}).filter((name) => name.includes('checksum'))).toEqual([]);
    expect(page).toEqual({
      objects: [{ key: 'a', sizeBytes: 7, etag: 'e1', lastModified: '2026-11-01T00:00:00.000Z' }],
      isTruncated: false,
      nextToken: undefined,
    });
  });

  it('hands on the token', async () => {
    answer = () =>
      answerXml(
        '<ListBucketResult><Name>media</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t+/=1</NextContinuationToken><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>',
      );
    const storage = open();
    expect(await storage.list(listing)).toMatchObject({ isTruncated: true, nextToken: 't+/=1' });
    await storage.list({ ...listing, token: 't+/=1' });
    expect(new URLSearchParams(requests[1]?.query).get('continuation-token')).toBe('t+/=1');
  });

  it.each([
    ['writes a space as + and encodes /', ['a%2Fb+c', 'd%2Be', '%E7%8C%AB%0A'], ['a/b c', 'd+e', '猫\n']],
    ['writes a space as %20 and + as it is', ['a/b%20c', 'd+e', '%2525'], ['a/b c', 'd+e', '%25']],
  ])('of a server that %s gives the real keys', async (_, written, names) => {
    answer = () => answerList(written);
    const page = await open().list(listing);
    expect(page.objects.map((object) => object.key)).toEqual(names);
  });

  it('of a server that encodes nothing gives the keys as they are', async () => {
    answer = () =>
      answerXml(
        '<ListBucketResult><Name>media</Name><IsTruncated>false</IsTruncated><Contents><Key>a%20b+c &amp; d</Key><Size>1</Size></Contents></ListBucketResult>',
      );
    const page = await open().list(listing);
    expect(page.objects.map((object) => object.key)).toEqual(['a%20b+c & d']);
  });

  it('that does not end is given up, however much comes', async () => {
    answer = () => ({ status: 200, body: Buffer.alloc(33 * 1024 * 1024, 0x20) });
    const stop = await stopOf(open().list(listing));
    expect(stop.exitCode).toBe(3);
    expect(stop.message).toContain("the listing's page is larger than 33554432 bytes");
  });

  it('whose XML is written in an unusual way is read all the same', async () => {
    answer = () =>
      answerXml(
        '<ListBucketResult><Name>media</Name><IsTruncated>false</IsTruncated><Contents><Key><![CDATA[a<b]]></Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>"e1"</ETag><Size>7</Size></Contents></ListBucketResult>',
      );
    expect((await open().list(listing)).objects).toEqual([
      { key: 'a<b', sizeBytes: 7, etag: 'e1', lastModified: '2026-11-01T00:00:00.000Z' },
    ]);
  });

  it('with a key that is not UTF-8 ends the run', async () => {
    answer = () => answerList(['%FF']);
    const stop = await stopOf(open().list(listing));
    expect(stop.exitCode).toBe(3);
    expect(stop.message).toContain('listing bucket "media": a key is not UTF-8. Rename the object.');
  });

  it('that is a web page is not taken for an empty bucket', async () => {
    answer = () => ({
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html><body>hello</body></html>',
    });
    const stop = await stopOf(open().list(listing));
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toMatch(
      /the answer is no S3 listing\. Check the endpoint and pathStyle of this storage\.$/,
    );
  });

  it('is asked for again where the server was briefly busy', async () => {
    answer = () => (requests.length < 2 ? answerError('SlowDown', 503) : answerList(['a']));
    expect((await open({}, { maxAttempts: 3 }).list(listing)).objects).toHaveLength(1);
    expect(requests).toHaveLength(2);
  });

  it('is asked for again where its body broke off', async () => {
    answer = () => (requests.length < 2 ? { ...answerList(['a']), fault: 'truncate' } : answerList(['a']));
    expect((await open({}, { maxAttempts: 3 }).list(listing)).objects).toHaveLength(1);
  });
});

describe('a head', () => {
  it('tells size, tag, time and type', async () => {
    const headers = {
      'content-length': '42',
      etag: '"e1"',
      'last-modified': 'Sun, 01 Nov 2026 00:00:00 GMT',
      'content-type': 'video/mp4',
    };
    answer = () => ({ status: 200, headers });
    expect(await open().head({ ...address, version: 'v 1' })).toEqual({
      sizeBytes: 42,
      etag: 'e1',
      lastModified: '2026-11-01T00:00:00.000Z',
      contentType: 'video/mp4',
    });
    expect(requests[0]?.path).toBe('/media/ugc/%E7%8C%AB%20%2B%25.mp4');
    expect(requests[0]?.query).toBe('versionId=v%201');
  });

  it('of an object that is not there is undefined', async () => {
    answer = () => ({ status: 404 });
    expect(await open().head(address)).toBeUndefined();
  });

  it('that is refused ends the run, though a head has no words', async () => {
    answer = () => ({ status: 403 });
    const stop = await stopOf(open().head(address));
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toMatch(
      /head of "ugc\/猫 \+%\.mp4" in bucket "media": access was refused: ".*" \(403\)\. Check the credentials/,
    );
  });
});

describe('a ranged read', () => {
  const bytes = Buffer.from('0123456789');
  const range: ServerAnswer = {
    status: 206,
    headers: { 'content-range': 'bytes 2-4/10' },
    body: bytes.subarray(2, 5),
  };

  it('asks for the bytes up to, not with, its end', async () => {
    answer = () => range;
    expect(Buffer.from(await open().read(address, 2, 5)).toString()).toBe('234');
    expect(requests[0]?.headers['range']).toBe('bytes=2-4');
    expect(requests[0]?.query).toBe('');
    expect(requests[0]?.headers['x-amz-checksum-mode']).toBeUndefined();
  });

  it('is repeated where its body broke off', async () => {
    answer = () => (requests.length < 2 ? { ...range, fault: 'truncate' } : range);
    expect(Buffer.from(await open({}, { maxAttempts: 2 }).read(address, 2, 5)).toString()).toBe('234');
  });

  it('that breaks off every time ends the run as halted', async () => {
    answer = () => ({ ...range, fault: 'truncate' });
    const stop = await stopOf(open({}, { maxAttempts: 2 }).read(address, 2, 5));
    expect(stop.exitCode).toBe(3);
    expect(requests).toHaveLength(2);
  });

  it('is cut from a small object that came whole', async () => {
    answer = () => ({ status: 200, body: bytes });
    expect(Buffer.from(await open().read(address, 2, 100)).toString()).toBe('23456789');
  });

  it('refuses a large object that came whole', async () => {
    answer = () => ({ status: 200, body: bytes });
    const stop = await stopOf(open().read(address, 2, 5));
    expect(stop.message).toContain('reading "ugc/猫 +%.mp4" in bucket "media": the server ignores ranges.');
  });
});

describe('a presigned link', () => {
  const longest = 7 * 24 * 3600;

  it('carries what signs it and nothing else', async () => {
    const { url, expiresAt } = await open().sign({ ...address, version: 'v1' }, 3600);
    const link = new URL(url);
    expect(link.origin + link.pathname).toBe(`${server.url}/media/ugc/%E7%8C%AB%20%2B%25.mp4`);
    expect([...link.searchParams.keys()].sort()).toEqual([
      'X-Amz-Algorithm',
      'X-Amz-Content-Sha256',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Expires',
      'X-Amz-Signature',
      'X-Amz-SignedHeaders',
      'versionId',
    ]);
    expect(link.searchParams.get('X-Amz-Date')).toBe('20261120T020000Z');
    expect(link.searchParams.get('X-Amz-Expires')).toBe('3600');
    expect(link.searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    expect(expiresAt).toBe(Date.parse('2026-11-20T03:00:00Z'));
    expect(requests).toEqual([]);
  });

  it('names the bucket in the host where the storage is not path style', async () => {
    const { url } = await open({ pathStyle: false, endpoint: 'https://s3.example' }).sign(address, 60);
    expect(url).toMatch(/^https:\/\/media\.s3\.example\/ugc\/%E7%8C%AB%20%2B%25\.mp4\?/);
  });

  it('leads to AWS where the storage has no endpoint', async () => {
    const { url } = await open({ pathStyle: false, endpoint: undefined, region: 'eu-central-1' }).sign(
      address,
      60,
    );
    expect(url).toMatch(/^https:\/\/media\.s3\.eu-central-1\.amazonaws\.com\//);
  });

  it('lives at most seven days', async () => {
    const { url, expiresAt } = await open().sign(address, 30 * 24 * 3600);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe(String(longest));
    expect(expiresAt).toBe(Date.parse('2026-11-27T02:00:00Z'));
  });

  it('carries a session token', async () => {
    const { url } = await open({ sessionToken: 'token/1+2' }).sign(address, 60);
    expect(new URL(url).searchParams.get('X-Amz-Security-Token')).toBe('token/1+2');
  });

  it('ends with the credential that the chain gave', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIACHAIN');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'chain-secret');
    const ends = new Date(Date.now() + 3_600_000);
    vi.stubEnv('AWS_CREDENTIAL_EXPIRATION', ends.toISOString());
    const storage = open({ accessKeyId: undefined, secretAccessKey: undefined }, { nowMs: Date.now });
    const { url, expiresAt } = await storage.sign(address, 24 * 3600);
    expect(new URL(url).searchParams.get('X-Amz-Credential')).toMatch(/^AKIACHAIN\//);
    const left = ends.getTime() - (expiresAt ?? 0);
    expect(left).toBeGreaterThanOrEqual(0);
    expect(left).toBeLessThan(1000);
  });
});

describe('what goes wrong', () => {
  it.each<[string, number, 2 | 3, string]>([
    [
      'InvalidAccessKeyId',
      403,
      2,
      'the credentials were refused: "InvalidAccessKeyId: the server\'s words" (403). Check accessKeyId and secretAccessKey of this storage.',
    ],
    [
      'SignatureDoesNotMatch',
      403,
      2,
      'the credentials were refused: "SignatureDoesNotMatch: the server\'s words" (403).',
    ],
    [
      'AccessDenied',
      403,
      2,
      'access was refused: "AccessDenied: the server\'s words" (403). Check the credentials of this storage and what they may do there.',
    ],
    [
      'ExpiredToken',
      400,
      2,
      'the session token has ended or is wrong: "ExpiredToken: the server\'s words" (400). Fetch new credentials and run again.',
    ],
    [
      'NoSuchBucket',
      404,
      2,
      'there is no such bucket: "NoSuchBucket: the server\'s words" (404). Check the name of the bucket, and the endpoint, region and pathStyle of this storage.',
    ],
    [
      'PermanentRedirect',
      301,
      2,
      'the bucket is in another region or at another endpoint: "PermanentRedirect: the server\'s words" (301). Correct region and endpoint of this storage.',
    ],
    [
      'RequestTimeTooSkewed',
      403,
      2,
      "this machine's clock and the server's differ too much: \"RequestTimeTooSkewed: the server's words\" (403). Set the clock.",
    ],
    [
      'NotImplemented',
      400,
      2,
      'the server does not support this: "NotImplemented: the server\'s words" (400). Where a manifest names versions of objects, leave them out; else use another storage.',
    ],
    [
      'InternalError',
      500,
      3,
      'the server was lost: "InternalError: the server\'s words" (500). Run again to go on.',
    ],
    [
      'NotImplemented',
      501,
      2,
      'the server does not support this: "NotImplemented: the server\'s words" (501). Where a manifest names versions of objects, leave them out; else use another storage.',
    ],
    ['SlowDown', 503, 3, 'the server was lost: "SlowDown: the server\'s words" (503). Run again to go on.'],
  ])('%s (%d) ends with exit %d and says what to do', async (code, status, exitCode, text) => {
    answer = () => answerError(code, status);
    const stop = await stopOf(open().list(listing));
    expect(stop.exitCode).toBe(exitCode);
    expect(stop.message).toContain(`storage "main" (${server.url}): listing bucket "media": ${text}`);
    expect(stop.message).not.toContain('very-secret-key');
  });

  it.each<['reset' | 'hang', RegExp]>([
    ['reset', /the server was lost: "ECONNRESET: .*"\. Run again to go on\.$/],
    ['hang', /the server was lost: "ETIMEDOUT: .*"\. Run again to go on\.$/],
  ])('a %s halts the run', async (fault, text) => {
    answer = () => ({ status: 200, fault });
    const stop = await stopOf(open({}, { timeoutMs: 100 }).list(listing));
    expect(stop.exitCode).toBe(3);
    expect(stop.message).toMatch(text);
  });

  it('a server that does not run halts the run', async () => {
    const { url } = server;
    await server.close();
    const stop = await stopOf(open({ endpoint: url }).list(listing));
    expect(stop.exitCode).toBe(3);
    expect(stop.message).toContain('the server cannot be reached: "ECONNREFUSED: ');
    expect(stop.message).toMatch(
      /Check that it runs and that the endpoint of this storage is right\. Run again to go on\.$/,
    );
  });

  it('plain text where TLS was expected is a wrong endpoint', async () => {
    const stop = await stopOf(open({ endpoint: server.url.replace('http:', 'https:') }).list(listing));
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toContain('the endpoint cannot be used: ');
    expect(stop.message).toMatch(/Check the endpoint of this storage: protocol, host and port\.$/);
  });

  it('missing credentials say where they may come from', async () => {
    for (const name of [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_PROFILE',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
    ]) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent/credentials');
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config');
    const stop = await stopOf(open({ accessKeyId: undefined, secretAccessKey: undefined }).list(listing));
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toContain('no credentials were found: "CredentialsProviderError: ');
    expect(stop.message).toContain('Set accessKeyId and secretAccessKey of this storage');
  });

  it('a storage that nobody configured is named beside the known ones', async () => {
    const stop = await stopOf(open().list({ ...listing, storage: 'other' }));
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toBe(
      'storage "other": expected one of "main". Add it to the storages, or correct the name.',
    );
  });

  it('user info of an endpoint is not shown', async () => {
    answer = () => answerError('AccessDenied', 403);
    const endpoint = server.url.replace('http://', 'http://user:pass@');
    const stop = await stopOf(open({ endpoint }).list(listing));
    expect(stop.message).toContain('storage "main" (');
    expect(stop.message).not.toContain('pass');
  });
});
