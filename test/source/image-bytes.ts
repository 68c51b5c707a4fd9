/** Beginnings of pictures, enough to tell their size. */

/** A PNG's signature and header. */
export function makePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(33);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(header);
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  return header;
}

/** A JPEG whose size stands after so many bytes of application segments, as cameras write them. */
export function makeJpeg(width: number, height: number, before: number, marker = 0xc0): Buffer {
  const parts = [Buffer.from('ffd8', 'hex')];
  for (let left = before; left > 0; left -= 60_000) {
    const segment = Buffer.alloc(Math.min(left, 60_000) + 4);
    segment.writeUInt16BE(0xffef, 0);
    segment.writeUInt16BE(segment.length - 2, 2);
    parts.push(segment);
  }
  const frame = Buffer.from('ffc00011080000000003012200021101031101', 'hex');
  frame[1] = marker;
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([...parts, frame, Buffer.from('ffd9', 'hex')]);
}

/** A bitmap's header, its rows from the top where the height is below zero. */
export function makeBitmap(width: number, height: number): Buffer {
  const header = Buffer.alloc(54);
  header.write('BM', 0, 'latin1');
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  return header;
}

/** The oldest kind of bitmap, of OS/2. */
export function makeOldBitmap(width: number, height: number): Buffer {
  const header = Buffer.alloc(26);
  header.write('BM', 0, 'latin1');
  header.writeUInt32LE(12, 14);
  header.writeUInt16LE(width, 18);
  header.writeUInt16LE(height, 20);
  return header;
}

/** The three kinds of WebP. */
export function makeWebp(kind: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): Buffer {
  const header = Buffer.alloc(40);
  header.write('RIFF    WEBP', 0, 'latin1');
  header.write(kind, 12, 'latin1');
  if (kind === 'VP8 ') {
    header.writeUInt16LE(width, 26);
    header.writeUInt16LE(height, 28);
  } else if (kind === 'VP8L') {
    header.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 21);
  } else {
    header.writeUIntLE(width - 1, 24, 3);
    header.writeUIntLE(height - 1, 27, 3);
  }
  return header;
}

/** A TIFF of either byte order whose directory stands behind so many bytes. */
export function makeTiff(width: number, height: number, before: number, isLittle: boolean): Buffer {
  const bytes = Buffer.alloc(8 + before + 2 + 24 + 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.write(isLittle ? 'II*\0' : 'MM\0*', 0, 'latin1');
  const at = 8 + before;
  view.setUint32(4, at, isLittle);
  view.setUint16(at, 2, isLittle);
  const entries: readonly (readonly [number, number, number])[] = [
    [256, 3, width],
    [257, 4, height],
  ];
  for (const [index, [tag, type, value]] of entries.entries()) {
    const entry = at + 2 + 12 * index;
    view.setUint16(entry, tag, isLittle);
    view.setUint16(entry + 2, type, isLittle);
    view.setUint32(entry + 4, 1, isLittle);
    if (type === 3) view.setUint16(entry + 8, value, isLittle);
    else view.setUint32(entry + 8, value, isLittle);
  }
  return bytes;
}

/** An AVIF's boxes down to its picture size. */
export function makeAvif(width: number, height: number): Buffer {
  const box = (type: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length, 0);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const size = Buffer.alloc(12);
  size.writeUInt32BE(width, 4);
  size.writeUInt32BE(height, 8);
  const properties = box('iprp', box('ipco', box('ispe', size)));
  return Buffer.concat([
    box('ftyp', Buffer.from('avif\0\0\0\0avifmif1', 'latin1')),
    box('meta', Buffer.concat([Buffer.alloc(4), properties])),
  ]);
}
