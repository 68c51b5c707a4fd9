/** Where a listing stands, as text: the key ranges of which something has not been yielded yet. */
import { wrongUse } from '../../domain/problem.ts';
import { compareKeys } from '../../domain/key-order.ts';

/** Keys between two keys, both exclusive. */
export interface KeyRange {
  /** Place of its prefix in their sorted row. */
  readonly prefix: number;
  /** Empty for the beginning of the prefix. */
  readonly after: string;
  /** Absent for the end of the prefix. */
  readonly before?: string | undefined;
}

export interface Place {
  /** In no particular order; they do not overlap. */
  readonly open: readonly KeyRange[];
  /** The first prefix that was not begun. */
  readonly next: number;
  /** The server orders keys in a way of its own: everything is listed from the beginning. */
  readonly isUnordered?: boolean | undefined;
}

const unordered = '{"unordered":true}';

/** `[prefix, after]` where one listing goes on to the end, else `{ next, open: [[prefix, after, before]] }`. */
export function writePlace({ open, next, isUnordered }: Place): string {
  if (isUnordered === true) return unordered;
  const [only, ...others] = open;
  if (only && others.length === 0 && only.before === undefined && next === only.prefix + 1) {
    return JSON.stringify([only.prefix, only.after]);
  }
  const ranges = open.map(({ prefix, after, before }) =>
    before === undefined ? [prefix, after] : [prefix, after, before],
  );
  return JSON.stringify({ next, open: ranges });
}

/** The beginning where there is no checkpoint. @throws Stop with exit 2 for one that is none of this source's */
export function readPlace(checkpoint: string | undefined, prefixes: number): Place {
  if (checkpoint === undefined) return { open: [], next: 0 };
  if (checkpoint === unordered) return { open: [], next: 0, isUnordered: true };
  const place = parsePlace(parseJson(checkpoint), prefixes);
  if (place !== undefined) return place;
  throw wrongUse(
    `checkpoint "${checkpoint}": expected a prefix of this pipeline and a key, or ranges of keys. Start a new run.`,
  );
}

function parsePlace(value: unknown, prefixes: number): Place | undefined {
  if (Array.isArray(value)) {
    const only = parseRange(value, prefixes);
    return only && { open: [only], next: only.prefix + 1 };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const next: unknown = Reflect.get(value, 'next');
  const written: unknown = Reflect.get(value, 'open');
  if (typeof next !== 'number' || next < 0 || next > prefixes || !Array.isArray(written)) return undefined;
  const open = written.flatMap((range) => parseRange(range, prefixes) ?? []);
  if (open.length !== written.length) return undefined;
  return { next, open: open.sort((a, b) => a.prefix - b.prefix || compareKeys(a.after, b.after)) };
}

function parseRange(value: unknown, prefixes: number): KeyRange | undefined {
  const [prefix, after, before]: readonly unknown[] = Array.isArray(value) ? value : [];
  if (typeof prefix !== 'number' || !(prefix >= 0 && prefix < prefixes)) return undefined;
  if (typeof after !== 'string' || (before !== undefined && typeof before !== 'string')) return undefined;
  return { prefix, after, before };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
