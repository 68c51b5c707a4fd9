/** Links to media, and media in the place of links. */
import { describe, expect, test } from 'vitest';
import { explainNoLink, makeLinker } from '../../src/dispatch/link.ts';
import type { Item } from '../../src/domain/item.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { mostInlineBytes } from '../../src/domain/settings.ts';

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]);
const inline = { mode: 'inline' } as const;
const clock = { now: () => 1_451_487_600_999 };

function makeItem(changes: Partial<Item> = {}): Item {
  const object = { storage: 'main', bucket: 'media', key: 'a.png' };
  return { id: 'a', position: Buffer.from('a'), kind: 'image', key: 'a.png', object, ...changes };
}

function link(bytes: Uint8Array, sizeBytes: number | undefined = bytes.length) {
  const reads: [number, number][] = [];
  const storage = {
    sign: async () => ({ url: 'https://store.example/a.png?X-Amz-Signature=1' }),
    head: async () => ({ sizeBytes }),
    read: async (_: unknown, start: number, end: number) => {
      reads.push([start, end]);
      return bytes;
    },
  };
  return { reads, make: makeLinker(inline, storage, clock) };
}

describe('access inline', () => {
  test('puts the whole image into the link, typed by its first bytes', async () => {
    const { make, reads } = link(png);
    expect(await make(makeItem())).toEqual({ url: `data:image/png;base64,${png.toString('base64')}` });
    expect(reads).toEqual([[0, png.length]]);
  });

  test('uses the link of a row that has one, as it is', async () => {
    expect(await link(png).make(makeItem({ url: 'https://x.example/a.png' }))).toEqual({
      url: 'https://x.example/a.png',
    });
  });

  test.each([
    [
      'that is too large is not read',
      mostInlineBytes + 1,
      /access inline takes images of at most 10,000,000 bytes, and this one has 10,000,001/,
    ],
    ['that is empty', 0, /the object is empty/],
  ])('tells of an object %s', async (_, sizeBytes, message) => {
    const { make, reads } = link(png, sizeBytes);
    expect(await make(makeItem())).toEqual({ trouble: expect.stringMatching(message) });
    expect(reads).toEqual([]);
  });

  test('tells of what is wrong with one object, and throws where the storage is lost', async () => {
    const linkFailing = (error: Stop) => {
      const fail = async () => await Promise.reject(error);
      return makeLinker(inline, { sign: fail, head: fail, read: fail }, clock)(makeItem());
    };
    const refused = new Stop(exitCodes.wrongUse, 'storage "main": access was refused');
    const lost = new Stop(exitCodes.halted, 'storage "main": the server was lost');
    expect(await linkFailing(refused)).toEqual({ trouble: 'storage "main": access was refused' });
    await expect(linkFailing(lost)).rejects.toBe(lost);
  });
});

test('an item is known beforehand to have no link where its place or its size says so', () => {
  expect(explainNoLink(makeItem(), inline)).toBeUndefined();
  expect(explainNoLink(makeItem({ sizeBytes: mostInlineBytes }), inline)).toBeUndefined();
  expect(explainNoLink(makeItem({ sizeBytes: mostInlineBytes + 1 }), inline)).toMatch(/^too-large-inline: /);
  expect(explainNoLink(makeItem({ object: undefined }), inline)).toMatch(/^no-link: /);
  expect(explainNoLink(makeItem({ object: undefined, kind: 'post' }), inline)).toBeUndefined();
  const large = makeItem({ sizeBytes: mostInlineBytes + 1 });
  expect(explainNoLink(large, { mode: 'presigned', expiresInSeconds: 60 })).toBeUndefined();
});
