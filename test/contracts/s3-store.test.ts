/** What the program counts on in an S3-compatible store, asked with Amazon's own client of the embedded one and of real ones. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openArtifactPrefix, openReportPrefix } from '../../src/store/bucket-output.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { openClient, type StoreAccess } from '../support/embedded-store.ts';
import { describeReal } from '../support/server.ts';
import { stores } from '../support/stores.ts';
import { strangeKeys } from '../support/strange-keys.ts';

const byBytes = (keys: readonly string[]): string[] =>
  keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));

const bytesOf = (text: string): Buffer => createHash('sha512').update(text).digest();

async function collectPages(
  client: S3Client,
  input: ListObjectsV2CommandInput,
): Promise<{ keys: string[]; prefixes: string[]; pages: number }> {
  const [keys, prefixes]: [string[], string[]] = [[], []];
  let token: string | undefined;
  let pages = 0;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ ...input, EncodingType: 'url', ContinuationToken: token }),
    );
    pages += 1;
    keys.push(...(page.Contents ?? []).map((object) => decodeURIComponent(object.Key ?? '')));
    prefixes.push(...(page.CommonPrefixes ?? []).map((entry) => decodeURIComponent(entry.Prefix ?? '')));
    expect((page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0)).toBe(page.KeyCount);
    expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
    token = page.NextContinuationToken;
  } while (token !== undefined && pages < 100);
  return { keys, prefixes, pages };
}

const catchError = (promise: Promise<unknown>): Promise<{ name: string; status: number | undefined }> =>
  promise.then(
    () => ({ name: 'no error', status: undefined }),
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) => ({
      name: error.name,
      status: error.$metadata?.httpStatusCode,
    }),
  );

async function fetchLink(
  url: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'HEAD' = 'GET',
): Promise<{ status: number; bytes: Buffer; text: string; headers: Record<string, unknown> }> {
  const answer = await request(url, { method, headers });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, bytes, text: bytes.toString(), headers: answer.headers };
}

for (const { name, missing, start } of stores) {
  describeReal(name, missing, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let client: S3Client;
    const clients: S3Client[] = [];

    const open = (
      access: Partial<StoreAccess>,
      settings: Parameters<typeof openClient>[1] = {},
    ): S3Client => {
      const opened = openClient({ ...store, ...access }, settings);
      clients.push(opened);
      return opened;
    };

    beforeAll(async () => {
      store = await start();
      client = open({});
      await client.send(new CreateBucketCommand({ Bucket: 'strange' }));
      await client.send(new CreateBucketCommand({ Bucket: 'media' }));
      for (const key of strangeKeys) {
        await client.send(new PutObjectCommand({ Bucket: 'strange', Key: key, Body: bytesOf(key) }));
      }
    }, 90_000);

    afterAll(async () => {
      for (const opened of clients) opened.destroy();
      await store?.stop();
    });

    const put = (key: string, body: string | Buffer, contentType?: string): Promise<unknown> =>
      client.send(new PutObjectCommand({ Bucket: 'media', Key: key, Body: body, ContentType: contentType }));

    const get = async (key: string, input: Partial<GetObjectCommandInput> = {}) => {
      const answer = await client.send(new GetObjectCommand({ Bucket: 'media', Key: key, ...input }));
      return { ...answer, text: (await answer.Body?.transformToString()) ?? '' };
    };

    const sign = (
      key: string,
      expiresIn = 300,
      signingDate = new Date(),
      bucket = 'media',
    ): Promise<string> =>
      getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn, signingDate });

    describe('buckets', () => {
      it('are there once made, and are listed', async () => {
        expect((await client.send(new HeadBucketCommand({ Bucket: 'media' }))).$metadata.httpStatusCode).toBe(
          200,
        );
        const listed = await client.send(new ListBucketsCommand({}));
        expect((listed.Buckets ?? []).map((bucket) => bucket.Name)).toEqual(['media', 'strange']);
      });

      it('that were never made are NoSuchBucket', async () => {
        const Bucket = 'never-made';
        const commands = [
          () => client.send(new ListObjectsV2Command({ Bucket })),
          () => client.send(new GetObjectCommand({ Bucket, Key: 'a' })),
          () => client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' })),
        ];
        for (const command of commands) {
          expect(await catchError(command())).toEqual({ name: 'NoSuchBucket', status: 404 });
        }
        expect((await catchError(client.send(new HeadBucketCommand({ Bucket })))).status).toBe(404);
      });
    });

    describe('objects', () => {
      it.each(strangeKeys)('under the key %j come back byte for byte', async (key) => {
        const answer = await client.send(new GetObjectCommand({ Bucket: 'strange', Key: key }));
        expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? [])).toEqual(bytesOf(key));
        expect(answer.ETag).toBe(`"${createHash('md5').update(bytesOf(key)).digest('hex')}"`);
      });

      it('keep their type, metadata, length and the time they were put', async () => {
        const Metadata = { origin: 'test' };
        const input = {
          Bucket: 'media',
          Key: 'facts.jpg',
          Body: 'x'.repeat(1000),
          ContentType: 'image/jpeg',
          Metadata,
        };
        await client.send(new PutObjectCommand(input));
        const head = await client.send(new HeadObjectCommand({ Bucket: 'media', Key: 'facts.jpg' }));
        expect(head).toMatchObject({
          ContentType: 'image/jpeg',
          ContentLength: 1000,
          Metadata,
          AcceptRanges: 'bytes',
        });
        expect(head.ETag).toBe(`"${createHash('md5').update('x'.repeat(1000)).digest('hex')}"`);
        expect(Math.abs(Date.now() - (head.LastModified?.getTime() ?? 0))).toBeLessThan(60_000);
      });

      it('may be empty', async () => {
        await put('empty', Buffer.alloc(0));
        const answer = await get('empty');
        expect([answer.text, answer.ContentLength, answer.ETag]).toEqual([
          '',
          0,
          '"d41d8cd98f00b204e9800998ecf8427e"',
        ]);
      });

      it('are replaced by a second one under their key', async () => {
        await put('twice', 'first');
        await put('twice', 'second, longer');
        expect((await get('twice')).text).toBe('second, longer');
        expect((await collectPages(client, { Bucket: 'media', Prefix: 'twice' })).keys).toEqual(['twice']);
      });

      it('are NoSuchKey once deleted, and deleting them again is no error', async () => {
        await put('doomed', 'x');
        for (const _time of [1, 2]) {
          const deleted = await client.send(new DeleteObjectCommand({ Bucket: 'media', Key: 'doomed' }));
          expect(deleted.$metadata.httpStatusCode).toBe(204);
        }
        expect(await catchError(get('doomed'))).toEqual({ name: 'NoSuchKey', status: 404 });
        const head = client.send(new HeadObjectCommand({ Bucket: 'media', Key: 'doomed' }));
        expect(await catchError(head)).toEqual({ name: 'NotFound', status: 404 });
        expect((await collectPages(client, { Bucket: 'media', Prefix: 'doomed' })).keys).toEqual([]);
      });

      it('can be streamed up', async () => {
        const Body = Readable.from([Buffer.from('one '), Buffer.from('two')]);
        await client.send(new PutObjectCommand({ Bucket: 'media', Key: 'streamed', Body, ContentLength: 7 }));
        expect((await get('streamed')).text).toBe('one two');
      });
    });

    describe('ranges', () => {
      it.each([
        ['bytes=0-0', '0', 'bytes 0-0/10'],
        ['bytes=2-5', '2345', 'bytes 2-5/10'],
        ['bytes=7-', '789', 'bytes 7-9/10'],
        ['bytes=8-100', '89', 'bytes 8-9/10'],
        ['bytes=-3', '789', 'bytes 7-9/10'],
        ['bytes=-100', '0123456789', 'bytes 0-9/10'],
      ])('%s is served as %j', async (range, text, contentRange) => {
        await put('digits', '0123456789');
        const answer = await get('digits', { Range: range });
        expect(answer.text).toBe(text);
        expect(answer).toMatchObject({ ContentRange: contentRange, ContentLength: text.length });
        expect(answer.$metadata.httpStatusCode).toBe(206);
      });

      it('behind the end are InvalidRange', async () => {
        await put('digits', '0123456789');
        expect(await catchError(get('digits', { Range: 'bytes=10-20' }))).toEqual({
          name: 'InvalidRange',
          status: 416,
        });
      });
    });

    describe('conditions', () => {
      it('let through what has changed, and stop what has not', async () => {
        await put('conditional', 'x');
        const { ETag = '' } = await get('conditional');
        expect((await catchError(get('conditional', { IfNoneMatch: ETag }))).status).toBe(304);
        expect((await get('conditional', { IfNoneMatch: '"other"' })).text).toBe('x');
        expect((await get('conditional', { IfMatch: ETag })).text).toBe('x');
        expect(await catchError(get('conditional', { IfMatch: '"other"' }))).toEqual({
          name: 'PreconditionFailed',
          status: 412,
        });
      });

      it('keep a put from replacing what is there', async () => {
        await client.send(new DeleteObjectCommand({ Bucket: 'media', Key: 'once' }));
        const putOnce = (): Promise<unknown> =>
          client.send(new PutObjectCommand({ Bucket: 'media', Key: 'once', Body: 'x', IfNoneMatch: '*' }));
        expect((await catchError(putOnce())).name).toBe('no error');
        expect(await catchError(putOnce())).toEqual({ name: 'PreconditionFailed', status: 412 });
      });
    });

    describe('listing', () => {
      it('brings every key in the order of its UTF-8 bytes, on one page or on many', async () => {
        for (const MaxKeys of [1000, 1, 5, strangeKeys.length]) {
          const { keys, pages } = await collectPages(client, { Bucket: 'strange', MaxKeys });
          expect(keys).toEqual(byBytes(strangeKeys));
          expect(pages).toBe(Math.ceil(strangeKeys.length / MaxKeys));
        }
      });

      it('tells size, etag and time of each', async () => {
        const page = await client.send(new ListObjectsV2Command({ Bucket: 'strange', Prefix: 'plain.jpg' }));
        const [object] = page.Contents ?? [];
        expect(object).toMatchObject({
          Key: 'plain.jpg',
          Size: 64,
          ETag: `"${createHash('md5').update(bytesOf('plain.jpg')).digest('hex')}"`,
        });
        expect(Math.abs(Date.now() - (object?.LastModified?.getTime() ?? 0))).toBeLessThan(120_000);
      });

      it.each([
        'emoji/',
        'e',
        '用户',
        'double//',
        'control/\u0001',
        'a%',
        'a+',
        ' ',
        'none',
      ])('keeps to the prefix %j', async (prefix) => {
        const { keys } = await collectPages(client, { Bucket: 'strange', Prefix: prefix, MaxKeys: 2 });
        expect(keys).toEqual(byBytes(strangeKeys.filter((key) => key.startsWith(prefix))));
      });

      it.each(strangeKeys)('goes on after %j', async (key) => {
        const sorted = byBytes(strangeKeys);
        const { keys } = await collectPages(client, { Bucket: 'strange', StartAfter: key, MaxKeys: 7 });
        expect(keys).toEqual(sorted.slice(sorted.indexOf(key) + 1));
      });

      it('goes on after a key that is not there', async () => {
        const { keys } = await collectPages(client, { Bucket: 'strange', StartAfter: 'm' });
        expect(keys).toEqual(
          byBytes(strangeKeys.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from('m')) > 0)),
        );
      });

      it.each([1000, 1, 3])('rolls keys up at a delimiter, %d on a page', async (MaxKeys) => {
        const { keys, prefixes } = await collectPages(client, { Bucket: 'strange', Delimiter: '/', MaxKeys });
        const rolled = strangeKeys
          .filter((key) => key.includes('/'))
          .map((key) => key.slice(0, key.indexOf('/') + 1));
        expect(prefixes).toEqual(byBytes([...new Set(rolled)]));
        expect(keys).toEqual(byBytes(strangeKeys.filter((key) => !key.includes('/'))));
      });

      it('rolls up behind a prefix, and shows a folder marker inside its folder', async () => {
        const inside = await collectPages(client, { Bucket: 'strange', Prefix: 'double/', Delimiter: '/' });
        expect(inside).toMatchObject({ keys: [], prefixes: ['double//'] });
        const marker = await collectPages(client, { Bucket: 'strange', Prefix: 'folder/', Delimiter: '/' });
        expect(marker).toMatchObject({ keys: ['folder/'], prefixes: [] });
      });

      it('of an empty bucket is empty', async () => {
        await client.send(new CreateBucketCommand({ Bucket: 'empty-bucket' }));
        const page = await client.send(new ListObjectsV2Command({ Bucket: 'empty-bucket' }));
        expect([page.KeyCount, page.IsTruncated, page.Contents]).toEqual([0, false, undefined]);
      });
    });

    describe('signatures', () => {
      it('of a wrong secret are SignatureDoesNotMatch', async () => {
        const stranger = open({ secretAccessKey: 'wrong' });
        for (const command of [
          () => stranger.send(new ListObjectsV2Command({ Bucket: 'media' })),
          () => stranger.send(new PutObjectCommand({ Bucket: 'media', Key: 'never', Body: 'x' })),
        ]) {
          expect(await catchError(command())).toEqual({ name: 'SignatureDoesNotMatch', status: 403 });
        }
        expect(await catchError(get('never'))).toEqual({ name: 'NoSuchKey', status: 404 });
      });

      it('of an unknown key are InvalidAccessKeyId', async () => {
        const stranger = open({ accessKeyId: 'AKIDNOBODY' });
        const command = stranger.send(new ListObjectsV2Command({ Bucket: 'media' }));
        expect(await catchError(command)).toEqual({ name: 'InvalidAccessKeyId', status: 403 });
      });

      it('made sixteen minutes off are RequestTimeTooSkewed', async () => {
        for (const systemClockOffset of [-16 * 60_000, 16 * 60_000]) {
          const late = open({}, { systemClockOffset });
          const command = late.send(new ListObjectsV2Command({ Bucket: 'media' }));
          expect(await catchError(command)).toEqual({ name: 'RequestTimeTooSkewed', status: 403 });
        }
      });

      it('that are missing are AccessDenied', async () => {
        await put('private', 'x');
        const answer = await fetchLink(`${store.endpoint}/media/private`);
        expect(answer.status).toBe(403);
        expect(answer.text).toContain('<Code>AccessDenied</Code>');
      });
    });

    describe('links', () => {
      it.each(strangeKeys)('to %j bring its bytes', async (key) => {
        const answer = await fetchLink(await sign(key, 300, new Date(), 'strange'));
        expect(answer.status).toBe(200);
        expect(answer.bytes).toEqual(bytesOf(key));
      });

      it('can be read by ranges, as vendors and probers do', async () => {
        await put('video.mp4', '0123456789', 'video/mp4');
        const link = await sign('video.mp4');
        const middle = await fetchLink(link, { range: 'bytes=3-4' });
        expect([middle.status, middle.text, middle.headers['content-range']]).toEqual([
          206,
          '34',
          'bytes 3-4/10',
        ]);
        expect(middle.headers['content-type']).toBe('video/mp4');
        expect((await fetchLink(link, { range: 'bytes=-2' })).text).toBe('89');
        expect((await fetchLink(link, { range: 'bytes=99-' })).status).toBe(416);
      });

      it('work until they expire and not after', async () => {
        await put('brief', 'x');
        const anHourAgo = new Date(Date.now() - 3_600_000);
        expect((await fetchLink(await sign('brief', 3660, anHourAgo))).status).toBe(200);
        const expired = await fetchLink(await sign('brief', 3540, anHourAgo));
        expect(expired.status).toBe(403);
        expect(expired.text).toContain('<Code>AccessDenied</Code>');
      });

      it('that were changed in any way are refused', async () => {
        await put('mine', 'x');
        await put('yours', 'x');
        const link = await sign('mine');
        const changes = [
          link.replace('/mine?', '/yours?'),
          link.replace('X-Amz-Expires=300', 'X-Amz-Expires=3000'),
          link.replace(
            /X-Amz-Signature=(.)/,
            (_all, digit: string) => `X-Amz-Signature=${digit === '0' ? '1' : '0'}`,
          ),
          `${link}&versionless=1`,
        ];
        for (const changed of changes) {
          const answer = await fetchLink(changed);
          expect([answer.status, /<Code>(\w+)</.exec(answer.text)?.[1]]).toEqual([
            403,
            'SignatureDoesNotMatch',
          ]);
        }
        expect((await fetchLink(link, {}, 'HEAD')).status).toBe(403);
        expect((await fetchLink(link)).status).toBe(200);
      });

      it('to an object that is not there are NoSuchKey', async () => {
        const answer = await fetchLink(await sign('not-there'));
        expect([answer.status, answer.text.includes('<Code>NoSuchKey</Code>')]).toEqual([404, true]);
      });
    });

    describe('uploads in parts', () => {
      const megabytes = (count: number, fill: string): Buffer => Buffer.alloc(count * 1024 * 1024, fill);

      const begin = async (Key: string) => {
        const place = { Bucket: 'media', Key };
        const { UploadId } = await client.send(
          new CreateMultipartUploadCommand({ ...place, ContentType: 'text/csv' }),
        );
        const upload = { ...place, UploadId };
        const send = async (PartNumber: number, Body: Buffer): Promise<CompletedPart> => {
          const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
          return { PartNumber, ETag };
        };
        const complete = (Parts: CompletedPart[]) =>
          client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
        const abandon = () => client.send(new AbortMultipartUploadCommand(upload));
        return { send, complete, abandon };
      };

      it('become an object when they are completed, and not before', async () => {
        await put('parts/whole', 'before');
        const { send, complete } = await begin('parts/whole');
        const parts = [await send(1, megabytes(5, 'a')), await send(2, Buffer.from('end'))];
        expect((await get('parts/whole')).text).toBe('before');
        await complete(parts);
        const { text, ContentType, ETag } = await get('parts/whole');
        expect([text.length, text.slice(-4), ContentType]).toEqual([5 * 1024 * 1024 + 3, 'aend', 'text/csv']);
        expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
      });

      it('are gone once they are given up or completed', async () => {
        const given = await begin('parts/given-up');
        const part = await given.send(1, Buffer.from('x'));
        await given.abandon();
        // Ceph 16 says InternalError.
        expect((await catchError(given.complete([part]))).name).not.toBe('no error');
        expect((await catchError(get('parts/given-up'))).name).toBe('NoSuchKey');
      });

      it('are refused where a part is missing, too small or out of order', async () => {
        const { send, complete, abandon } = await begin('parts/wrong');
        const [first, second] = [await send(1, Buffer.from('small')), await send(2, Buffer.from('y'))];
        expect((await catchError(complete([first, second]))).name).toBe('EntityTooSmall');
        const expected = ['InvalidPartOrder', 'EntityTooSmall'];
        expect(expected).toContain((await catchError(complete([second, first]))).name);
        const changed = { PartNumber: 1, ETag: '"00000000000000000000000000000000"' };
        expect((await catchError(complete([changed]))).name).toBe('InvalidPart');
        await abandon();
      });
    });

    describe('reports that our client writes', () => {
      const place = { storage: 'main', bucket: 'media', prefix: 'audit/报告 +%/' };
      const openOurs = (secretAccessKey = store.secretAccessKey) => {
        const { endpoint, accessKeyId } = store;
        const keys = { accessKeyId, secretAccessKey };
        const main = { name: 'main', endpoint, region: 'us-east-1', pathStyle: true, ...keys };
        return openObjectStorage(new Map([['main', main]]), { maxAttempts: 1 });
      };

      it('are objects of any size with the bytes of the file, and latest names the run', async () => {
        const ours = openOurs();
        const folder = openReportPrefix(place, 'nightly', 'run-1', ours);
        const line = `${'行'.repeat(340)}\n`;
        const lines = 17_000;
        await ours.tryWriting({ ...place, key: `${place.prefix}nightly/latest` });
        await folder.write('items.csv', async (large) => {
          await folder.write('bill.csv', (small) => small.write('small'));
          for (let written = 0; written < lines; written += 1) await large.write(line);
        });
        await folder.markLatest();
        expect(folder.path).toBe('s3://main/media/audit/报告 +%/nightly/run-1');
        const items = await get('audit/报告 +%/nightly/run-1/items.csv');
        expect(items.text === line.repeat(lines)).toBe(true);
        expect(items.ContentType).toBe('text/csv; charset=utf-8');
        expect((await get('audit/报告 +%/nightly/run-1/bill.csv')).text).toBe('small');
        expect((await get('audit/报告 +%/nightly/latest')).text).toBe('run-1\n');
        ours.close();
      });

      it('keep the old object where the new one fails, in its first part or later', async () => {
        const ours = openOurs();
        const folder = openReportPrefix(place, 'nightly', 'run-2', ours);
        await folder.write('items.csv', (sink) => sink.write('old'));
        for (const bytes of [1000, 9 * 1024 * 1024]) {
          const failing = folder.write('items.csv', async (sink) => {
            await sink.write('x'.repeat(bytes));
            throw new Error('the ledger was closed');
          });
          await expect(failing).rejects.toThrow('the ledger was closed');
          expect((await get('audit/报告 +%/nightly/run-2/items.csv')).text).toBe('old');
        }
        ours.close();
      });

      it('have their artifacts beside them, each once', async () => {
        const ours = openOurs();
        const artifacts = openArtifactPrefix(place, 'nightly', ours);
        const saved = await artifacts.save(Buffer.from('picture'), '.PNG', 'image/png');
        expect(await artifacts.save(Buffer.from('picture'), 'png', 'image/png')).toEqual(saved);
        const { text, ContentType } = await get(`audit/报告 +%/nightly/${saved.path}`);
        expect([text, ContentType, saved.bytes]).toEqual(['picture', 'image/png', 7]);
        ours.close();
      });

      it('are refused in words where nothing may be written', async () => {
        const ours = openOurs();
        const elsewhere = { storage: 'main', bucket: 'never-made', key: 'latest' };
        await expect(ours.tryWriting(elsewhere)).rejects.toThrow(
          /^storage "main" \(.*\): writing "latest" in bucket "never-made": there is no such bucket: /,
        );
        const stranger = openOurs('another-secret');
        await expect(stranger.tryWriting({ ...elsewhere, bucket: 'media' })).rejects.toThrow(
          /: writing "latest" in bucket "media": the credentials were refused: /,
        );
        ours.close();
        stranger.close();
      });
    });
  });
}
