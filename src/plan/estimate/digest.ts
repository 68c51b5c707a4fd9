/** Tells whether, and how much, two libraries differ, at flat memory and in any order of their items. */
import { createHash } from 'node:crypto';
import type { LibraryDigest } from '../../domain/estimate.ts';

/** As many hashes are remembered. The share that two libraries have in common is then known to about 2 %. */
const remembered = 512;
const modulus = 2n ** 128n;

/** Adds up hashes, so that twice the same content counts twice. */
export class Digest {
  #items = 0;
  #sum = 0n;
  /** Sorted, each once. */
  #least: string[] = [];

  add(contentId: string, kind: string): void {
    const hash = createHash('sha256').update(`${kind}\n${contentId}`).digest('hex');
    this.#items += 1;
    this.#sum = (this.#sum + BigInt(`0x${hash.slice(0, 32)}`)) % modulus;
    this.#remember(hash.slice(0, 16));
  }

  read(): LibraryDigest {
    return {
      items: this.#items,
      sum: this.#sum.toString(16).padStart(32, '0'),
      least: [...this.#least],
    };
  }

  #remember(hash: string): void {
    const last = this.#least.at(-1);
    if (this.#least.length === remembered && last !== undefined && hash >= last) return;
    let low = 0;
    let high = this.#least.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#least[middle] as string) < hash) low = middle + 1;
      else high = middle;
    }
    if (this.#least[low] === hash) return;
    this.#least.splice(low, 0, hash);
    if (this.#least.length > remembered) this.#least.pop();
  }
}

/** By how much `measureChange` may be off: twice and a half its deviation, nothing where it is exact. */
export function errorOf(one: LibraryDigest, other: LibraryDigest): number {
  return Math.max(one.least.length, other.least.length) < remembered ? 1e-9 : 0.05;
}

/**
 * Which share of the contents of both together is in one of them only: 0 for the same library, 1 for another one. Exact
 * for libraries of up to 512 contents, and for equal ones; an estimate from the smallest hashes else (bottom-k sketch).
 */
export function measureChange(one: LibraryDigest, other: LibraryDigest): number {
  if (one.sum === other.sum && one.items === other.items) return 0;
  const union = [...new Set([...one.least, ...other.least])].sort().slice(0, remembered);
  if (union.length === 0) return 0;
  const [left, right] = [new Set(one.least), new Set(other.least)];
  const common = union.filter((hash) => left.has(hash) && right.has(hash)).length;
  return 1 - common / union.length;
}
