/** Films of any size that take no room: what matters of them, and nothing but zeros between. */

export interface SparseFile {
  readonly sizeBytes: number;
  readonly read: (start: number, end: number) => Buffer;
}

/** Bytes one after another; a number stands for so many zeros. */
export function makeSparse(parts: readonly (Uint8Array | number)[]): SparseFile {
  const placed: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let sizeBytes = 0;
  for (const part of parts) {
    if (typeof part !== 'number') placed.push({ at: sizeBytes, bytes: part });
    sizeBytes += typeof part === 'number' ? part : part.length;
  }
  const read = (start: number, until: number): Buffer => {
    const end = Math.min(until, sizeBytes);
    const bytes = Buffer.alloc(Math.max(0, end - start));
    for (const { at, bytes: part } of placed) {
      const [from, to] = [Math.max(start, at), Math.min(end, at + part.length)];
      if (from < to) bytes.set(part.subarray(from - at, to - at), from - start);
    }
    return bytes;
  };
  return { sizeBytes, read };
}

export interface Film {
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** A key frame every so many frames. */
  readonly keyFrameGap: number;
  readonly isIndexFirst: boolean;
}

/**
 * An MP4 file with a video and a sound track, whose index is as large as that of a real film: a table row for every frame
 * (sizes and offsets in presentation) and every 40 frames (places).
 */
export function makeFilm(film: Film): SparseFile {
  const { sizeBytes, isIndexFirst } = film;
  const brand = box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1'));
  const index = makeIndex(film);
  const data = sizeBytes - brand.length - index.length;
  const head = Buffer.alloc(16);
  head.writeUInt32BE(1, 0);
  head.write('mdat', 4, 'latin1');
  head.writeBigUInt64BE(BigInt(data), 8);
  return makeSparse(isIndexFirst ? [brand, index, head, data - 16] : [brand, head, data - 16, index]);
}

export function box(type: string, ...contents: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + contents.reduce((sum, { length }) => sum + length, 0), 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...contents]);
}

/** Numbers of four bytes, version and flags among them. */
export function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, 4 * index);
  return bytes;
}

const unity = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

function makeIndex({ seconds, framesPerSecond, keyFrameGap }: Film): Buffer {
  const frames = Math.round(seconds * framesPerSecond);
  const keys = Array.from({ length: Math.ceil(frames / keyFrameGap) }, (_, index) => 1 + index * keyFrameGap);
  const soundFrames = Math.ceil((seconds * 44_100) / 1024);
  const header = [0, 0, 0, 1000, seconds * 1000, 0x10000, 0x01000000, 0, 0, ...unity, ...Array(6).fill(0), 3];
  return box(
    'moov',
    box('mvhd', words(...header)),
    makeTrack('vide', 1, seconds, frames, [1280, 720], box('stss', words(0, keys.length, ...keys))),
    makeTrack('soun', 2, seconds, soundFrames, [0, 0]),
  );
}

function makeTrack(
  handler: 'vide' | 'soun',
  id: number,
  seconds: number,
  samples: number,
  [width, height]: readonly [number, number],
  ...more: readonly Uint8Array[]
): Buffer {
  const list = (values: number): Buffer => Buffer.alloc(4 * values, 1);
  const chunks = Math.ceil(samples / 40);
  const table = box(
    'stbl',
    box('stsd', words(0, 0)),
    box('stts', words(0, 1, samples, 1000)),
    ...more,
    ...(handler === 'vide' ? [box('ctts', words(0, samples), list(2 * samples))] : []),
    box('stsc', words(0, 1, 1, 40, 1)),
    box('stsz', words(0, 0, samples), list(samples)),
    box('stco', words(0, chunks), list(chunks)),
  );
  return box(
    'trak',
    box('tkhd', words(3, 0, 0, id, 0, seconds * 1000, 0, 0, 0, 0, ...unity, width << 16, height << 16)),
    box(
      'mdia',
      box('mdhd', words(0, 0, 0, 90_000, seconds * 90_000, 0)),
      box('hdlr', words(0, 0), Buffer.from(handler), Buffer.alloc(13)),
      box('minf', box(handler === 'vide' ? 'vmhd' : 'smhd', Buffer.alloc(12)), table),
    ),
  );
}
