/** Uploads whose answers get lost, and what stays behind of those that fail. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Handler } from '../../src/domain/exchange.ts';
import type { ObjectStorage, ObjectWriter } from '../../src/domain/storage.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore, type Store } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { type RunningServer, serve } from '../../src/wire/server.ts';

const address = { storage: 'main', bucket: 'reports', key: 'nightly/items.csv' };
/** One part and a little more. */
const bytes = Buffer.alloc(8 * 1024 * 1024 + 7, 'x');

let store: Store;
let server: RunningServer;
let storage: ObjectStorage & ObjectWriter;
let meddle: (query: string, answer: () => ReturnType<Handler>) => ReturnType<Handler>;

beforeEach(async () => {
  const shelf = await openShelf(makeMemoryVault());
  await shelf.addBucket('reports', 0);
  store = makeStore({ clock: systemClock, shelf, credentials: { AKIAEXAMPLE: 'secret' } });
  meddle = (_, answer) => answer();
  const handler: Handler = (request) =>
    meddle(`${request.method} ${request.query}`, () => store.handler(request));
  server = await serve(handler, { maxBodyBytes: 32 * 1024 * 1024, timeoutMs: 5000 });
  const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
  const main = { name: 'main', endpoint: server.url, region: 'us-east-1', pathStyle: true, ...keys };
  storage = openObjectStorage(new Map([['main', main]]), { maxAttempts: 2 });
});

afterEach(async () => {
  storage.close();
  await server.close();
});

const lost = { status: 500, headers: {}, body: '' };

async function write(): Promise<void> {
  const upload = storage.upload(address, 'text/csv');
  try {
    await upload.write(bytes);
    await upload.finish();
  } catch (error) {
    await upload.abandon();
    throw error;
  }
}

it('an upload whose completion was carried out and not heard of is complete', async () => {
  let isLost = false;
  meddle = async (query, answer) => {
    const given = await answer();
    if (isLost || !query.startsWith('POST uploadId')) return given;
    isLost = true;
    return lost;
  };
  await write();
  expect(isLost).toBe(true);
  expect(store.shelf.find('reports', address.key)?.sizeBytes).toBe(bytes.length);
  expect(store.counts()).toMatchObject({ CompleteMultipartUpload: 2, HeadObject: 1 });
});

it('an upload that cannot be completed is no success, though an older object of that size lies there', async () => {
  await storage.put(address, Buffer.alloc(bytes.length, 'o'), 'text/csv');
  meddle = async (query, answer) => (query.startsWith('POST uploadId') ? lost : await answer());
  await expect(write()).rejects.toThrow(
    /: writing "nightly\/items.csv" in bucket "reports": the server was lost: .*\. Run again to go on\.$/,
  );
  expect(store.shelf.find('reports', address.key)?.etag).not.toContain('-');
  expect(store.openUploads()).toBe(0);
});

it('a part that is refused ends the upload, and nothing of it stays', async () => {
  meddle = async (query, answer) => (query.includes('partNumber=2') ? lost : await answer());
  await expect(write()).rejects.toThrow('the server was lost');
  expect([store.openUploads(), store.shelf.listObjects('reports')]).toEqual([0, []]);
});

it('whoever tries whether it may write leaves nothing', async () => {
  await storage.tryWriting(address);
  expect([store.openUploads(), store.shelf.listObjects('reports')]).toEqual([0, []]);
});
