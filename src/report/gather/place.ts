/** Verdicts by the folders of the library: where in it the trouble lies. */
import type { Item } from '../../domain/item.ts';
import { type Verdict, verdicts } from '../../domain/policy.ts';
import type { VerdictCounts } from '../../domain/summary.ts';
import type { JudgedItem } from '../judged-item.ts';
import { readBucket, readId, readKey } from '../table/address.ts';

export interface PlaceCount {
  /** Bucket and folders, or the folders of a URL, with a slash at the end. */
  readonly place: string;
  readonly verdicts: VerdictCounts;
}

export interface Places {
  readonly add: (row: JudgedItem) => void;
  /** How many folders deep the library first divides; 0 where it does not, so that there is nothing to compare. */
  readonly depth: () => number;
  /** Places of that depth, those with most flagged items first. */
  readonly list: () => readonly PlaceCount[];
  /** Items of places that came after the first 300 different ones. */
  readonly unlisted: () => number;
}

const deepest = 6;
const mostPlaces = 300;

interface Level {
  readonly counts: Map<string, Record<Verdict, number>>;
  unlisted: number;
}

/** Memory is bounded: six depths of at most 300 places each. */
export function makePlaces(): Places {
  const levels = Array.from({ length: deepest }, (): Level => ({ counts: new Map(), unlisted: 0 }));
  const isDivided = ({ counts }: Level) => counts.size > 1;
  const find = () => levels.find(isDivided);
  /** The counts of a folder at each depth; undefined where there is no room for one more. */
  const open = (folder: string) =>
    levels.map(({ counts }, index) => {
      const place = cutPlace(folder, index + 1);
      const known = counts.get(place);
      if (known || counts.size >= mostPlaces) return known;
      const made = noVerdicts();
      counts.set(place, made);
      return made;
    });
  // Neighbours mostly lie in one folder.
  let last: { readonly folder: string; readonly counts: ReturnType<typeof open> } | undefined;
  return {
    add({ item, verdict }) {
      if (verdict === '') return;
      const path = readPlace(item);
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      if (last?.folder !== folder) last = { folder, counts: open(folder) };
      for (const [index, counts] of last.counts.entries()) {
        const level = levels[index] as Level;
        if (counts) counts[verdict] += 1;
        else level.unlisted += 1;
      }
    },
    depth: () => levels.findIndex(isDivided) + 1,
    list: () =>
      [...(find()?.counts ?? [])]
        .map(([place, counts]) => ({ place, verdicts: counts }))
        .sort((a, b) => countFlagged(b) - countFlagged(a) || b.verdicts.block - a.verdicts.block),
    unlisted: () => find()?.unlisted ?? 0,
  };
}

function noVerdicts(): Record<Verdict, number> {
  return Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
}

function countFlagged({ verdicts: { block, review } }: PlaceCount): number {
  return block + review;
}

/** The path of an item, from its bucket or its URL's host on. */
export function readPlace(item: Item): string {
  const [bucket, key] = [readBucket(item), readKey(item)];
  if (key === undefined) return readId(item);
  return bucket === undefined ? key : `${bucket}/${key}`;
}

/**
 * The first folders of a path, at most `depth`, the scheme of a URL belonging to its host; the empty string for a file
 * that lies in none. The page's script cuts in the same way.
 */
export function cutPlace(path: string, depth: number): string {
  const host = /^https?:\/\//i.exec(path)?.[0].length ?? 0;
  let end = 0;
  for (let found = 0; found < depth; found += 1) {
    const next = path.indexOf('/', Math.max(end, host));
    if (next < 0) break;
    end = next + 1;
  }
  return path.slice(0, end);
}
