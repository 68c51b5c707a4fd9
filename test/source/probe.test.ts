import { describe, expect, it } from 'vitest';
import type { UrlReader } from '../../src/domain/exchange.ts';
import type { Item, Kind, MediaFacts } from '../../src/domain/item.ts';
import { exitCodes, Stop, wrongUse } from '../../src/domain/problem.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { makeProber } from '../../src/source/probe.ts';
import { makePng } from './image-bytes.ts';
import { openMemoryStorage } from './memory-storage.ts';
import { probeFile } from './probe-desk.ts';

const noUrls: UrlReader = { read: async () => ({ ok: false, message: 'not asked for' }) };

function makeItem(kind: Kind, facts: Partial<Item> = {}): Item {
  return { id: 'i', position: new Uint8Array(), kind, ...facts };
}

const stored = { object: { storage: 'main', bucket: 'media', key: 'file' } };

async function probeUrl(read: UrlReader['read'], kind: Kind = 'image'): Promise<MediaFacts> {
  const item = makeItem(kind, { url: 'https://h.example/a?X-Amz-Signature=s' });
  return await makeProber({ storage: openMemoryStorage([]), urlReader: { read } })(item);
}

function serveBytes(bytes: Uint8Array, facts: { readonly totalBytes?: number } = {}): UrlReader['read'] {
  return async (_, start, end) => ({ ok: true, bytes: bytes.subarray(start, end), ...facts });
}

describe('trouble', () => {
  const png = makePng(2, 1);

  it('is told of an empty file', async () => {
    expect((await probeFile(new Uint8Array(), 'video')).facts).toEqual({ trouble: 'the file is empty' });
  });

  it('is told of an object that is not there', async () => {
    const prober = makeProber({ storage: openMemoryStorage([]), urlReader: noUrls });
    expect(await prober(makeItem('image', stored))).toEqual({ trouble: 'the object does not exist' });
  });

  it('is told of an item without address, and of a post', async () => {
    const prober = makeProber({ storage: openMemoryStorage([]), urlReader: noUrls });
    expect(await prober(makeItem('image'))).toEqual({
      trouble: 'the item has neither an object nor a URL to read',
    });
    expect(await prober(makeItem('post', stored))).toEqual({
      trouble: 'only images and videos have a header to read',
    });
  });

  it('is told of a URL that answers otherwise, without the query of any link', async () => {
    const message = 'not found at https://h.example/a?X-Amz-Signature=s';
    const facts = await probeUrl(async () => ({ ok: false, status: 404, message }));
    expect(facts).toEqual({ trouble: 'not found at https://h.example/a (404)' });
  });

  it('is told of a server that hides the length of a long file', async () => {
    const facts = await probeUrl(serveBytes(Buffer.alloc(500_000)));
    expect(facts).toEqual({ trouble: 'the server does not tell how long the file is' });
  });

  it('is none where a short file came whole without its length', async () => {
    expect(await probeUrl(serveBytes(png))).toEqual({ width: 2, height: 1, format: 'png', sizeBytes: 33 });
  });

  it('is none where the server tells the length', async () => {
    expect(await probeUrl(serveBytes(png, { totalBytes: png.length }))).toEqual({
      width: 2,
      height: 1,
      format: 'png',
      sizeBytes: 33,
    });
  });

  const broken = (error: unknown): ObjectStorage => ({
    ...openMemoryStorage([]),
    read: async () => await Promise.reject(error),
  });

  it.each<Kind>(['image', 'video'])('is told of the %s that may not be read', async (kind) => {
    const prober = makeProber({ storage: broken(wrongUse('access was refused')), urlReader: noUrls });
    expect(await prober(makeItem(kind, { ...stored, sizeBytes: 9 }))).toEqual({
      trouble: 'access was refused',
    });
  });

  it.each<Kind>([
    'image',
    'video',
  ])('with the server itself is thrown, not kept as a fact of the %s', async (kind) => {
    const prober = makeProber({ storage: broken(new Stop(exitCodes.halted, 'lost')), urlReader: noUrls });
    await expect(prober(makeItem(kind, { ...stored, sizeBytes: 9 }))).rejects.toThrow('lost');
  });

  it('with the server that comes in the middle of a file is thrown too', async () => {
    const storage = openMemoryStorage([]);
    const ftyp = Buffer.concat([Buffer.from('00000010', 'hex'), Buffer.from('ftypisom'), Buffer.alloc(4)]);
    const mdat = Buffer.concat([Buffer.from('00100000', 'hex'), Buffer.from('mdat'), Buffer.alloc(70_000)]);
    const begin = Buffer.concat([ftyp, mdat]);
    const read = async (_: unknown, start: number, end: number): Promise<Uint8Array> => {
      if (start === 0) return begin.subarray(0, end);
      throw new Stop(exitCodes.halted, 'lost');
    };
    const prober = makeProber({ storage: { ...storage, read }, urlReader: noUrls });
    await expect(prober(makeItem('video', { ...stored, sizeBytes: 2_000_000 }))).rejects.toThrow('lost');
  });
});
