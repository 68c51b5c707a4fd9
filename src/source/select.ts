/** Which items of a source the pipeline looks at: globs, kinds, sizes and dates. */
import picomatch from 'picomatch';
import type { Item } from '../domain/item.ts';
import { drawLot } from '../domain/lot.ts';
import type { SelectSettings } from '../domain/settings.ts';

/** The rules of `select:`, in the two steps that a source can ask them. */
export interface Selection {
  /** By the key, or the path of the URL: known before anything is asked of a storage. */
  readonly isPathSelected: (item: Item) => boolean;
  /** By size, date and sample. A size or date that nobody knows excludes nothing. */
  readonly mayBeSelected: (item: Item) => boolean;
  /** By kind, size, date and sample. */
  readonly isSelected: (item: Item) => boolean;
  /** False where no image and no video is wanted, so that what an object is need not be found out. */
  readonly wantsMedia: boolean;
}

/**
 * Makes the rules of a pipeline; `nowMs` is where `modifiedWithin` counts back from.
 *
 * Globs are case-sensitive and see the whole key, or the decoded path of the URL without its first slash; names that
 * begin with a dot count like others. An item with neither key nor URL matches no glob, so an `include` leaves it out.
 */
export function makeSelection(select: SelectSettings, nowMs: number): Selection {
  const isIncluded = makeMatcher(select.include);
  const isExcluded = makeMatcher(select.exclude);
  const modifiedAfterMs = readBoundary(select, nowMs);
  const { sample = 1, kinds } = select;
  const mayBeSelected = (item: Item): boolean =>
    (item.sizeBytes ?? Number.POSITIVE_INFINITY) >= (select.minSizeBytes ?? 0) &&
    (item.sizeBytes ?? 0) <= (select.maxSizeBytes ?? Number.POSITIVE_INFINITY) &&
    (item.lastModified === undefined || Date.parse(item.lastModified) >= modifiedAfterMs) &&
    (sample >= 1 || drawLot(item.id, 'select') < sample);
  const selectsPaths = isIncluded !== undefined || isExcluded !== undefined;
  return {
    isPathSelected: (item) => {
      if (!selectsPaths) return true;
      const path = pathOf(item);
      if (path === undefined) return isIncluded === undefined;
      return (isIncluded?.(path) ?? true) && !(isExcluded?.(path) ?? false);
    },
    mayBeSelected,
    isSelected: (item) =>
      (kinds.length === 0 || (item.kind !== undefined && kinds.includes(item.kind))) && mayBeSelected(item),
    wantsMedia: kinds.length === 0 || kinds.includes('image') || kinds.includes('video'),
  };
}

/**
 * Keys are no paths: a part `.` or `..` is a name like any other, which globs of paths never match. Both sides spell it in
 * another way for that; only a glob's own beginning `./` stands for nothing, as people write it. The `s` flag lets `**`
 * pass over line breaks, which keys may hold, and `**` alone is every key. */
function makeMatcher(globs: readonly string[]): ((path: string) => boolean) | undefined {
  if (globs.length === 0) return undefined;
  if (globs.includes('**')) return () => true;
  const written = globs.map((glob) => spellDots(glob.replace(/^\.\//, '')));
  const matches = picomatch(written, { dot: true, flags: 's', windows: false });
  return (path) => matches(spellDots(path));
}

function spellDots(path: string): string {
  return path.replace(/(?<=^|\/)\.{1,2}(?=\/|$)/g, (dots) => '\u{F8FF}'.repeat(dots.length));
}

function readBoundary(select: SelectSettings, nowMs: number): number {
  const after =
    select.modifiedAfter === undefined ? Number.NEGATIVE_INFINITY : Date.parse(select.modifiedAfter);
  const within =
    select.modifiedWithinMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - select.modifiedWithinMs;
  return Math.max(after, within);
}

function pathOf(item: Item): string | undefined {
  if (item.key !== undefined) return item.key;
  if (item.url === undefined || !URL.canParse(item.url)) return undefined;
  const path = new URL(item.url).pathname.replace(/^\//, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
