/**
 * Reads the few numbers that matter from the index of an MP4 or MOV file without reading the index whole.
 *
 * The index (`moov`) of a film of some hours takes megabytes, nearly all of it tables of samples. Length, picture size
 * and the count of key frames stand at the heads of boxes, which lead from one to the next; no table is ever walked, so
 * that a count that lies costs nothing. Layouts: ISO/IEC 14496-12 (2022), sections 8.2 to 8.8.
 */
import type { MediaFacts } from '../domain/item.ts';
import { attempt, type HeaderReader, MediaTrouble } from './header-reader.ts';
import { type Box, eachBox, findBox, listBoxes, readContent, readType } from './movie-box.ts';
import { type FragmentTrack, readFragments } from './movie-fragment.ts';

/** What files of this kind may begin with. QuickTime's older ones have no `ftyp`. */
const firstBoxes = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'styp', 'uuid'];

const longTrackBytes = 48 * 1024;

/** Whether the first 8 bytes of a file are those of an MP4 or MOV file. */
export function isMovie(bytes: Uint8Array): boolean {
  return firstBoxes.includes(Buffer.from(bytes.subarray(4, 8)).toString('latin1'));
}

/**
 * Facts of an MP4 or MOV file, with `trouble` beside them where some are missing.
 *
 * @throws MediaTrouble where there is no index
 */
