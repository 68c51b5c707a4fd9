/** The characters that keys were seen to have, by their place in the key: they tell where other keys may lie. */

/** Deeper places share the last one. */
const deepest = 64;
const mostCharacters = 2048;
/** Keys of a page that are looked at. */
const looksAPage = 32;

export class Alphabet {
  /** Code points in order, by place; the last one is of all places together. */
  readonly #known: number[][] = [];
  readonly #all: number[] = [];

  /** Learns from some keys of a page. */
  observe(keys: readonly string[]): void {
    const step = Math.max(1, Math.floor(keys.length / looksAPage));
    for (let index = 0; index < keys.length; index += step) this.#learn(keys[index] ?? '');
    this.#learn(keys.at(-1) ?? '');
  }

  /** Code points seen at this place of any key, in order. */
  at(place: number): readonly number[] {
    return this.#known[Math.min(place, deepest)] ?? [];
  }

  /** Code points seen at any place, in order. */
  get all(): readonly number[] {
    return this.#all;
  }

  #learn(key: string): void {
    let place = 0;
    for (const character of key) {
      const codePoint = character.codePointAt(0) ?? 0;
      const at = Math.min(place, deepest);
      const known = this.#known[at] ?? [];
      this.#known[at] = known;
      insert(known, codePoint);
      insert(this.#all, codePoint);
      place += 1;
    }
  }
}

function insert(sorted: number[], value: number): void {
  const at = findFirst(sorted, value);
  if (sorted[at] !== value && sorted.length < mostCharacters) sorted.splice(at, 0, value);
}

/** Index of the first that is not below `value`. */
export function findFirst(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
