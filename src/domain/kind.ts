/** Which kind of item something is: what its row says, else what it holds, else what its name or type tells. */
import { type Kind, kinds } from './item.ts';

/**
 * Extensions of images. Qiniu's censor v3 manual, table of limits (read 2026-11-20), names png, jpg, jpeg, bmp, webp,
 * tif, tiff and gif; PAI's SDK documents (read 2026-11-20) name none and show jpg. The others are what phones,
 * browsers and cameras write besides. Vector drawings, icons and raw camera files are left out on purpose: no
 * service reads them.
 */
const imageExtensions: ReadonlySet<string> = new Set(
  'png jpg jpeg bmp webp tif tiff gif jfif jpe pjpeg apng dib heic heif avif jxl jp2'.split(' '),
);

/**
 * Extensions of videos. The same table names mp4, flv, mov, avi, wmv, ts and mpg; PAI's documents show mp4. Playlists
 * (m3u8, mpd) are left out on purpose: their segments would be listed and paid for once more.
 */
const videoExtensions: ReadonlySet<string> = new Set(
  [
    'mp4 flv mov avi wmv ts mpg',
    'm4v qt f4v mkv webm m2ts mts mpeg mpe m2v vob 3gp 3g2 asf rm rmvb ogv mxf mpegts',
  ].flatMap((names) => names.split(' ')),
);

/**
 * The extension of a key, or of the path of an http or https URL: lower case, without its dot; `''` for none.
 * The query of a URL never counts; a `?` in a key is a part of the key.
 */
export function extensionOf(keyOrUrl: string): string {
  const path = /^https?:\/\//i.test(keyOrUrl) ? readPath(keyOrUrl) : keyOrUrl;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/** What of an item tells its kind. */
export interface KindFacts {
  readonly kind?: string | undefined;
  readonly text?: string | undefined;
  readonly images?: readonly string[] | undefined;
  readonly videoUrl?: string | undefined;
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly contentType?: string | undefined;
}

/**
 * The kind of an item: its row's own kind; else post if it has text, images or a video URL; else by the extension of
 * its URL's path or its key; else by its content type. `undefined` where none of these tells: no service applies.
 */
export function kindOf(facts: KindFacts): Kind | undefined {
  return (
    kinds.find((kind) => kind === facts.kind) ??
    (isPost(facts) ? 'post' : undefined) ??
    kindOfExtension(facts.url) ??
    kindOfExtension(facts.key) ??
    kindOfType(facts.contentType)
  );
}

function isPost({ text, images, videoUrl }: KindFacts): boolean {
  return Boolean(text) || (images?.length ?? 0) > 0 || Boolean(videoUrl);
}

function kindOfExtension(keyOrUrl: string | undefined): Kind | undefined {
  if (keyOrUrl === undefined) return undefined;
  const extension = extensionOf(keyOrUrl);
  if (imageExtensions.has(extension)) return 'image';
  return videoExtensions.has(extension) ? 'video' : undefined;
}

function kindOfType(contentType: string | undefined): Kind | undefined {
  const type = contentType?.trim().toLowerCase() ?? '';
  if (type.startsWith('image/') && !type.startsWith('image/svg')) return 'image';
  return type.startsWith('video/') ? 'video' : undefined;
}

/** A URL whose path is what stands in it: nothing to be decoded, and no query. */
const plainUrl = /^https?:\/\/[\w.-]+(?::\d+)?((?:\/[\w-]+(?:\.[\w-]+)*)+)$/i;

function readPath(url: string): string {
  const plain = plainUrl.exec(url)?.[1];
  if (plain !== undefined) return plain;
  const path = URL.canParse(url) ? new URL(url).pathname : (url.split(/[?#]/, 1)[0] ?? '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
