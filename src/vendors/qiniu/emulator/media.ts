/** Fetches the media that a submission names, and learns its length and key frames. */
import { createHash } from 'node:crypto';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import type { KnownMedia } from '../../../domain/emulator.ts';
import type { UrlReader } from '../../../domain/exchange.ts';

/** More than this is refused as a file that cannot be opened. */
const mostBytes = 128 * 1024 * 1024;
const pieceBytes = 8 * 1024 * 1024;

export interface FetchedVideo {
  /** SHA-256 of the bytes, lower-case hex. */
  readonly sha256: string;
  readonly durationMs: number;
  readonly keyFramesMs: readonly number[];
}

export interface FetchTrouble {
  readonly status: 400 | 424;
  readonly error: 'cannot find the video' | 'cannot open the file';
}

/**
 * Reads the whole file within bounds; its facts come from the table of known media by its hash, else from its own
 * index. A link that leads nowhere is 424, a file that is no video 400 (v1 error table).
 */
export async function fetchVideo(
  reader: UrlReader,
  url: string,
  knownMedia: ReadonlyMap<string, KnownMedia>,
): Promise<FetchedVideo | FetchTrouble> {
  const bytes = await readAll(reader, url);
  if (bytes === undefined) return { status: 424, error: 'cannot find the video' };
  if (bytes === 'too large') return { status: 400, error: 'cannot open the file' };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const known = knownMedia.get(sha256);
  if (known?.durationSeconds !== undefined && known.keyFramesMs !== undefined) {
    return { sha256, durationMs: known.durationSeconds * 1000, keyFramesMs: known.keyFramesMs };
  }
  const read = await readIndex(bytes);
  if (read === undefined) return { status: 400, error: 'cannot open the file' };
  const durationMs = known?.durationSeconds === undefined ? read.durationMs : known.durationSeconds * 1000;
  return { sha256, durationMs, keyFramesMs: known?.keyFramesMs ?? read.keyFramesMs };
}

async function readAll(reader: UrlReader, url: string): Promise<Buffer | 'too large' | undefined> {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < mostBytes; start += pieceBytes) {
    const piece = await reader.read(url, start, start + pieceBytes);
    // A store answers 416 where a file ends exactly at a piece's end.
    if (!piece.ok) return start > 0 && piece.status === 416 ? Buffer.concat(pieces) : undefined;
    pieces.push(piece.bytes);
    const isLast = piece.bytes.length < pieceBytes || piece.totalBytes === start + pieceBytes;
    if (isLast) return Buffer.concat(pieces);
  }
  return 'too large';
}

/** `undefined` where the bytes are no video. */
async function readIndex(
  bytes: Buffer,
): Promise<{ readonly durationMs: number; readonly keyFramesMs: readonly number[] } | undefined> {
  try {
    const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
    const track = await input.getPrimaryVideoTrack();
    if (track === null) return undefined;
    const sink = new EncodedPacketSink(track);
    const first = await track.getFirstTimestamp();
    const keyFramesMs: number[] = [];
    let packet = await sink.getFirstKeyPacket({ metadataOnly: true });
    while (packet !== null) {
      keyFramesMs.push(Math.round((packet.timestamp - first) * 1000));
      packet = await sink.getNextKeyPacket(packet, { metadataOnly: true });
    }
    return { durationMs: Math.round(((await track.computeDuration()) - first) * 1000), keyFramesMs };
  } catch {
    return undefined;
  }
}
