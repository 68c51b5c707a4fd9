/** What is to be done when: retries, polls and searches in one queue, earliest first, equal times in order of arrival. */

interface Entry<Work> {
  readonly atMs: number;
  readonly order: number;
  work: Work;
}

export class Agenda<Work> {
  readonly #heap: Entry<Work>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  has(isMeant: (work: Work) => boolean): boolean {
    return this.#heap.some(({ work }) => isMeant(work));
  }

  /** When the earliest entry is due; undefined where there is none. */
  get nextAtMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  add(atMs: number, work: Work): void {
    const heap = this.#heap;
    const entry: Entry<Work> = { atMs, order: this.#order, work };
    this.#order += 1;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as Entry<Work>, entry)) break;
      heap[index] = heap[parent] as Entry<Work>;
      index = parent;
    }
    heap[index] = entry;
  }

  /** The earliest entry, if it is due. */
  takeDue(nowMs: number): Work | undefined {
    const first = this.#heap[0];
    if (!first || first.atMs > nowMs) return undefined;
    this.#removeFirst();
    return first.work;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry<Work>;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child =
        right < heap.length && isBefore(heap[right] as Entry<Work>, heap[left] as Entry<Work>) ? right : left;
      if (isBefore(last, heap[child] as Entry<Work>)) break;
      heap[index] = heap[child] as Entry<Work>;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore<Work>(one: Entry<Work>, other: Entry<Work>): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
