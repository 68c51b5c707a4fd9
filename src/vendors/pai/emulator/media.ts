/** How the stand-in looks at media: it fetches the link, as the vendor does, and reads the real size and length. */
import { createHash } from 'node:crypto';
import { imageSize } from 'image-size';
import { ALL_FORMATS, BufferSource, Input } from 'mediabunny';
import type { EmulatorTools, KnownMedia } from '../../../domain/emulator.ts';

/** More is not read; the vendor advises 5 MB. */
const maxImageBytes = 16 * 1024 * 1024;
/** Enough for samples; a longer file is read as far as it goes. */
const maxVideoBytes = 32 * 1024 * 1024;

export interface SeenImage {
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

export interface SeenVideo {
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly durationSeconds: number;
  readonly framesPerSecond: number;
}

type Seen<Media> =
  | { readonly ok: true; readonly media: Media }
  | { readonly ok: false; readonly message: string };
type Tools = Pick<EmulatorTools, 'reader' | 'knownMedia'>;

/** An image by its link, or the image itself in base64. */
export async function lookAtImage(image: string, tools: Tools): Promise<Seen<SeenImage>> {
  const isLink = /^https?:\/\//i.test(image);
  if (!isLink && !isBase64(image)) {
    return refuse('base64decode error: base64decode error: incorrect base64 format data');
  }
  const got = isLink
    ? await fetchMedia(image, maxImageBytes, tools)
    : { bytes: Buffer.from(image, 'base64') };
  if ('trouble' in got) return refuse(got.trouble);
  try {
    const { width, height } = imageSize(got.bytes);
    return { ok: true, media: { sha256: digest(got.bytes), width, height, bytes: got.bytes } };
  } catch {
    return refuse('decode failed');
  }
  function refuse(cause: string): Seen<SeenImage> {
    return { ok: false, message: `Invalid Input - image data error - ${cause}` };
  }
}

/** A video by its link: what is known of it beforehand, else what its own index says. */
export async function lookAtVideo(url: string, tools: Tools): Promise<Seen<SeenVideo>> {
  const got = await fetchMedia(url, maxVideoBytes, tools);
  if ('trouble' in got) return { ok: false, message: `failed to download video, err=${got.trouble}` };
  const sha256 = digest(got.bytes);
  const known = tools.knownMedia.get(sha256);
  const facts = known?.durationSeconds === undefined ? await probe(got.bytes) : known;
  if (!facts) return { ok: false, message: 'Invalid Input - video data error - load video failed' };
  return {
    ok: true,
    media: {
      sha256,
      width: facts.width,
      height: facts.height,
      durationSeconds: facts.durationSeconds ?? 0,
      framesPerSecond: facts.framesPerSecond ?? 25,
    },
  };
}

async function fetchMedia(
  url: string,
  maxBytes: number,
  { reader }: Tools,
): Promise<{ readonly bytes: Uint8Array } | { readonly trouble: string }> {
  const got = await reader.read(url, 0, maxBytes);
  if (got.ok) return { bytes: got.bytes };
  return {
    trouble: got.status === undefined ? got.message : `fetch resource failed\tcode = ${got.status}`,
  };
}

async function probe(bytes: Uint8Array): Promise<KnownMedia | undefined> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryVideoTrack();
    if (!track) return undefined;
    const [durationSeconds, statistics] = await Promise.all([
      input.computeDuration(),
      track.computePacketStats(120),
    ]);
    return {
      width: track.displayWidth,
      height: track.displayHeight,
      durationSeconds,
      framesPerSecond: statistics.averagePacketRate,
    };
  } catch {
    return undefined;
  } finally {
    input.dispose();
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

export function digest(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
