/**
 * Reads length, picture size and key frames of an MKV or WebM file from the heads of its elements. A file that was
 * written while it was recorded has no length in its head; its end tells when its last cluster ends. Layouts: RFC 9559
 * (2024), section 5.
 */
import type { MediaFacts } from '../domain/item.ts';
import { type Element, readElement, readElements, readFloat } from './ebml.ts';
import { attempt, type HeaderReader, MediaTrouble } from './header-reader.ts';
import { findNumber, ids, type Part } from './matroska-element.ts';
import { measureClusters } from './matroska-tail.ts';

/** Elements looked at before the first cluster. */
const mostElements = 100;
/** More of one element than this is not read. */
const mostElementBytes = 512 * 1024;

/** Whether the first bytes of a file are those of an MKV or WebM file. */
export function isMatroska(bytes: Uint8Array): boolean {
  return readElement(bytes, 0)?.id === ids.header;
}

/**
 * Facts of an MKV or WebM file, with `trouble` beside them where some are missing. Key frames are those that `Cues` names.
 *
 * @throws MediaTrouble where nothing could be read
 */
export async function readMatroskaIndex(reader: HeaderReader): Promise<MediaFacts> {
  const size = await reader.size();
  const file = await findParts(reader, size);
  const info = await readPart(reader, file.parts.get(ids.info));
  const tracks = await readPart(reader, file.parts.get(ids.tracks));
  const unitSeconds = (findNumber(info, ids.timestampScale) || 1_000_000) / 1e9;
  const picture = tracks && readPicture(tracks);
  const stated = readStatedLength(info) * unitSeconds;
  const measured =
    stated > 0 ? 0 : ((await attempt(() => measureClusters(reader, size, file.firstCluster))) ?? 0);
  // A block that is no group says when it begins, and not how long it lasts.
  const lastFrame = measured > 0 ? Math.min(1, picture?.frameSeconds ?? 0) : 0;
  const durationSeconds = stated > 0 ? stated : measured * unitSeconds + lastFrame;
  const cues = picture && (await attempt(() => findCues(reader, size, file)));
  const keyFrames = cues && picture ? countCues(cues, picture.track) : 0;
  const trouble =
    durationSeconds > 0
      ? picture
        ? undefined
        : 'there is no video track'
      : 'the file does not tell its length';
  return {
    format: file.format,
    ...(durationSeconds > 0 ? { durationSeconds } : {}),
    ...(picture && picture.width > 0 && picture.height > 0
      ? { width: picture.width, height: picture.height }
      : {}),
    ...(keyFrames > 0 ? { keyFrames, hasSparseIndex: true } : {}),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** An element by its place in the file. */
type Place = Pick<Element, 'start' | 'end'>;

interface FileParts {
  readonly format: 'mkv' | 'webm';
  readonly parts: Map<number, Place>;
  /** What the `SeekHead` tells, from the beginning of the segment's content on. */
  readonly seeks: ReadonlyMap<number, number>;
  readonly segmentStart: number;
  /** Where the content of the first cluster begins. */
  readonly firstCluster?: number | undefined;
}

/** What stands before the first cluster, and what the `SeekHead` there says of the rest. */
async function findParts(reader: HeaderReader, size: number): Promise<FileParts> {
  const header = await readHead(reader, 0, size);
  const kind = await readPart(reader, header);
  const segment = header && (await readHead(reader, header.end, size));
  if (segment?.id !== ids.segment) throw new MediaTrouble('the file was cut off before its first element');
  const parts = new Map<number, Place>();
  let firstCluster: number | undefined;
  let at = segment.start;
  for (let count = 0; count < mostElements && at < Math.min(segment.end, size); count += 1) {
    const element = await readHead(reader, at, size);
    if (element === undefined) break;
    if (element.id === ids.cluster) {
      firstCluster = element.start;
      break;
    }
    if (!parts.has(element.id)) parts.set(element.id, element);
    at = element.end;
  }
  const seeks = new Map(readSeeks(await readPart(reader, parts.get(ids.seekHead))));
  const file = { parts, seeks, segmentStart: segment.start };
  for (const id of [ids.info, ids.tracks]) await seekPart(reader, size, file, id);
  const docType = kind?.elements.find((element) => element.id === ids.docType);
  const word = kind && docType ? kind.bytes.subarray(docType.start, docType.end) : new Uint8Array();
  const isWeb = Buffer.from(word).toString('latin1') === 'webm';
  return { ...file, format: isWeb ? 'webm' : 'mkv', firstCluster };
}

/** Where a part lies that did not stand before the first cluster. */
async function seekPart(
  reader: HeaderReader,
  size: number,
  { parts, seeks, segmentStart }: Pick<FileParts, 'parts' | 'seeks' | 'segmentStart'>,
  id: number,
): Promise<void> {
  const offset = seeks.get(id);
  if (parts.has(id) || offset === undefined) return;
  const element = await readHead(reader, segmentStart + offset, size);
  if (element?.id === id) parts.set(id, element);
}

async function findCues(reader: HeaderReader, size: number, file: FileParts): Promise<Part | undefined> {
  await seekPart(reader, size, file, ids.cues);
  return await readPart(reader, file.parts.get(ids.cues));
}

async function readHead(reader: HeaderReader, at: number, size: number): Promise<Element | undefined> {
  if (at >= size) return undefined;
  const element = readElement(await reader.read(at, Math.min(at + 12, size)), 0);
  return element && { ...element, start: at + element.start, end: at + element.end };
}

/** The content of an element; `undefined` where there is none, or more than is read of one. */
async function readPart(reader: HeaderReader, place: Place | undefined): Promise<Part | undefined> {
  if (place === undefined || place.end - place.start > mostElementBytes) return undefined;
  const bytes = await reader.read(place.start, place.end);
  return { bytes, elements: [...readElements(bytes)] };
}

function* readSeeks(seekHead: Part | undefined): Generator<readonly [number, number], undefined> {
  if (seekHead === undefined) return;
  const { bytes, elements } = seekHead;
  for (const seek of elements.filter(({ id }) => id === ids.seek)) {
    const children = { bytes, elements: [...readElements(bytes, seek.start, seek.end)] };
    yield [findNumber(children, ids.seekId), findNumber(children, ids.seekPosition)];
  }
}

/** In units of the file; 0 where there is none. */
function readStatedLength(info: Part | undefined): number {
  const element = info?.elements.find((one) => one.id === ids.duration);
  return info === undefined || element === undefined ? 0 : readFloat(info.bytes, element);
}

interface Picture {
  readonly track: number;
  /** Of one frame; 0 where nothing is said of it. */
  readonly frameSeconds: number;
  readonly width: number;
  readonly height: number;
}

/** Of the first video track. The display size is in pixels unless its unit says otherwise. */
function readPicture({ bytes, elements }: Part): Picture | undefined {
  for (const entry of elements.filter(({ id }) => id === ids.trackEntry)) {
    const track = { bytes, elements: [...readElements(bytes, entry.start, entry.end)] };
    if (findNumber(track, ids.trackType) !== 1) continue;
    const settings = track.elements.find(({ id }) => id === ids.video);
    const video = {
      bytes,
      elements: settings ? [...readElements(bytes, settings.start, settings.end)] : [],
    };
    const inPixels = findNumber(video, ids.displayUnit) === 0;
    const [shownWidth, shownHeight] = [
      findNumber(video, ids.displayWidth),
      findNumber(video, ids.displayHeight),
    ];
    const isShown = inPixels && shownWidth > 0 && shownHeight > 0;
    return {
      track: findNumber(track, ids.trackNumber),
      frameSeconds: findNumber(track, ids.defaultDuration) / 1e9,
      width: isShown ? shownWidth : findNumber(video, ids.pixelWidth),
      height: isShown ? shownHeight : findNumber(video, ids.pixelHeight),
    };
  }
  return undefined;
}

function countCues({ bytes, elements }: Part, track: number): number {
  return elements.filter((point) => {
    if (point.id !== ids.cuePoint) return false;
    for (const positions of readElements(bytes, point.start, point.end)) {
      if (positions.id !== ids.cueTrackPositions) continue;
      const found = [...readElements(bytes, positions.start, positions.end)];
      if (findNumber({ bytes, elements: found }, ids.cueTrack) === track) return true;
    }
    return false;
  }).length;
}
