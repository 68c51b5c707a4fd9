/** What the embedded store has beyond the contract suite: AWS's exact words, odd clients, and the trouble that it plays. */
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import type { StoreOptions } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { type EmbeddedStore, openClient, startEmbeddedStore } from '../support/embedded-store.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(
  options: Partial<StoreOptions> = {},
  settings: Parameters<typeof openClient>[1] = {},
): Promise<{ server: EmbeddedStore; client: S3Client }> {
  const server = await startEmbeddedStore(options);
  const client = openClient(server, settings);
  closers.push(
    () => server.stop(),
    () => client.destroy(),
  );
  await server.store.shelf.addBucket('media', 0);
  return { server, client };
}

async function fetchText(
  url: string,
  options: Parameters<typeof request>[1] = {},
): Promise<{ status: number; text: string }> {
  const answer = await request(url, options);
  return { status: answer.statusCode, text: await answer.body.text() };
}

const nameError = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.name,
  );

describe('words', () => {
  it('of an error are an XML document with code, message, resource, request id and details', async () => {
    const { server, client } = await start();
    const link = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'media', Key: 'a<&b' }));
    const { status, text } = await fetchText(link);
    expect(status).toBe(404);
    expect(text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>' +
        '<Resource>/media/a%3C%26b</Resource><RequestId>0000000000000001</RequestId><Key>a&lt;&amp;b</Key></Error>',
    );
    expect(server.store.counts()).toEqual({ GetObject: 1 });
  });

  it('of an expired link are those that AWS uses', async () => {
    const { client } = await start();
    const signingDate = new Date(Date.now() - 120_000);
    const link = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'media', Key: 'a' }), {
      expiresIn: 60,
      signingDate,
    });
    expect((await fetchText(link)).text).toMatch(
      /<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>.*<X-Amz-Expires>60<\/X-Amz-Expires><Expires>/,
    );
  });

  it('of a range behind the end tell the size', async () => {
    const { server, client } = await start();
    await server.store.shelf.put('media', 'a', Buffer.from('0123456789'), { lastModifiedMs: 0 });
    const link = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'media', Key: 'a' }));
    const answer = await request(link, { headers: { range: 'bytes=10-' } });
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([416, 'bytes */10']);
    expect(await answer.body.text()).toContain('<ActualObjectSize>10</ActualObjectSize>');
  });
});

describe('ranges and conditions', () => {
  it.each([
    ['bytes=5-2', 200, '0123456789'],
    ['bytes=0-1,3-4', 200, '0123456789'],
    ['bytes=', 200, '0123456789'],
    ['lines=0-1', 200, '0123456789'],
    ['bytes=-0', 416, ''],
    ['bytes= 2 - 3 ', 206, '23'],
  ])('the range %j is answered %d', async (range, status, body) => {
    const { server } = await start({ publicBuckets: ['media'] });
    await server.store.shelf.put('media', 'a', Buffer.from('0123456789'), { lastModifiedMs: 0 });
    const answer = await fetchText(`${server.endpoint}/media/a`, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.text.startsWith('<?xml') ? '' : answer.text).toBe(body);
  });

  it('dates count where no etag does', async () => {
    const { server } = await start({ publicBuckets: ['media'] });
    const { shelf } = server.store;
    const object = await shelf.put('media', 'a', Buffer.from('x'), { lastModifiedMs: Date.UTC(2026, 0, 2) });
    const [before, same] = ['Thu, 01 Jan 2026 00:00:00 GMT', 'Fri, 02 Jan 2026 00:00:00 GMT'];
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await fetchText(`${server.endpoint}/media/a`, { headers })).status;
    expect(await statusOf({ 'if-modified-since': same })).toBe(304);
    expect(await statusOf({ 'if-modified-since': before })).toBe(200);
    expect(await statusOf({ 'if-unmodified-since': before })).toBe(412);
    expect(await statusOf({ 'if-unmodified-since': same })).toBe(200);
    expect(await statusOf({ 'if-unmodified-since': before, 'if-match': `"${object?.etag}"` })).toBe(200);
    expect(await statusOf({ 'if-modified-since': same, 'if-none-match': '"other"' })).toBe(200);
    expect(await statusOf({ 'if-none-match': `"other", W/"${object?.etag}"` })).toBe(304);
  });
});