export async function readMovieIndex(reader: HeaderReader): Promise<MediaFacts> {
  const boxes = await listBoxes(reader, 0, await reader.size(), 'moov');
  const brand = boxes.find((box) => box.type === 'ftyp');
  const movie = boxes.find((box) => box.type === 'moov');
  if (movie === undefined)
    throw new MediaTrouble('there is no index (moov): the file was cut off, or is still being written');
  const format =
    brand === undefined || readType(await readContent(reader, brand, 4), 0) === 'qt  ' ? 'mov' : 'mp4';
  const { parts, tracks } = await readParts(reader, movie);
  const picture = tracks.find((track) => track.isVideo && track.width > 0) ?? tracks.find(isVideo);
  const length = await readLength(reader, movie, parts, tracks);
  const { durationSeconds } = length;
  const keyFrames = await attempt(() => countKeyFrames(reader, picture, length));
  const trouble =
    durationSeconds === undefined
      ? 'the index does not tell how long the film is'
      : picture === undefined
        ? 'there is no video track'
        : undefined;
  return {
    format,
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(picture && picture.width > 0 && picture.height > 0
      ? { width: picture.width, height: picture.height }
      : {}),
    ...(keyFrames === undefined ? {} : { keyFrames }),
    ...(length.keyFramesOf && keyFrames !== undefined ? { hasSparseIndex: true } : {}),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

interface Track extends FragmentTrack {
  readonly box: Box;
  readonly isVideo: boolean;
  /** As shown; 0 where the index does not tell. */
  readonly width: number;
  readonly height: number;
}

function isVideo(track: Track): boolean {
  return track.isVideo;
}

/**
 * What stands in the index. A video track that is longer than that is no fragmented film's, and everything that matters
 * has been seen: the tracks behind it are left unread.
 */
async function readParts(
  reader: HeaderReader,
  movie: Box,
): Promise<{ readonly parts: readonly Box[]; readonly tracks: readonly Track[] }> {
  const parts: Box[] = [];
  const tracks: Track[] = [];
  for await (const box of eachBox(reader, movie.start, movie.end)) {
    parts.push(box);
    const track = box.type === 'trak' ? await readTrack(reader, box) : undefined;
    if (track === undefined) continue;
    tracks.push(track);
    if (track.isVideo && track.width > 0 && lengthOf(box) > longTrackBytes) break;
  }
  return { parts, tracks };
}

async function readTrack(reader: HeaderReader, box: Box): Promise<Track | undefined> {
  const header = await findBox(reader, box, 'tkhd');
  const media = await findBox(reader, box, 'mdia');
  if (header === undefined || media === undefined) return undefined;
  const parts = await listBoxes(reader, media.start, media.end, 'minf');
  const time = parts.find((part) => part.type === 'mdhd');
  const handler = parts.find((part) => part.type === 'hdlr');
  if (time === undefined || handler === undefined) return undefined;
  const head = await readContent(reader, header, 104);
  const clock = await readContent(reader, time, 24);
  return {
    box,
    id: readNumber(head, isLong(head) ? 20 : 12),
    unitsPerSecond: readNumber(clock, isLong(clock) ? 20 : 12),
    isVideo: readType(await readContent(reader, handler, 12), 8) === 'vide',
    ...readPictureSize(head),
  };
}

interface Length {
  readonly durationSeconds?: number | undefined;
  /** Key frames that a fragmented file's index names of a track. */
  readonly keyFramesOf?: ((track: number | undefined) => number | undefined) | undefined;
}

/** Of the index, and of what a fragmented file's other index names. */
async function countKeyFrames(
  reader: HeaderReader,
  track: Track | undefined,
  { keyFramesOf }: Length,
): Promise<number | undefined> {
  const indexed = await readKeyFrames(reader, track);
  if (keyFramesOf === undefined || indexed === undefined) return indexed;
  const named = keyFramesOf(track?.id);
  return named === undefined ? undefined : indexed + named;
}

/** A fragmented file has `mvex`; the length in its `mvhd` is at best that of its first fragment. */
async function readLength(
  reader: HeaderReader,
  movie: Box,
  parts: readonly Box[],
  tracks: readonly Track[],
): Promise<Length> {
  const header = parts.find((box) => box.type === 'mvhd');
  const view = header === undefined ? undefined : await readContent(reader, header, 32);
  const units = view === undefined ? 0 : readNumber(view, isLong(view) ? 20 : 12);
  const length = view === undefined ? 0 : isLong(view) ? readLongNumber(view, 24) : readNumber(view, 16);
  const extension = parts.find((box) => box.type === 'mvex');
  if (extension !== undefined)
    return await readFragments(reader, { movie, extension, tracks, units, isHybrid: length > 0 });
  if (view === undefined || units === 0) return {};
  // All ones say that the length is not known.
  const isKnown = length > 0 && length !== 0xffff_ffff && length < 2 ** 63;
  return isKnown ? { durationSeconds: length / units } : {};
}

/** `tkhd` ends with the matrix that turns the picture, and its width and height in 16.16 fixed point. */
function readPictureSize(head: DataView): Pick<Track, 'width' | 'height'> {
  const matrix = isLong(head) ? 52 : 40;
  if (head.byteLength < matrix + 44) return { width: 0, height: 0 };
  const isTurned = head.getInt32(matrix) === 0 && head.getInt32(matrix + 16) === 0;
  const [width, height] = [head.getUint32(matrix + 36) >>> 16, head.getUint32(matrix + 40) >>> 16];
  return isTurned ? { width: height, height: width } : { width, height };
}

/** `stss` counts the key frames; a track without it has no other frames, and `stsz` or `stz2` counts them all. */
async function readKeyFrames(reader: HeaderReader, track: Track | undefined): Promise<number | undefined> {
  const table = track && (await findBox(reader, track.box, 'mdia', 'minf', 'stbl'));
  if (table === undefined) return undefined;
  const boxes = await listBoxes(reader, table.start, table.end, 'stss');
  const keys = boxes.find((box) => box.type === 'stss');
  const sizes = boxes.find((box) => box.type === 'stsz' || box.type === 'stz2');
  // A count that needs more bytes than there are is a lie, and nothing is known.
  if (keys !== undefined) {
    const count = readNumber(await readContent(reader, keys, 8), 4);
    return 8 + 4 * count <= lengthOf(keys) ? count : undefined;
  }
  if (sizes === undefined) return undefined;
  const view = await readContent(reader, sizes, 12);
  const count = readNumber(view, 8);
  const bytesOfAll = sizes.type === 'stsz' ? readNumber(view, 4) : 0;
  if (bytesOfAll > 0) return count * bytesOfAll <= (await reader.size()) ? count : undefined;
  return 12 + count / 2 <= lengthOf(sizes) ? count : undefined;
}

function lengthOf(box: Box): number {
  return box.end - box.start;
}

function isLong(view: DataView): boolean {
  return view.byteLength > 0 && view.getUint8(0) === 1;
}

/** Of four bytes; 0 behind the end. */
function readNumber(view: DataView, offset: number): number {
  return offset + 4 <= view.byteLength ? view.getUint32(offset) : 0;
}

function readLongNumber(view: DataView, offset: number): number {
  return offset + 8 <= view.byteLength ? Number(view.getBigUint64(offset)) : 0;
}
