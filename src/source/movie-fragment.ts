/**
 * Length and key frames of a fragmented MP4 file, whose index (`moov`) says nothing of what follows it. The length stands
 * in one of four places, tried in the order of what they cost: `mehd` in the index, `sidx` behind it, the fragment that
 * `mfra` at the file's end names as its last, and the last fragment that is found by looking through the file's end.
 * Layouts: ISO/IEC 14496-12 (2022), 8.8 and 8.16.
 */
import { attempt, type HeaderReader } from './header-reader.ts';
import { type Box, findBox, listBoxes, readContent } from './movie-box.ts';

/** How much of the file's end is looked through, step by step, for its last fragment. */
const tailSteps = [64 * 1024, 256 * 1024, 576 * 1024];
/** Most of a fragment's head that is read; its tables of samples are far smaller. */
const mostFragmentBytes = 256 * 1024;

export interface FragmentTrack {
  readonly id: number;
  /** 0 where the index does not tell. */
  readonly unitsPerSecond: number;
}

interface FragmentedMovie {
  readonly movie: Box;
  /** `mvex`. */
  readonly extension: Box;
  readonly tracks: readonly FragmentTrack[];
  /** Of a second, in the index. */
  readonly units: number;
  /** True where the index has the first samples itself. */
  readonly isHybrid: boolean;
}

interface FragmentFacts {
  readonly durationSeconds?: number | undefined;
  readonly keyFramesOf: (track: number | undefined) => number | undefined;
}

/** What is missing could not be found in the places that are looked at, within the budget. */
export async function readFragments(reader: HeaderReader, film: FragmentedMovie): Promise<FragmentFacts> {
  const access = (await attempt(() => readRandomAccess(reader))) ?? [];
  return {
    durationSeconds: await attempt(() => readLength(reader, film, access)),
    keyFramesOf: (track) =>
      track === undefined ? undefined : access.find((one) => one.track === track)?.count,
  };
}

