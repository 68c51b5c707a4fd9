import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probeBudget } from '../../src/source/header-reader.ts';
import { makeAvif, makeBitmap, makeJpeg, makeOldBitmap, makePng, makeTiff, makeWebp } from './image-bytes.ts';
import { loadFixture, probeFile, truths } from './probe-desk.ts';

describe('the size of a picture', () => {
  it.each(['jpg', 'png', 'gif', 'bmp', 'tiff', 'webp'])('is read as ffprobe reads it: %s', async (format) => {
    const name = `picture.${format}`;
    const [width, height] = (truths[name]?.size ?? '').split(',').map(Number);
    const { facts, reads } = await probeFile(loadFixture(name), 'image');
    expect(facts).toEqual({ width, height, format });
    expect(reads).toBe(1);
  });

  it.each<[string, string, Buffer]>([
    ['a progressive JPEG', 'jpg', makeJpeg(640, 480, 0, 0xc2)],
    ['a lossless JPEG', 'jpg', makeJpeg(640, 480, 0, 0xc3)],
    ['a JPEG with bytes that fill up', 'jpg', withFill(makeJpeg(640, 480, 100))],
    ['an upside-down bitmap', 'bmp', makeBitmap(640, -480)],
    ['a bitmap of OS/2', 'bmp', makeOldBitmap(640, 480)],
    ['a plain WebP', 'webp', makeWebp('VP8 ', 640, 480)],
    ['a lossless WebP', 'webp', makeWebp('VP8L', 640, 480)],
    ['an extended WebP', 'webp', makeWebp('VP8X', 640, 480)],
    ['a little-endian TIFF', 'tiff', makeTiff(640, 480, 0, true)],
    ['a big-endian TIFF', 'tiff', makeTiff(640, 480, 40, false)],
    ['an AVIF', 'avif', makeAvif(640, 480)],
    ['a PNG for telephones', 'png', withCgbi(makePng(640, 480))],
  ])('is read from %s', async (_, format, bytes) => {
    const padded = Buffer.concat([bytes, Buffer.alloc(2000)]);
    expect((await probeFile(padded, 'image')).facts).toEqual({ width: 640, height: 480, format });
  });

  it('costs one read of 16 KB at most', async () => {
    const png = Buffer.concat([makePng(640, 480), Buffer.alloc(100_000)]);
    expect(await probeFile(png, 'image')).toEqual({
      facts: { width: 640, height: 480, format: 'png' },
      reads: 1,
      bytes: 16 * 1024,
    });
  });

  it.each([
    [20_000, 2],
    [120_000, 3],
    // A window that ends exactly where a segment does: nothing within the segment is taken for a header.
    [16 * 1024 - 6, 2],
  ])('that stands after %d bytes is read further, and no more of what is before it', async (before, reads) => {
    const jpeg = Buffer.concat([makeJpeg(4000, 3000, before), Buffer.alloc(2_000_000)]);
    const probed = await probeFile(jpeg, 'image');
    expect(probed.facts).toEqual({ width: 4000, height: 3000, format: 'jpg' });
    expect(probed.reads).toBeLessThanOrEqual(reads);
    expect(probed.bytes).toBeLessThanOrEqual(reads * 32 * 1024);
  });

  it('at the end of a large file costs two reads', async () => {
    const probed = await probeFile(makeTiff(9000, 7000, 30_000_000, true), 'image');
    expect(probed).toMatchObject({ facts: { width: 9000, height: 7000, format: 'tiff' }, reads: 2 });
  });
});

describe('a file that is no picture', () => {
  it.each<[string, Buffer]>([
    ['the file is no image of a format that is known here', Buffer.alloc(5_000_000, 'no picture ')],
    ['the file is no image of a format that is known here', Buffer.alloc(5_000_000)],
    ['the jpg file names no picture size: it was cut off, or is broken', makeJpeg(1, 1, 0).subarray(0, 9)],
    ['the png file names no picture size: it was cut off, or is broken', makePng(0, 5)],
    ['the webp file names no picture size: it was cut off, or is broken', makeWebp('VP8 ', 0, 0)],
    ['the tiff file names no picture size: it was cut off, or is broken', makeTiff(0, 4, 0, true)],
  ])('says so within one read: %s', async (trouble, bytes) => {
    const probed = await probeFile(bytes, 'image');
    expect(probed.facts).toEqual({ trouble });
    expect(probed.reads).toBe(1);
  });

  it('never throws or passes the budget, whatever became of its bytes', async () => {
    const files = [
      ...['jpg', 'png', 'gif', 'bmp', 'tiff', 'webp'].map((format) => loadFixture(`picture.${format}`)),
      makeAvif(9, 9),
      makeTiff(9, 9, 50, false),
      Buffer.from('0000000c4a584c200d0a870a', 'hex'),
      Buffer.from('0000000c6a5020200d0a870a', 'hex'),
      Buffer.from('ff4fff51002f', 'hex'),
      Buffer.from('ff0a', 'hex'),
    ];
    const change = fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(change, { maxLength: 12 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat({ max: 3_000_000 }),
        async (file, changes, tail, zeros) => {
          const bytes = Buffer.concat([file, tail, Buffer.alloc(zeros)]);
          for (const [place, value] of changes) bytes[4 + (place % (bytes.length - 4))] = value;
          const { facts, ...cost } = await probeFile(bytes, 'image');
          expect(cost.reads).toBeLessThanOrEqual(probeBudget.reads);
          expect(cost.bytes).toBeLessThanOrEqual(probeBudget.bytes);
          const { width = 1, height = 1 } = facts;
          expect(width > 0 && width <= 1e6 && height > 0 && height <= 1e6).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is refused in no time where its segments lead in tiny steps', async () => {
    const steps = Buffer.alloc(900_000, Buffer.from('ffe00002', 'hex'));
    const probed = await probeFile(Buffer.concat([Buffer.from('ffd8', 'hex'), steps]), 'image');
    expect(probed.facts.trouble).toContain('names no picture size');
    expect(probed.reads).toBe(1);
  });
});

/** Markers may be preceded by any number of ff. */
function withFill(jpeg: Buffer): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from('ffffff', 'hex'), jpeg.subarray(2)]);
}

/** `CgBI` before `IHDR`. */
function withCgbi(png: Buffer): Buffer {
  const chunk = Buffer.from('000000044367424950002002a1b2c3d4', 'hex');
  return Buffer.concat([png.subarray(0, 8), chunk, png.subarray(8)]);
}
