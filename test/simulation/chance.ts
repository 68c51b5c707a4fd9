/** Chance that replays: everything that a schedule leaves open is drawn from its seed. */

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  }

  /** From 0 (inclusive) to 1 (exclusive). Mulberry32. */
  draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  isTrue(probability: number): boolean {
    return this.draw() < probability;
  }

  between(from: number, to: number): number {
    return from + this.draw() * (to - from);
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  /** Small numbers as often as large ones: what matters mostly happens early. */
  magnitude(from: number, to: number): number {
    return Math.round(Math.exp(this.between(Math.log(from), Math.log(to))));
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.whole(0, values.length - 1)] as Value;
  }
}
