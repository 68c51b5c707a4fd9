/** Films of 100 MB behind a real socket: what a probe asks of a store, and of a server of links. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../../src/domain/item.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { makeProber } from '../../src/source/probe.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { makeUrlReader, type OpenUrlReader } from '../../src/wire/url-reader.ts';
import { makeFilm } from '../support/sparse-film.ts';
import { filmKeys, type SparseStore, startSparseStore } from '../support/sparse-store.ts';

const film = { sizeBytes: 100_000_000, seconds: 400, framesPerSecond: 25, keyFrameGap: 250 };
const facts = { format: 'mp4', durationSeconds: 400, width: 1280, height: 720, keyFrames: 40 };

let films: SparseStore;
let storage: ObjectStorage;
let urlReader: OpenUrlReader;

beforeAll(async () => {
  films = await startSparseStore({
    'first.mp4': makeFilm({ ...film, isIndexFirst: true }),
    'last.mp4': makeFilm({ ...film, isIndexFirst: false }),
  });
  const place = { endpoint: films.server.url, region: 'us-east-1', pathStyle: true };
  storage = openObjectStorage(new Map([['main', { name: 'main', ...place, ...filmKeys }]]));
  urlReader = makeUrlReader({ allowPrivateAddresses: true, maxBytes: 1024 * 1024, timeoutMs: 5000 });
});

afterAll(async () => {
  storage.close();
  await urlReader.close();
  await films.server.close();
});

async function probe(item: Partial<Item>): Promise<{ requests: number; bytes: number; facts: unknown }> {
  const [requests, bytes] = [films.store.counts()['GetObject'] ?? 0, films.bytesRead()];
  const read = await makeProber({ storage, urlReader })({
    id: 'i',
    position: new Uint8Array(),
    kind: 'video',
    ...item,
  });
  return {
    facts: read,
    requests: (films.store.counts()['GetObject'] ?? 0) - requests,
    bytes: films.bytesRead() - bytes,
  };
}

describe.each([
  ['first.mp4', 1, 64 * 1024],
  ['last.mp4', 2, 128 * 1024],
])('%s', (key, requests, bytes) => {
  const object = { storage: 'main', bucket: 'films', key };

  it('costs as many requests and bytes over S3 as are told, and no more', async () => {
    expect(await probe({ object, sizeBytes: film.sizeBytes })).toEqual({ facts, requests, bytes });
  });

  it('costs the same over HTTP, where nobody told how long it is', async () => {
    const { url } = await storage.sign(object, 60);
    const sized = { ...facts, sizeBytes: film.sizeBytes };
    expect(await probe({ url })).toEqual({ facts: sized, requests, bytes });
  });
});

it('a link to an address of this machine is refused before a byte leaves', async () => {
  const { url } = await storage.sign({ storage: 'main', bucket: 'films', key: 'first.mp4' }, 60);
  const guarded = makeUrlReader({ allowPrivateAddresses: false, maxBytes: 1024 * 1024, timeoutMs: 5000 });
  const before = films.store.counts()['GetObject'];
  const item: Item = { id: 'i', position: new Uint8Array(), kind: 'video', url };
  const read = await makeProber({ storage, urlReader: guarded })(item);
  await guarded.close();
  expect(read.trouble).toMatch(/not a public address/);
  expect(films.store.counts()['GetObject']).toBe(before);
});
