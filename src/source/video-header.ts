/** Length, picture size and key frames of a video, from its header and index. */
import type { Input, InputVideoTrack } from 'mediabunny';
import type { MediaFacts } from '../domain/item.ts';
import { type HeaderReader, MediaTrouble } from './header-reader.ts';
import { readMovieIndex } from './movie-index.ts';

/** What is read of the beginning and of the end of a transport stream, which has no index at all. */
const streamHeadBytes = 256 * 1024;
const streamTailBytes = 384 * 1024;
/** More key frames than this are not counted one by one. */
const mostKeyFrames = 200_000;

/** Formats by mediabunny's names for them. */
const formats: Readonly<Record<string, string>> = {
  MP4: 'mp4',
  'QuickTime File Format': 'mov',
  Matroska: 'mkv',
  WebM: 'webm',
  'MPEG Transport Stream': 'ts',
};

/**
 * Reads the header of an MP4, MOV, WebM, MKV or TS file. Facts read before a trouble are kept beside it.
 *
 * @throws MediaTrouble, or what the storage threw, where nothing at all could be read
 */
export async function readVideoHeader(reader: HeaderReader): Promise<MediaFacts> {
  const packet = await findPacketBytes(reader);
  if (packet !== undefined) return await readStream(reader, packet);
  const size = await reader.size();
  const read = (start: number, end: number): Promise<Uint8Array> => reader.read(start, end);
  const facts = await readContainer(read, size);
  if (facts.trouble === undefined) return facts;
  const index = await readMovieIndex(reader).catch(() => undefined);
  return index === undefined ? facts : { ...index };
}

type Read = (start: number, end: number) => Promise<Uint8Array>;

async function readContainer(read: Read, size: number): Promise<MediaFacts> {
  const media = await import('mediabunny');
  media.Logging.level = media.LogLevel.Silent;
  const source = new media.CustomSource({
    getSize: () => size,
    read,
    // Windows and budget are the reader's own: the network profile alone would fetch 512 KB of every file.
    prefetchProfile: 'none',
    handleUnhandledError: () => undefined,
  });
  const input = new media.Input({
    source,
    formats: [media.MP4, media.QTFF, media.MATROSKA, media.WEBM, media.MPEG_TS],
  });
  const facts: { -readonly [K in keyof MediaFacts]: MediaFacts[K] } = {};
  try {
    const name = (await input.getFormat()).name;
    facts.format = formats[name] ?? name.toLowerCase();
    facts.durationSeconds = await readDuration(input);
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw new MediaTrouble('there is no video track that can be read');
    facts.width = await track.getDisplayWidth();
    facts.height = await track.getDisplayHeight();
    if (facts.format === 'mp4' || facts.format === 'mov') facts.keyFrames = await countKeyFrames(track);
    return facts;
  } catch (error) {
    return { ...facts, trouble: error instanceof Error ? error.message : String(error) };
  } finally {
    input.dispose();
  }
}

async function readDuration(input: Input): Promise<number> {
  const stated = await input.getDurationFromMetadata();
  const seconds = stated ?? (await input.computeDuration()) - (await input.getFirstTimestamp());
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new MediaTrouble('the file does not tell its length');
}

async function countKeyFrames(track: InputVideoTrack): Promise<number | undefined> {
  const { EncodedPacketSink } = await import('mediabunny');
  const sink = new EncodedPacketSink(track);
  const options = { metadataOnly: true };
  let count = 0;
  let packet = await sink.getFirstKeyPacket(options);
  while (packet !== null && count < mostKeyFrames) {
    count += 1;
    packet = await sink.getNextKeyPacket(packet, options);
  }
  return packet === null ? count : undefined;
}

/** 188 bytes, or 192 with a time before each (Blu-ray and cameras); `undefined` for anything but a stream. */
async function findPacketBytes(reader: HeaderReader): Promise<number | undefined> {
  const bytes = await reader.read(0, 1024);
  const beginsAt = (offset: number, length: number): boolean =>
    [0, 1, 2, 3].every((packet) => bytes[offset + packet * length] === 0x47);
  if (beginsAt(0, 188)) return 188;
  return beginsAt(4, 192) ? 192 : undefined;
}

/**
 * A stream is read as if it were its first and last packets alone: times stand in the packets, so its length comes out
 * right, and nothing between has to be searched.
 */
async function readStream(reader: HeaderReader, packet: number): Promise<MediaFacts> {
  const size = await reader.size();
  const headBytes = Math.floor(streamHeadBytes / packet) * packet;
  const tailStart = Math.ceil(Math.max(headBytes, size - streamTailBytes) / packet) * packet;
  const head = await reader.read(0, Math.min(headBytes, size));
  const tail = tailStart < size ? await reader.read(tailStart, size) : new Uint8Array();
  const ends = new Uint8Array(Buffer.concat([head, tail]));
  return await readContainer((start, end) => Promise.resolve(ends.subarray(start, end)), ends.length);
}