async function readLength(
  reader: HeaderReader,
  { movie, extension, tracks, units, isHybrid }: FragmentedMovie,
  access: readonly RandomAccess[],
): Promise<number | undefined> {
  const size = await reader.size();
  const stated = await readStatedLength(reader, extension, units);
  if (stated !== undefined) return stated;
  const boxes = await listBoxes(reader, movie.end, size, 'sidx', 'moof');
  const index = boxes.find((box) => box.type === 'sidx');
  const indexed = index && (await readSegmentIndex(reader, index, size));
  if (indexed !== undefined) return indexed;
  const begin = boxes.find((box) => box.type === 'moof') ?? (await findFirst(reader, index, size));
  const lastAt = Math.max(...access.map(({ lastAt: at }) => at));
  const last = Number.isFinite(lastAt)
    ? (await listBoxes(reader, lastAt, size, 'moof')).find((box) => box.type === 'moof')
    : await findLast(reader, size);
  if (begin === undefined || last === undefined) return undefined;
  const defaults = await readDefaults(reader, extension);
  const first = await readSpans(reader, begin, tracks, defaults);
  const spans = last.at === begin.at ? first : await readSpans(reader, last, tracks, defaults);
  const begun = isHybrid ? 0 : Math.min(...first.map(({ start }) => start));
  const seconds = Math.max(...spans.map(({ end }) => end)) - begun;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

async function readStatedLength(
  reader: HeaderReader,
  extension: Box,
  units: number,
): Promise<number | undefined> {
  const header = await findBox(reader, extension, 'mehd');
  if (header === undefined || units === 0) return undefined;
  const view = await readContent(reader, header, 12);
  if (view.byteLength < 8) return undefined;
  const isLong = view.getUint8(0) === 1 && view.byteLength >= 12;
  const length = isLong ? Number(view.getBigUint64(4)) : view.getUint32(4);
  return length === 0 ? undefined : length / units;
}

/** Counts only where it covers the file to its end: a chained index tells of its own part alone. */
async function readSegmentIndex(reader: HeaderReader, box: Box, size: number): Promise<number | undefined> {
  const view = await readContent(reader, box, mostFragmentBytes);
  if (view.byteLength < 32) return undefined;
  const isLong = view.getUint8(0) === 1;
  const units = view.getUint32(8);
  const firstOffset = isLong ? Number(view.getBigUint64(20)) : view.getUint32(16);
  const countAt = isLong ? 30 : 22;
  const count = view.getUint16(countAt);
  let [bytes, length] = [0, 0];
  for (let entry = 0; entry < count; entry += 1) {
    const at = countAt + 2 + entry * 12;
    if (at + 12 > view.byteLength) return undefined;
    bytes += view.getUint32(at) & 0x7fff_ffff;
    length += view.getUint32(at + 4);
  }
  // Behind the last fragment stands `mfra` at most.
  const isWhole = box.end + firstOffset + bytes >= size - mostFragmentBytes;
  return isWhole && units > 0 && length > 0 ? length / units : undefined;
}

interface RandomAccess {
  readonly track: number;
  readonly count: number;
  /** Where the fragment of its last entry begins. */
  readonly lastAt: number;
}

/** `mfra`, whose length the last four bytes of the file tell. */
async function readRandomAccess(reader: HeaderReader): Promise<readonly RandomAccess[]> {
  const size = await reader.size();
  const end = Buffer.from(await reader.read(Math.max(0, size - 16), size));
  if (end.length < 16 || end.toString('latin1', 4, 8) !== 'mfro') return [];
  const length = end.readUInt32BE(12);
  if (length < 24 || length > Math.min(size, mostFragmentBytes)) return [];
  const [index] = await listBoxes(reader, size - length, size, 'mfra');
  if (index?.type !== 'mfra') return [];
  const found: RandomAccess[] = [];
  for (const box of await listBoxes(reader, index.start, index.end)) {
    const access = box.type === 'tfra' ? readAccess(await readContent(reader, box, length)) : undefined;
    if (access) found.push(access);
  }
  return found;
}

function readAccess(view: DataView): RandomAccess | undefined {
  if (view.byteLength < 16) return undefined;
  const isLong = view.getUint8(0) === 1;
  const lengths = view.getUint32(8);
  const numbers = ((lengths >> 4) & 3) + ((lengths >> 2) & 3) + (lengths & 3) + 3;
  const entryBytes = (isLong ? 16 : 8) + numbers;
  const count = view.getUint32(12);
  if (count === 0 || 16 + count * entryBytes > view.byteLength) return undefined;
  const last = 16 + (count - 1) * entryBytes;
  const lastAt = isLong ? Number(view.getBigUint64(last + 8)) : view.getUint32(last + 4);
  return { track: view.getUint32(4), count, lastAt };
}

/** The first fragment behind an index of segments. */
async function findFirst(
  reader: HeaderReader,
  index: Box | undefined,
  size: number,
): Promise<Box | undefined> {
  if (index === undefined) return undefined;
  const boxes = await listBoxes(reader, index.end, size, 'moof');
  return boxes.find((box) => box.type === 'moof');
}

/** Looks through the end of the file for the head of a fragment: `moof`, whose first box is its `mfhd` of 16 bytes. */
async function findLast(reader: HeaderReader, size: number): Promise<Box | undefined> {
  for (const step of tailSteps) {
    const from = Math.max(0, size - step);
    const bytes = Buffer.from(await reader.read(from, size));
    for (let at = bytes.lastIndexOf('moof'); at >= 4; at = bytes.lastIndexOf('moof', at - 1)) {
      const length = bytes.readUInt32BE(at - 4);
      const isFragment = bytes.toString('latin1', at + 8, at + 12) === 'mfhd' && length >= 24;
      if (isFragment) {
        const start = from + at + 4;
        return { type: 'moof', at: start - 8, start, end: Math.min(size, start - 8 + length) };
      }
    }
    if (from === 0) return undefined;
  }
  return undefined;
}

interface Span {
  /** Seconds of the film's own time. */
  readonly start: number;
  readonly end: number;
}

/** How long a sample of each track lasts where its fragment does not say so, in units of the track. */
async function readDefaults(reader: HeaderReader, extension: Box): Promise<ReadonlyMap<number, number>> {
  const defaults = new Map<number, number>();
  for (const box of await listBoxes(reader, extension.start, extension.end)) {
    if (box.type !== 'trex') continue;
    const view = await readContent(reader, box, 16);
    if (view.byteLength === 16) defaults.set(view.getUint32(4), view.getUint32(12));
  }
  return defaults;
}

/** From when to when each track of a fragment lasts. */
async function readSpans(
  reader: HeaderReader,
  fragment: Box,
  tracks: readonly FragmentTrack[],
  defaults: ReadonlyMap<number, number>,
): Promise<readonly Span[]> {
  const spans: Span[] = [];
  for (const box of await listBoxes(reader, fragment.start, fragment.end)) {
    if (box.type !== 'traf') continue;
    const parts = await listBoxes(reader, box.start, box.end);
    const header = parts.find((part) => part.type === 'tfhd');
    const time = parts.find((part) => part.type === 'tfdt');
    if (header === undefined || time === undefined) continue;
    const { track, sampleUnits } = readHeader(await readContent(reader, header, 24));
    const units = tracks.find(({ id }) => id === track)?.unitsPerSecond ?? 0;
    if (units === 0) continue;
    const start = readDecodeTime(await readContent(reader, time, 12));
    let length = 0;
    for (const run of parts.filter((part) => part.type === 'trun'))
      length += sumRun(
        await readContent(reader, run, mostFragmentBytes),
        sampleUnits ?? defaults.get(track) ?? 0,
      );
    spans.push({ start: start / units, end: (start + length) / units });
  }
  return spans;
}

/** `tfhd`: the track, and how long its samples last where that stands here. */
function readHeader(view: DataView): { readonly track: number; readonly sampleUnits?: number | undefined } {
  if (view.byteLength < 8) return { track: 0 };
  const flags = view.getUint32(0) & 0xff_ffff;
  const at = 8 + ((flags & 1) === 0 ? 0 : 8) + ((flags & 2) === 0 ? 0 : 4);
  const hasUnits = (flags & 8) !== 0 && at + 4 <= view.byteLength;
  return { track: view.getUint32(4), ...(hasUnits ? { sampleUnits: view.getUint32(at) } : {}) };
}

function readDecodeTime(view: DataView): number {
  if (view.byteLength < 8) return 0;
  return view.getUint8(0) === 1 && view.byteLength >= 12 ? Number(view.getBigUint64(4)) : view.getUint32(4);
}

/** `trun`: samples that bear no length of their own are not walked, since their count may lie. */
function sumRun(view: DataView, sampleUnits: number): number {
  if (view.byteLength < 8) return 0;
  const flags = view.getUint32(0) & 0xff_ffff;
  const count = view.getUint32(4);
  if ((flags & 0x100) === 0) return count * sampleUnits;
  const sampleBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
  let length = 0;
  let at = 8 + ((flags & 1) === 0 ? 0 : 4) + ((flags & 4) === 0 ? 0 : 4);
  for (let sample = 0; sample < count && at + 4 <= view.byteLength; sample += 1, at += sampleBytes)
    length += view.getUint32(at);
  return length;
}
