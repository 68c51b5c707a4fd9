/** The sample library in the embedded store, listed and probed over a real socket; the table was made with ffprobe. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item, MediaFacts } from '../../src/domain/item.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { type LibraryFile, loadLibrary } from '../../src/rehearsal/library.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { openSource } from '../../src/source/open-source.ts';
import { makeProber } from '../../src/source/probe.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { type RunningServer, serve } from '../../src/wire/server.ts';
import { makeLoopbackReader } from '../../src/wire/url-reader.ts';

const urlReader = makeLoopbackReader({ timeoutMs: 5000, maxBytes: 2_000_000 });
let files: readonly LibraryFile[];
let server: RunningServer;
let storage: ObjectStorage;
let items: readonly Item[];

beforeAll(async () => {
  files = await loadLibrary();
  const shelf = await openShelf(makeMemoryVault());
  await shelf.addBucket('media', 0);
  for (const { path, bytes, mediaType } of files) {
    await shelf.put('media', path, bytes, { contentType: mediaType, lastModifiedMs: 0 });
  }
  const store = makeStore({ clock: systemClock, shelf, credentials: { AKIAEXAMPLE: 'secret' } });
  server = await serve(store.handler, { maxBodyBytes: 1_000_000, timeoutMs: 5000 });
  const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
  const main = { name: 'main', endpoint: server.url, region: 'us-east-1', pathStyle: true, ...keys };
  storage = openObjectStorage(new Map([['main', main]]));
  const source = {
    form: 'bucket',
    storage: 'main',
    bucket: 'media',
    prefixes: ['ugc/', 'banners/', 'videos/'],
  } as const;
  const listed: Item[] = [];
  const select = { include: [], exclude: [], kinds: [] };
  for await (const page of openSource({ source, select }, { storage, nowMs: 0 })) listed.push(...page.items);
  items = listed;
});

afterAll(async () => {
  storage.close();
  await urlReader.close();
  await server.close();
});

function expectTruth(facts: MediaFacts, file: LibraryFile): void {
  const { durationSeconds = 0, sizeBytes, ...rest } = facts;
  expect(sizeBytes ?? file.bytes.length).toBe(file.bytes.length);
  const isIndexed = /\.(mp4|mov|webm|mkv)$/.test(file.path);
  const isSparse = /\.(webm|mkv)$/.test(file.path);
  expect({ path: file.path, ...rest }).toEqual({
    path: file.path,
    format: expect.stringMatching(/^(jpg|png|gif|webp|mp4|mov|webm|mkv|ts)$/) as string,
    width: file.width,
    height: file.height,
    ...(isIndexed ? { keyFrames: file.keyFramesMs?.length } : {}),
    ...(isSparse ? { hasSparseIndex: true } : {}),
  });
  expect(Math.abs(durationSeconds - (file.durationSeconds ?? 0))).toBeLessThan(0.1);
}

describe('the sample library', () => {
  it('is listed whole, each file with its kind', () => {
    const expected = files.map(({ path, mediaType }) => [path, mediaType.split('/')[0]]);
    expect(items.map(({ key, kind }) => [key, kind])).toEqual(expected);
    expect(items.length).toBeGreaterThanOrEqual(18);
  });

  it('is measured from its objects as ffprobe measured it', async () => {
    const prober = makeProber({ storage, urlReader });
    for (const [index, item] of items.entries()) expectTruth(await prober(item), files[index] as LibraryFile);
  });

  it('is measured from its links as ffprobe measured it', async () => {
    const prober = makeProber({ storage, urlReader });
    for (const [index, item] of items.entries()) {
      if (item.object === undefined) throw new Error('expected an object');
      const { url } = await storage.sign(item.object, 60);
      const row = { id: item.id, position: item.position, kind: item.kind, url };
      expectTruth(await prober(row), files[index] as LibraryFile);
    }
  });
});
