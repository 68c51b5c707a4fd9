/** Whether a media file lies within what a vendor accepts or advises: by its size, pixels, format and length. */
import type { Item, MediaFacts } from './item.ts';
import { formatCount, formatDuration, formatSize } from './quantity.ts';
import type { MediaLimits } from './service.ts';

/**
 * What to do with media outside a service's limits: nothing; tell of what the listing shows; or read the headers too,
 * and skip.
 */
export const fitModes = ['off', 'warn', 'skip'] as const;
export type FitMode = (typeof fitModes)[number];

/** Begins the reason of every task that is skipped because of its media. */
const prefix = 'fit: ';

/** One limit: what it is in words, what of a file it looks at, and whether that lies within. */
interface Bound {
  readonly words: string;
  /** What of the file is outside, in words; `undefined` where it is within, or not known. */
  readonly exceed: (file: FileFacts) => string | undefined;
  /** True where the listing alone may tell. */
  readonly isListed: boolean;
}

type FileFacts = Pick<MediaFacts, 'sizeBytes' | 'durationSeconds' | 'width' | 'height' | 'format'>;

/** No vendor can look at nothing. */
const notEmpty: Bound = {
  words: 'at least 1 B',
  exceed: ({ sizeBytes }) => (sizeBytes === 0 ? '0 B' : undefined),
  isListed: true,
};

/** What the vendor asks of a file, in the fewest words: `advised: at most 5 MB, at least 240 x 240 pixels`. */
export function describeLimits(limits: MediaLimits): string {
  const bounds = listBounds(limits).map(({ words }) => words);
  const known = [...bounds, ...(limits.note === undefined ? [] : [limits.note])].join(', ');
  if (known === '') return 'no documented limits';
  if (bounds.length === 0) return `${known}; no other documented limits`;
  return limits.isAdvice === true ? `advised: ${known}` : known;
}

/**
 * Why the file is outside the limits, such as `fit: 12.4 MB, at most 10 MB`; `undefined` where it is within, as far as
 * is known: what nobody knows of a file excludes nothing.
 *
 * Pixels are compared whichever way up: a film of 240 x 320 has the 320 x 240 that a manual asks for. Posts are bounded
 * by nothing here.
 */
export function findMisfit(limits: MediaLimits, item: Item, media: MediaFacts = {}): string | undefined {
  if (item.kind === 'post') return undefined;
  const file: FileFacts = {
    ...media,
    sizeBytes: item.sizeBytes ?? media.sizeBytes,
    durationSeconds: item.durationSeconds ?? media.durationSeconds,
  };
  for (const bound of [notEmpty, ...listBounds(limits)]) {
    const found = bound.exceed(file);
    if (found !== undefined) return `${prefix}${found}, ${bound.words}`;
  }
  return undefined;
}

/** Whether the file's header could tell more about its fit than its listing does. */
export function hasHiddenBounds(limits: MediaLimits, item: Item): boolean {
  if (item.kind !== 'image' && item.kind !== 'video') return false;
  return listBounds(limits).some(({ isListed }) => !isListed || item.sizeBytes === undefined);
}

/** The reason without what is the file's own, so that reasons can be counted: `fit: at most 10 MB`. */
export function classifyReason(reason: string): string {
  return reason.startsWith(prefix) ? reason.replace(/^fit: .*?, /, prefix) : reason;
}

function listBounds(limits: MediaLimits): readonly Bound[] {
  return [
    ...boundSize(limits),
    ...boundPixels(limits.minWidth, limits.minHeight, 'at least', (found, limit) => found < limit),
    ...boundPixels(limits.maxWidth, limits.maxHeight, 'at most', (found, limit) => found > limit),
    ...boundLength(limits),
    ...boundFormat(limits),
  ];
}

function boundSize({ maxBytes }: MediaLimits): readonly Bound[] {
  if (maxBytes === undefined) return [];
  return [
    {
      words: `at most ${formatVendorSize(maxBytes)}`,
      exceed: ({ sizeBytes = 0 }) => (sizeBytes > maxBytes ? formatFinely(sizeBytes) : undefined),
      isListed: true,
    },
  ];
}

function boundPixels(
  width: number | undefined,
  height: number | undefined,
  word: string,
  isOutside: (found: number, limit: number) => boolean,
): readonly Bound[] {
  if (width === undefined || height === undefined) return [];
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  return [
    {
      words: `${word} ${width} x ${height} pixels`,
      exceed: (file) => {
        if (file.width === undefined || file.height === undefined) return undefined;
        const isFar =
          isOutside(Math.min(file.width, file.height), short) ||
          isOutside(Math.max(file.width, file.height), long);
        return isFar ? `${file.width} x ${file.height}` : undefined;
      },
      isListed: false,
    },
  ];
}

function boundLength({ maxSeconds }: MediaLimits): readonly Bound[] {
  if (maxSeconds === undefined) return [];
  return [
    {
      words: `at most ${formatDuration(maxSeconds * 1000)}`,
      exceed: ({ durationSeconds = 0 }) =>
        durationSeconds > maxSeconds ? formatDuration(durationSeconds * 1000) : undefined,
      isListed: false,
    },
  ];
}

function boundFormat({ formats }: MediaLimits): readonly Bound[] {
  if (formats === undefined) return [];
  return [
    {
      words: `one of ${formats.join(' ')}`,
      exceed: ({ format }) => (format === undefined || formats.includes(format) ? undefined : format),
      isListed: false,
    },
  ];
}

/** In powers of 1000 with a decimal, rounded up, so that what is too large never looks as if it were not. */
function formatFinely(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const tenths = Math.ceil(bytes / (1000 ** power / 10));
  return `${formatCount(Math.floor(tenths / 10))}${tenths % 10 === 0 ? '' : `.${tenths % 10}`} ${'KMGT'[power - 1]}B`;
}

/**
 * Vendors write MB and do not say of which size; ours are the larger ones, so that no file is called too large that is
 * not, and they are printed as the vendor wrote them.
 */
function formatVendorSize(bytes: number): string {
  for (const [unit, name] of [
    [1024 ** 3, 'GB'],
    [1024 ** 2, 'MB'],
    [1024, 'KB'],
  ] as const) {
    if (bytes % unit === 0) return `${formatCount(bytes / unit)} ${name}`;
  }
  return formatSize(bytes);
}
