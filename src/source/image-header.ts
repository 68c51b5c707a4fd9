/** Picture size and format of an image, from its first bytes. */
import type { MediaFacts } from '../domain/item.ts';
import { type HeaderReader, MediaTrouble } from './header-reader.ts';

/** Width and height in pixels, as they are stored. */
type PictureSize = readonly [number, number];

interface Format {
  readonly name: string;
  readonly matches: (text: string) => boolean;
  readonly read: (reader: HeaderReader) => Promise<PictureSize | undefined>;
}

const begins =
  (...starts: readonly string[]) =>
  (text: string): boolean =>
    starts.some((start) => text.startsWith(start));

/** By their first bytes, read as Latin-1; each is read as far as its size stands, and no farther. */
const formats: readonly Format[] = [
  { name: 'jpg', matches: begins('\xff\xd8\xff'), read: readJpeg },
  { name: 'png', matches: begins('\x89PNG\r\n\x1a\n'), read: readPng },
  { name: 'gif', matches: begins('GIF87a', 'GIF89a'), read: readGif },
  {
    name: 'webp',
    matches: (text) => text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP',
    read: readWebp,
  },
  { name: 'bmp', matches: begins('BM'), read: readBitmap },
  { name: 'tiff', matches: begins('II*\0', 'MM\0*'), read: readTiff },
];

/** Formats of boxes and codestreams, which the library reads: HEIC, HEIF, AVIF, JPEG XL and JPEG 2000. */
const isBoxed = (text: string): boolean =>
  ['ftyp', 'JXL ', 'jP  '].includes(text.slice(4, 8)) || begins('\xff\x0a', '\xff\x4f\xff\x51')(text);

/** How much of those is read until the size is found; a preview or a colour table may stand before it. */
const steps = [16 * 1024, 64 * 1024, 512 * 1024];

const unknown = 'the file is no image of a format that is known here';

/** A JPEG has a few dozen segments before its first frame. */
const mostSegments = 300;

/**
 * Reads the header of an image: JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC, HEIF, AVIF, JPEG XL or JPEG 2000.
 *
 * @throws MediaTrouble where no format is recognised, or what the storage threw
 */
export async function readImageHeader(reader: HeaderReader): Promise<MediaFacts> {
  await reader.size();
  const text = Buffer.from(await reader.read(0, 16)).toString('latin1');
  const format = formats.find(({ matches }) => matches(text));
  if (format === undefined && isBoxed(text)) return await readBoxed(reader);
  if (format === undefined) throw new MediaTrouble(unknown);
  const [width = 0, height = 0] = (await format.read(reader)) ?? [];
  if (width > 0 && height > 0) return { width, height, format: format.name };
  throw new MediaTrouble(`the ${format.name} file names no picture size: it was cut off, or is broken`);
}

async function readBoxed(reader: HeaderReader): Promise<MediaFacts> {
  const { imageSize } = await import('image-size');
  const size = await reader.size();
  let trouble = '';
  for (const step of steps) {
    const bytes = await reader.read(0, Math.min(step, size));
    try {
      const { width, height, type } = imageSize(bytes);
      if (width > 0 && height > 0) return { width, height, format: type };
      trouble = 'the header names no picture size';
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      trouble = words.startsWith('unsupported') ? unknown : words;
    }
    if (step >= size) break;
  }
  throw new MediaTrouble(trouble);
}

/**
 * Segments lead from one to the next, up to the frame header that names the size. ITU-T T.81 (1992), B.1: the frame
 * headers are SOF0 to SOF15, without DHT, JPG and DAC between them.
 */
async function readJpeg(reader: HeaderReader): Promise<PictureSize | undefined> {
  let at = 2;
  for (let count = 0; count < mostSegments; count += 1) {
    const view = await readView(reader, at, 9);
    if (view.byteLength < 9 || view.getUint8(0) !== 0xff) return undefined;
    const marker = view.getUint8(1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(7), view.getUint16(5)];
    // Any number of bytes may fill up the space before a marker, and some markers stand alone.
    const isFill = marker === 0xff;
    const isBare = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += isFill ? 1 : isBare ? 2 : 2 + view.getUint16(2);
  }
  return undefined;
}

/** `IHDR` is the first chunk, but behind `CgBI` in files made for Apple's phones. */
async function readPng(reader: HeaderReader): Promise<PictureSize | undefined> {
  const view = await readView(reader, 8, 32);
  for (const at of [0, 16]) {
    const isHeader = at + 16 <= view.byteLength && view.getUint32(at + 4) === 0x49484452;
    if (isHeader) return [view.getUint32(at + 8), view.getUint32(at + 12)];
  }
  return undefined;
}

async function readGif(reader: HeaderReader): Promise<PictureSize | undefined> {
  const view = await readView(reader, 6, 4);
  return view.byteLength < 4 ? undefined : [view.getUint16(0, true), view.getUint16(2, true)];
}

/** Google, "WebP Container Specification", read 2026-11-20: an extended, a lossless or a plain first chunk. */
async function readWebp(reader: HeaderReader): Promise<PictureSize | undefined> {
  const view = await readView(reader, 12, 18);
  if (view.byteLength < 18) return undefined;
  const small = (at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
  switch (view.getUint32(0)) {
    case 0x56503858:
      return [small(12), small(15)];
    case 0x5650384c: {
      const bits = view.getUint32(9, true);
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    }
    case 0x56503820:
      return [view.getUint16(14, true) & 0x3fff, view.getUint16(16, true) & 0x3fff];
    default:
      return undefined;
  }
}

/** A negative height says that the rows come from the top. The oldest header has 12 bytes. */
async function readBitmap(reader: HeaderReader): Promise<PictureSize | undefined> {
  const view = await readView(reader, 14, 12);
  if (view.byteLength < 12) return undefined;
  const headerBytes = view.getUint32(0, true);
  if (headerBytes === 12) return [view.getUint16(4, true), view.getUint16(6, true)];
  return headerBytes < 16 ? undefined : [view.getInt32(4, true), Math.abs(view.getInt32(8, true))];
}

/** The first directory may lie anywhere, often at the end. Adobe, "TIFF 6.0" (1992): tags 256 and 257. */
async function readTiff(reader: HeaderReader): Promise<PictureSize | undefined> {
  const head = await readView(reader, 0, 8);
  if (head.byteLength < 8) return undefined;
  const isLittle = head.getUint8(0) === 0x49;
  const at = head.getUint32(4, isLittle);
  const counted = await readView(reader, at, 2);
  if (counted.byteLength < 2) return undefined;
  const entries = await readView(reader, at + 2, 12 * Math.min(1000, counted.getUint16(0, isLittle)));
  const found = new Map<number, number>();
  for (let entry = 0; entry + 12 <= entries.byteLength; entry += 12) {
    const isShort = entries.getUint16(entry + 2, isLittle) === 3;
    const value = isShort ? entries.getUint16(entry + 8, isLittle) : entries.getUint32(entry + 8, isLittle);
    found.set(entries.getUint16(entry, isLittle), value);
  }
  return [found.get(256) ?? 0, found.get(257) ?? 0];
}

async function readView(reader: HeaderReader, at: number, length: number): Promise<DataView> {
  const bytes = await reader.read(at, at + length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
