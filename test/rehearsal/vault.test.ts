/** What lies on the shelf, in memory and over a folder that is opened again. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openShelf, type Shelf } from '../../src/rehearsal/shelf.ts';
import { makeFolderVault, makeMemoryVault } from '../../src/rehearsal/vault.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-vault-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const openFolder = (): Promise<Shelf> => openShelf(makeFolderVault(join(folder, 'store')));

async function readText(shelf: Shelf, key: string, start = 0, end = 1000): Promise<string> {
  const object = shelf.find('media', key);
  if (object === undefined) return 'absent';
  return Buffer.from(await shelf.read('media', object, start, end)).toString();
}

const kinds = [
  { name: 'memory', open: () => openShelf(makeMemoryVault()) },
  { name: 'a folder', open: openFolder },
];

describe.each(kinds)('over $name', ({ open }) => {
  it('an object is read whole or in part, replaced, and removed', async () => {
    const shelf = await open();
    await shelf.addBucket('media', 5);
    const bytes = Buffer.from('0123456789');
    await shelf.put('media', '好/../a', bytes, { lastModifiedMs: 1999, contentType: 'image/png' });
    bytes.fill('x');
    expect(await readText(shelf, '好/../a')).toBe('0123456789');
    expect(await readText(shelf, '好/../a', 3, 5)).toBe('34');
    expect(shelf.find('media', '好/../a')).toMatchObject({
      sizeBytes: 10,
      etag: '781e5e245d69b566979b86e28d23f2c7',
      lastModifiedMs: 1000,
      contentType: 'image/png',
    });
    await shelf.put('media', '好/../a', Buffer.from('new'), { lastModifiedMs: 3000 });
    expect(await readText(shelf, '好/../a')).toBe('new');
    await shelf.remove('media', '好/../a');
    await shelf.remove('media', '好/../a');
    expect(await readText(shelf, '好/../a')).toBe('absent');
    expect(shelf.listObjects('media')).toEqual([]);
  });

  it('writes to one key at once end as the last of them, and leave nothing of the others', async () => {
    const shelf = await open();
    await shelf.addBucket('media', 0);
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((text) => shelf.put('media', 'k', Buffer.from(text), { lastModifiedMs: 0 })));
    expect(await readText(shelf, 'k')).toBe('text 19');
    expect(shelf.listObjects('media')).toHaveLength(1);
  });

  it('a put that is not allowed changes nothing', async () => {
    const shelf = await open();
    await shelf.addBucket('media', 0);
    await shelf.put('media', 'k', Buffer.from('old'), { lastModifiedMs: 0 });
    expect(
      await shelf.put('media', 'k', Buffer.from('new'), { lastModifiedMs: 0 }, () => false),
    ).toBeUndefined();
    expect(await readText(shelf, 'k')).toBe('old');
  });

  it('a put into a bucket that is not there says what to do, and the next change goes through', async () => {
    const shelf = await open();
    const put = (): Promise<unknown> => shelf.put('media', 'k', Buffer.from('x'), { lastModifiedMs: 0 });
    await expect(put()).rejects.toThrow('bucket "media": not there. Add it first.');
    await shelf.addBucket('media', 0);
    await put();
    expect(await readText(shelf, 'k')).toBe('x');
  });
});

it('a folder that is opened again holds the same buckets, objects and bytes', async () => {
  const first = await openFolder();
  await first.addBucket('media', 7000);
  await first.addBucket('empty', 8000);
  const longKey = '好'.repeat(341);
  const metadata = { 'x-amz-meta-a': 'b' };
  await first.put('media', longKey, Buffer.from('long'), { lastModifiedMs: 1000, metadata });
  await first.put('media', 'A', Buffer.from('upper'), { lastModifiedMs: 1000 });
  await first.put('media', 'a', Buffer.from('lower'), { lastModifiedMs: 1000 });
  await first.put('media', 'a', Buffer.from('lower again'), { lastModifiedMs: 2000 });
  await first.put('media', 'gone', Buffer.from('x'), { lastModifiedMs: 1000 });
  await first.remove('media', 'gone');

  const second = await openFolder();
  expect(second.listBuckets()).toMatchObject([
    { name: 'empty', createdMs: 8000 },
    { name: 'media', createdMs: 7000 },
  ]);
  expect(second.listObjects('media')).toEqual(first.listObjects('media'));
  expect(second.listObjects('media').map((object) => object.key)).toEqual(['A', 'a', longKey]);
  expect(await readText(second, 'a')).toBe('lower again');
  expect(await readText(second, longKey)).toBe('long');
  // Three records, three files of bytes, and the bucket's own: nothing of what was replaced or removed.
  expect(await readdir(join(folder, 'store', 'media'))).toHaveLength(7);
});