describe("Amazon's client by its own defaults", () => {
  const defaults = {
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_SUPPORTED',
  } as const;

  it('uploads with checksums, as bytes and as a stream with a trailer', async () => {
    const { server, client } = await start({}, defaults);
    await client.send(new PutObjectCommand({ Bucket: 'media', Key: 'bytes', Body: 'one two' }));
    const Body = Readable.from([Buffer.from('one '), Buffer.alloc(100_000, 'x'), Buffer.from('two')]);
    await client.send(new PutObjectCommand({ Bucket: 'media', Key: 'stream', Body, ContentLength: 100_007 }));
    expect(server.store.shelf.find('media', 'bytes')?.sizeBytes).toBe(7);
    expect(server.store.shelf.find('media', 'stream')?.sizeBytes).toBe(100_007);
    const back = await client.send(new GetObjectCommand({ Bucket: 'media', Key: 'stream' }));
    expect(await back.Body?.transformToString()).toBe(`one ${'x'.repeat(100_000)}two`);
  });

  it('is told where a checksum is wrong, malformed or of a kind that cannot be checked', async () => {
    const { server, client } = await start();
    const put = (input: object): Promise<string> =>
      nameError(client.send(new PutObjectCommand({ Bucket: 'media', Key: 'k', Body: 'text', ...input })));
    expect(await put({ ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' })).toBe('BadDigest');
    expect(await put({ ContentMD5: 'short' })).toBe('InvalidDigest');
    expect(await put({ ChecksumCRC32: 'AAAAAA==' })).toBe('BadDigest');
    expect(await put({ ChecksumSHA256: 'AAAA' })).toBe('InvalidDigest');
    expect(await put({ ChecksumCRC32C: 'AAAAAA==' })).toBe('BadDigest');
    expect(await put({ ChecksumCRC64NVME: 'AAAAAAAAAAA=' })).toBe('NotImplemented');
    expect(server.store.shelf.find('media', 'k')).toBeUndefined();
    expect(await put({ ContentMD5: 'HLJR7A1WjeapKbUgxK7Y0Q==', ChecksumCRC32C: 'L1MZ4Q==' })).toBe(
      'no error',
    );
  });

  it('may address the bucket by the name of the host', async () => {
    const { server } = await start();
    await server.store.shelf.put('media', '好 /k', Buffer.from('x'), { lastModifiedMs: 0 });
    const client = openClient(
      { ...server, endpoint: server.endpoint.replace('127.0.0.1', 'localhost') },
      { forcePathStyle: false },
    );
    closers.push(() => client.destroy());
    const link = new URL(await getSignedUrl(client, new GetObjectCommand({ Bucket: 'media', Key: '好 /k' })));
    expect(link.hostname).toBe('media.localhost');
    const answer = await fetchText(`${server.endpoint}${link.pathname}${link.search}`, {
      headers: { host: link.host },
    });
    expect(answer).toEqual({ status: 200, text: 'x' });
  });
});

describe('what is not carried out', () => {
  it.each([
    ['PUT', '/media/k?acl', 501],
    ['GET', '/media/k?versionId=1', 501],
    ['GET', '/media/k?response-content-type=text/html', 501],
    ['GET', '/media/k?uploadId=1', 501],
    ['PUT', '/media/k?partNumber=1', 501],
    ['GET', '/media?uploads', 501],
    ['POST', '/media', 405],
    ['DELETE', '/media', 405],
    ['GET', '/media', 501],
    ['PUT', '/ab', 400],
    ['PUT', '/UPPER', 400],
    ['PUT', '/a_b', 400],
    ['PUT', '/-ab', 400],
    ['PUT', '/a..b', 400],
  ] as const)('%s %s is answered %d to a signer', async (method, target, status) => {
    const { server, client } = await start();
    // The client is made to sign another request than the one it was asked for.
    client.middlewareStack.add(
      (next) => (input) => {
        const [path = '', query = ''] = target.split('?');
        const changed = input.request as { method: string; path: string; query: Record<string, string> };
        changed.method = method;
        changed.path = path;
        changed.query = Object.fromEntries(new URLSearchParams(query));
        return next(input);
      },
      { step: 'build', priority: 'low' },
    );
    const sent = client.send(new GetObjectCommand({ Bucket: 'media', Key: 'k' }));
    const answered = await sent.catch((error: { $metadata?: { httpStatusCode?: number } }) => error);
    expect(answered.$metadata?.httpStatusCode).toBe(status);
    expect(server.store.shelf.listObjects('media')).toEqual([]);
    expect(server.store.shelf.listBuckets()).toHaveLength(1);
  });

  it('a key longer than 1,024 bytes is KeyTooLongError, and a path that is no UTF-8 is InvalidURI', async () => {
    const { server, client } = await start();
    const put = (length: number): Promise<string> =>
      nameError(client.send(new PutObjectCommand({ Bucket: 'media', Key: 'é'.repeat(length), Body: 'x' })));
    expect(await put(512)).toBe('no error');
    expect(await put(513)).toBe('KeyTooLongError');
    const broken = await fetchText(`${server.endpoint}/media/%ff`);
    expect([broken.status, broken.text.includes('<Code>InvalidURI</Code>')]).toEqual([400, true]);
  });
});

describe('trouble on request', () => {
  it('a cap makes pages small', async () => {
    const { server, client } = await start({ pageCap: 2 });
    for (const key of ['a', 'b', 'c'])
      await server.store.shelf.put('media', key, Buffer.of(1), { lastModifiedMs: 0 });
    const page = await client.send(new ListObjectsV2Command({ Bucket: 'media' }));
    expect([page.KeyCount, page.IsTruncated]).toEqual([2, true]);
  });

  it('SlowDown comes as often as its chance, the same from run to run, and does nothing', async () => {
    const outcomes: string[] = [];
    for (const _run of [1, 2]) {
      const { server, client } = await start({ slowDown: { seed: 's', chance: 0.4 } });
      const names: string[] = [];
      for (let index = 0; index < 50; index += 1) {
        const put = client.send(new PutObjectCommand({ Bucket: 'media', Key: `k${index}`, Body: 'x' }));
        names.push(await nameError(put));
      }
      const refused = names.filter((name) => name === 'SlowDown').length;
      expect(refused).toBeGreaterThan(10);
      expect(refused).toBeLessThan(30);
      expect(server.store.shelf.listObjects('media')).toHaveLength(50 - refused);
      expect(server.store.counts()).toEqual({ PutObject: 50 });
      outcomes.push(names.join(' '));
    }
    expect(outcomes[0]).toBe(outcomes[1]);
  });

  it('a delay is added to every answer', async () => {
    const { server } = await start({ delayMs: 40 });
    const before = performance.now();
    await fetchText(server.endpoint);
    expect(performance.now() - before).toBeGreaterThanOrEqual(38);
  });

  it('requests are counted by what they asked for', async () => {
    const { server, client } = await start();
    await nameError(client.send(new HeadObjectCommand({ Bucket: 'media', Key: 'k' })));
    await client.send(new ListObjectsV2Command({ Bucket: 'media' }));
    await client.send(new ListObjectsV2Command({ Bucket: 'media' }));
    await fetchText(`${server.endpoint}/media/k`, { method: 'OPTIONS' });
    expect(server.store.counts()).toEqual({ HeadObject: 1, ListObjectsV2: 2, Unknown: 1 });
  });
});

it('objects of a public bucket can be read by anyone, and only read, and only its objects', async () => {
  const { server } = await start({ publicBuckets: ['media'] });
  await server.store.shelf.addBucket('private', 0);
  for (const bucket of ['media', 'private'])
    await server.store.shelf.put(bucket, 'k', Buffer.from('x'), { lastModifiedMs: 0 });
  const statusOf = async (path: string, method: 'GET' | 'HEAD' | 'PUT' | 'DELETE' = 'GET'): Promise<number> =>
    (await fetchText(`${server.endpoint}${path}`, { method })).status;
  expect(await statusOf('/media/k?v=3')).toBe(200);
  expect(await statusOf('/media/k', 'HEAD')).toBe(200);
  expect(await statusOf('/media?list-type=2')).toBe(403);
  expect(await statusOf('/media/k', 'PUT')).toBe(403);
  expect(await statusOf('/media/k', 'DELETE')).toBe(403);
  expect(await statusOf('/private/k')).toBe(403);
});

it('the store keeps what its shelf held before it was opened', async () => {
  const shelf = await openShelf(makeMemoryVault());
  await shelf.addBucket('media', 0);
  await shelf.put('media', 'k', Buffer.from('early'), { lastModifiedMs: 0 });
  const { client } = await start({ shelf });
  const answer = await client.send(new GetObjectCommand({ Bucket: 'media', Key: 'k' }));
  expect(await answer.Body?.transformToString()).toBe('early');
});
