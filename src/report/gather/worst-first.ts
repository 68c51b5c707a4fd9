/** Keeps the worst of any number of entries within two bounds: a heap with the least bad one on top. */

export interface Ranked {
  /** Higher is worse. */
  readonly rank: number;
  /** Among equals the earlier one is kept; unique. */
  readonly order: number;
}

export interface Weighed extends Ranked {
  /** What it takes of the room, at least 0; 0 where left out. */
  readonly weight?: number | undefined;
}

export interface WorstFirst<Entry extends Ranked> {
  /** True where an entry of this rank and order may be kept, so that nobody builds what would be thrown away. */
  readonly takes: (ranked: Ranked) => boolean;
  readonly add: (entry: Entry) => void;
  readonly count: () => number;
  /** What was kept, worst first. */
  readonly list: () => readonly Entry[];
}

/**
 * Keeps as many of the worst as `limit` and `room` (a sum of weights) allow: a beginning of the whole order, whatever the
 * order in which they come. An addition costs the logarithm of what is kept.
 */
export function makeWorstFirst<Entry extends Weighed>(
  limit: number,
  room = Number.POSITIVE_INFINITY,
): WorstFirst<Entry> {
  const heap: Entry[] = [];
  let taken = 0;
  /** The worst of those that had to go: what is not worse than it has no place any more. */
  let floor: Ranked | undefined;

  const swap = (a: number, b: number) => {
    const [one, other] = [heap[a], heap[b]];
    if (one === undefined || other === undefined) return;
    heap[a] = other;
    heap[b] = one;
  };
  const isLess = (a: number, b: number) => {
    const [one, other] = [heap[a], heap[b]];
    return one !== undefined && other !== undefined && compareWorst(one, other) > 0;
  };
  const rise = (index: number) => {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isLess(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  };
  const sink = () => {
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const child = isLess(right, left) ? right : left;
      if (!isLess(child, at)) return;
      swap(at, child);
      at = child;
    }
  };
  const removeTop = () => {
    const [top] = heap;
    const last = heap.pop();
    if (top === undefined || last === undefined) return;
    if (heap.length > 0) {
      heap[0] = last;
      sink();
    }
    taken -= top.weight ?? 0;
    floor = top;
  };
  const takes = (ranked: Ranked) => floor === undefined || compareWorst(ranked, floor) < 0;

  return {
    takes,
    add(entry) {
      if (!takes(entry)) return;
      heap.push(entry);
      rise(heap.length - 1);
      taken += entry.weight ?? 0;
      while (heap.length > limit || taken > room) removeTop();
    },
    count: () => heap.length,
    list: () => heap.toSorted(compareWorst),
  };
}

function compareWorst(a: Ranked, b: Ranked): number {
  return b.rank - a.rank || a.order - b.order;
}
