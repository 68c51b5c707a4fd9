/** Our S3 client against the embedded store, over a real socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourcePage } from '../../src/domain/item.ts';
import { Stop } from '../../src/domain/problem.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { openSource } from '../../src/source/open-source.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { type RunningServer, serve } from '../../src/wire/server.ts';

const keys = [
  'a',
  'a b',
  'a%20b',
  'a&b=c',
  'a+b',
  'a//b',
  'a/b',
  'a?b#c',
  'line\nbreak',
  'quote"\'<>',
  'tab\tkey',
  'ä',
  '视频/猫.mp4',
  '\uffff',
  '😀/🎬.mp4',
].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));

let server: RunningServer;
let storage: ObjectStorage;
let stranger: ObjectStorage;

beforeAll(async () => {
  const shelf = await openShelf(makeMemoryVault());
  await shelf.addBucket('media', 0);
  for (const key of keys) {
    const facts = { contentType: 'text/plain', lastModifiedMs: Date.parse('2026-11-01T00:00:00Z') };
    await shelf.put('media', key, Buffer.from(`bytes of ${key}`), facts);
  }
  const store = makeStore({ clock: systemClock, shelf, credentials: { AKIAEXAMPLE: 'secret' }, pageCap: 4 });
  server = await serve(store.handler, { maxBodyBytes: 1_000_000, timeoutMs: 5000 });
  storage = openStorage('secret', true);
  stranger = openStorage('wrong', true);
});

afterAll(async () => {
  storage.close();
  stranger.close();
  await server.close();
});

function openStorage(secretAccessKey: string, pathStyle: boolean): ObjectStorage {
  const endpoint = pathStyle ? server.url : server.url.replace('127.0.0.1', 'localhost');
  const main = {
    name: 'main',
    endpoint,
    region: 'us-east-1',
    pathStyle,
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey,
  };
  return openObjectStorage(new Map([['main', main]]), { maxAttempts: 1 });
}

function open(bucket: string, checkpoint?: string, through = storage): AsyncIterable<SourcePage> {
  const source = { form: 'bucket', storage: 'main', bucket, prefixes: [''] } as const;
  const select = { include: [], exclude: [], kinds: [] };
  return openSource({ source, select }, { storage: through, nowMs: 0 }, checkpoint);
}

async function stopOf(work: Promise<unknown>): Promise<Stop> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Stop) return error;
  throw new Error('expected a Stop', { cause: error });
}

describe('a bucket of the embedded store', () => {
  it('is listed whole and in order, over pages, for keys in any script', async () => {
    const pages: SourcePage[] = [];
    for await (const page of open('media')) pages.push(page);
    expect(pages.flatMap((page) => page.items.map((item) => item.key))).toEqual(keys);
    expect(pages.length).toBe(Math.ceil(keys.length / 4));
    expect(pages[0]?.items[0]).toMatchObject({ sizeBytes: 10, lastModified: '2026-11-01T00:00:00.000Z' });
    expect(pages[0]?.items[0]?.etag).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is listed on after any key', async () => {
    for (const [index, key] of keys.entries()) {
      const rest: (string | undefined)[] = [];
      for await (const page of open('media', JSON.stringify([0, key])))
        rest.push(...page.items.map((item) => item.key));
      expect(rest).toEqual(keys.slice(index + 1));
    }
  });

  it.each(keys)('gives %j by head, by ranged read and by a link that anyone may fetch', async (key) => {
    const address = { storage: 'main', bucket: 'media', key };
    const whole = `bytes of ${key}`;
    expect(await storage.head(address)).toMatchObject({
      sizeBytes: Buffer.byteLength(whole),
      contentType: 'text/plain',
    });
    expect(Buffer.from(await storage.read(address, 6, 10_000)).toString()).toBe(whole.slice(6));
    const { url } = await storage.sign(address, 60);
    const reply = await fetch(url);
    expect([reply.status, await reply.text()]).toEqual([200, whole]);
  });

  it('refuses a link whose key was changed', async () => {
    const { url } = await storage.sign({ storage: 'main', bucket: 'media', key: 'a+b' }, 60);
    expect((await fetch(url.replace('a%2Bb', 'a'))).status).toBe(403);
  });

  it('answers under its own host name too', async () => {
    const byHost = openStorage('secret', false);
    const { url } = await byHost.sign({ storage: 'main', bucket: 'media', key: 'a' }, 60);
    expect(new URL(url).hostname).toBe('media.localhost');
    byHost.close();
  });

  it('says that an object is not there, and what else is wrong', async () => {
    expect(await storage.head({ storage: 'main', bucket: 'media', key: 'absent' })).toBeUndefined();
    const absent = await stopOf(storage.read({ storage: 'main', bucket: 'media', key: 'absent' }, 0, 1));
    expect(absent.message).toContain(
      'reading "absent" in bucket "media": there is no such object: "NoSuchKey: ',
    );
    const bucket = await stopOf(open('elsewhere')[Symbol.asyncIterator]().next());
    expect(bucket.message).toContain('listing bucket "elsewhere": there is no such bucket: "NoSuchBucket: ');
    const secret = await stopOf(open('media', undefined, stranger)[Symbol.asyncIterator]().next());
    expect(secret.message).toContain('the credentials were refused: "SignatureDoesNotMatch: ');
    expect([absent, bucket, secret].map((stop) => stop.exitCode)).toEqual([2, 2, 2]);
  });
});
