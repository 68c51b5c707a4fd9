/**
 * Reads the few numbers that matter from the index of an MP4 or MOV file without reading the index whole.
 *
 * The index (`moov`) of a film of some hours takes megabytes, nearly all of it tables of samples. Length, picture size
 * and the count of key frames stand at the heads of boxes, which lead from one to the next. Layouts: ISO/IEC 14496-12
 * (2022), sections 8.2 to 8.6.
 */
import type { MediaFacts } from '../domain/item.ts';
import type { HeaderReader } from './header-reader.ts';

interface Box {
  readonly type: string;
  /** Where its content begins and ends, in bytes of the file. */
  readonly start: number;
  readonly end: number;
}

/** Boxes looked at in one parent; more of them is no index that we know. */
const mostBoxes = 100;

/** Facts of an MP4 or MOV file that is not fragmented; `undefined` where there is no such index. */
export async function readMovieIndex(reader: HeaderReader): Promise<MediaFacts | undefined> {
  const boxes = await listBoxes(reader, 0, await reader.size(), 'moov');
  const brand = boxes.find((box) => box.type === 'ftyp');
  const movie = boxes.find((box) => box.type === 'moov');
  if (movie === undefined) return undefined;
  const parts = await listBoxes(reader, movie.start, movie.end, undefined);
  const header = parts.find((box) => box.type === 'mvhd');
  const durationSeconds = header === undefined ? undefined : await readDuration(reader, header);
  if (durationSeconds === undefined) return undefined;
  const format = brand !== undefined && (await readType(reader, brand.start)) === 'qt  ' ? 'mov' : 'mp4';
  for (const track of parts.filter((box) => box.type === 'trak')) {
    const picture = await readVideoTrack(reader, track);
    if (picture !== undefined) return { durationSeconds, format, ...picture };
  }
  return { durationSeconds, format, trouble: 'there is no video track' };
}

async function readVideoTrack(
  reader: HeaderReader,
  track: Box,
): Promise<Pick<MediaFacts, 'width' | 'height' | 'keyFrames'> | undefined> {
  const handler = await findBox(reader, track, ['mdia', 'hdlr']);
  if (handler === undefined || (await readType(reader, handler.start + 8)) !== 'vide') return undefined;
  const header = await findBox(reader, track, ['tkhd']);
  const size = header === undefined ? {} : await readPictureSize(reader, header);
  return { ...size, keyFrames: await readKeyFrames(reader, track) };
}

/** `mvhd`: version, flags, two times, then the units of a second and the length in them. */
async function readDuration(reader: HeaderReader, header: Box): Promise<number | undefined> {
  const view = await readView(reader, header.start, 32);
  const isLong = view.getUint8(0) === 1;
  const units = view.getUint32(isLong ? 20 : 12);
  const length = isLong ? Number(view.getBigUint64(24)) : view.getUint32(16);
  return units === 0 || length === 0 ? undefined : length / units;
}

/** `tkhd` ends with the matrix that turns the picture, and its width and height in 16.16 fixed point. */
async function readPictureSize(
  reader: HeaderReader,
  header: Box,
): Promise<Pick<MediaFacts, 'width' | 'height'>> {
  const view = await readView(reader, header.end - 44, 44);
  const isTurned = view.getInt32(0) === 0 && view.getInt32(16) === 0;
  const [width, height] = [view.getUint32(36) >>> 16, view.getUint32(40) >>> 16];
  return isTurned ? { width: height, height: width } : { width, height };
}

/** `stss` counts the key frames; a track without it has no other frames, and `stsz` counts them all. */
async function readKeyFrames(reader: HeaderReader, track: Box): Promise<number | undefined> {
  const table = await findBox(reader, track, ['mdia', 'minf', 'stbl']);
  if (table === undefined) return undefined;
  const boxes = await listBoxes(reader, table.start, table.end, 'stss');
  const keys = boxes.find((box) => box.type === 'stss');
  if (keys !== undefined) return (await readView(reader, keys.start, 8)).getUint32(4);
  const sizes = boxes.find((box) => box.type === 'stsz');
  return sizes === undefined ? undefined : (await readView(reader, sizes.start, 12)).getUint32(8);
}

async function findBox(reader: HeaderReader, parent: Box, path: readonly string[]): Promise<Box | undefined> {
  let found: Box | undefined = parent;
  for (const type of path) {
    if (found === undefined) return undefined;
    const boxes = await listBoxes(reader, found.start, found.end, type);
    found = boxes.find((box) => box.type === type);
  }
  return found;
}

/** The boxes between two places, up to and with the first of type `last`. */
async function listBoxes(
  reader: HeaderReader,
  start: number,
  end: number,
  last: string | undefined,
): Promise<readonly Box[]> {
  const boxes: Box[] = [];
  let at = start;
  while (at + 8 <= end && boxes.length < mostBoxes && boxes.at(-1)?.type !== (last ?? '')) {
    const view = await readView(reader, at, Math.min(16, end - at));
    const short = view.getUint32(0);
    const isLong = short === 1 && view.byteLength === 16;
    const length = isLong ? Number(view.getBigUint64(8)) : short === 0 ? end - at : short;
    if (length < (isLong ? 16 : 8)) break;
    boxes.push({
      type: await readType(reader, at + 4),
      start: at + (isLong ? 16 : 8),
      end: Math.min(at + length, end),
    });
    at += length;
  }
  return boxes;
}

async function readType(reader: HeaderReader, at: number): Promise<string> {
  return Buffer.from(await reader.read(at, at + 4)).toString('latin1');
}

async function readView(reader: HeaderReader, at: number, length: number): Promise<DataView> {
  const bytes = await reader.read(at, at + length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
