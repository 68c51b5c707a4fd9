/**
 * Length and picture size of an MPEG transport stream, which has no index at all: times stand in its packets, so its
 * first and last ones tell how long it is, and nothing between has to be read. Layouts: ISO/IEC 13818-1 (2019), 2.4.3.
 */
import type { MediaFacts } from '../domain/item.ts';
import { attempt, type HeaderReader } from './header-reader.ts';

/** How much is read of the beginning and of the end until a time is found there. */
const steps = [64 * 1024, 384 * 1024];
/** Times count ticks of 90 kHz in 33 bits, and begin anew every 26.5 hours. */
const ticksPerSecond = 90_000;
const ticksPerRound = 2 ** 33;
/** Frames are sent at most so much later than ones that are shown after them. */
const mostReordered = 10 * ticksPerSecond;

/** 188 bytes, or 192 with a time before each (Blu-ray and cameras); `undefined` for anything but a stream. */
export function findPacketBytes(bytes: Uint8Array): number | undefined {
  const beginsAt = (offset: number, length: number): boolean =>
    [0, 1, 2, 3].every((packet) => bytes[offset + packet * length] === 0x47);
  if (beginsAt(0, 188)) return 188;
  return beginsAt(4, 192) ? 192 : undefined;
}

/** Facts of a stream, with `trouble` beside them where some are missing. */
export async function readStream(reader: HeaderReader, packet: number): Promise<MediaFacts> {
  const size = await reader.size();
  const first = await findTimes(reader, size, packet, (step) => [0, Math.min(step, size)]);
  const last = await findTimes(reader, size, packet, (step) => [Math.max(0, size - step), size]);
  const durationSeconds = first && last ? measure(first, last) : 0;
  const picture = await findPicture(reader, size, packet);
  const trouble =
    durationSeconds > 0
      ? picture
        ? undefined
        : 'there is no video track that can be read'
      : 'the stream does not tell its length';
  return {
    format: 'ts',
    ...(durationSeconds > 0 ? { durationSeconds } : {}),
    ...picture,
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** When the frames are to be shown that begin in the first part that has any. */
async function findTimes(
  reader: HeaderReader,
  size: number,
  packet: number,
  place: (step: number) => readonly [number, number],
): Promise<readonly number[] | undefined> {
  for (const step of steps) {
    const [from, to] = place(step);
    const start = Math.ceil(from / packet) * packet;
    const times = readTimes(await reader.read(start, to), packet);
    if (times.length > 0) return times;
    if (step >= size) return undefined;
  }
  return undefined;
}

/**
 * In seconds, from the earliest to the latest time and the frame that is shown then; 0 where the times begin anew on the
 * way, as in streams that were joined. The rounds are counted from the first time on, since a stream may begin anywhere
 * in one; one that would be longer than half a round for it was joined.
 */
function measure(first: readonly number[], last: readonly number[]): number {
  const [origin = 0] = first;
  const begin = Math.min(...first.map((time) => fold(time - origin + ticksPerRound / 2) - ticksPerRound / 2));
  const since = last.map((time) => ({ time, ticks: fold(time - origin) }));
  // Frames that are shown before the first one that was sent come out as nearly a whole round.
  const later = since.filter(({ ticks }) => ticks < ticksPerRound - mostReordered);
  if (later.some(({ time, ticks }) => time < origin && ticks > ticksPerRound / 2)) return 0;
  const ends = later.map(({ ticks }) => ticks).toSorted((one, other) => one - other);
  const end = ends.at(-1) ?? 0;
  const gaps = ends.slice(1).map((time, index) => time - (ends[index] ?? 0));
  const frame = Math.min(ticksPerSecond / 10, ...gaps.filter((gap) => gap > 0));
  return (end - begin + frame) / ticksPerSecond;
}

function fold(ticks: number): number {
  return ((ticks % ticksPerRound) + ticksPerRound) % ticksPerRound;
}

/** Of the frames of pictures and, where there are none, of sound that begin in these packets. */
function readTimes(bytes: Uint8Array, packet: number): readonly number[] {
  const pictures: number[] = [];
  const sounds: number[] = [];
  for (let end = packet; end <= bytes.length; end += packet) {
    const found = readTime(bytes, end - 188, end);
    if (found) (found.isPicture ? pictures : sounds).push(found.time);
  }
  return pictures.length > 0 ? pictures : sounds;
}

function readTime(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly time: number; readonly isPicture: boolean } | undefined {
  const [sync, flags = 0, , control = 0, skipped = 0] = bytes.subarray(start, start + 5);
  const beginsFrame = sync === 0x47 && (flags & 0x40) !== 0 && (control & 0x10) !== 0;
  if (!beginsFrame) return undefined;
  const frame = bytes.subarray(start + ((control & 0x20) === 0 ? 4 : 5 + skipped), end);
  const [zero, none, one, stream = 0, , , , shown = 0] = frame;
  const isPicture = stream >= 0xe0 && stream <= 0xef;
  const isSound = (stream >= 0xc0 && stream <= 0xdf) || stream === 0xbd;
  const hasTime = frame.length >= 14 && zero === 0 && none === 0 && one === 1 && (shown & 0x80) !== 0;
  if (!hasTime || !(isPicture || isSound)) return undefined;
  const [high = 0, a = 0, b = 0, c = 0, d = 0] = frame.subarray(9, 14);
  return {
    time: ((high >> 1) & 7) * 2 ** 30 + (a << 22) + ((b >> 1) << 15) + (c << 7) + (d >> 1),
    isPicture,
  };
}

/** The picture size stands in the video's own data. */
async function findPicture(
  reader: HeaderReader,
  size: number,
  packet: number,
): Promise<Pick<MediaFacts, 'width' | 'height'> | undefined> {
  for (const step of steps) {
    const whole = Math.floor(Math.min(step, size) / packet) * packet;
    const bytes = await attempt(() => reader.read(0, whole));
    const picture = bytes && (await readPicture(bytes));
    if (picture) return picture;
    if (step >= size) return undefined;
  }
  return undefined;
}

async function readPicture(bytes: Uint8Array): Promise<Pick<MediaFacts, 'width' | 'height'> | undefined> {
  const media = await import('mediabunny');
  media.Logging.level = media.LogLevel.Silent;
  const source = new media.CustomSource({
    getSize: () => bytes.length,
    read: (start, end) => Uint8Array.from(bytes.subarray(start, end)),
    prefetchProfile: 'none',
    handleUnhandledError: () => undefined,
  });
  const input = new media.Input({ source, formats: [media.MPEG_TS] });
  try {
    const track = await input.getPrimaryVideoTrack();
    if (track === null) return undefined;
    const [width, height] = [await track.getDisplayWidth(), await track.getDisplayHeight()];
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    // What it throws is about this part of the file alone.
    return undefined;
  } finally {
    input.dispose();
  }
}
