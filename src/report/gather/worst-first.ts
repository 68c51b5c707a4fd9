/** Keeps the worst of any number of entries within a bound: a heap with the least bad one on top. */

export interface Ranked {
  /** Higher is worse. */
  readonly rank: number;
  /** Among equals the earlier one is kept; unique. */
  readonly order: number;
}

export interface WorstFirst<Entry extends Ranked> {
  /** True where an entry of this rank and order would be kept, so that nobody builds what would be thrown away. */
  readonly takes: (ranked: Ranked) => boolean;
  readonly add: (entry: Entry) => void;
  /** What was kept, worst first. */
  readonly list: () => readonly Entry[];
}

/** Memory is bounded by `limit` entries; an addition costs the logarithm of it. */
export function makeWorstFirst<Entry extends Ranked>(limit: number): WorstFirst<Entry> {
  const heap: Entry[] = [];

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
  const takes = (ranked: Ranked) => {
    const top = heap[0];
    return heap.length < limit || (top !== undefined && compareWorst(ranked, top) < 0);
  };

  return {
    takes,
    add(entry) {
      if (!takes(entry)) return;
      if (heap.length < limit) {
        heap.push(entry);
        rise(heap.length - 1);
      } else {
        heap[0] = entry;
        sink();
      }
    },
    list: () => heap.toSorted(compareWorst),
  };
}

function compareWorst(a: Ranked, b: Ranked): number {
  return b.rank - a.rank || a.order - b.order;
}
