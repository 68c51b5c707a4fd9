/**
 * Waiting for room under a cap. A call holds the most that it may cost until it ends, and what it did not cost comes back:
 * a task that does not fit only beside such holds waits for the next end, as long as anything here is under way.
 */
export class CapRoom {
  readonly #isUnderWay: () => boolean;
  #ends = 0;

  constructor(isUnderWay: () => boolean) {
    this.#isUnderWay = isUnderWay;
  }

  /** Whether calls or jobs of this process will still give something back. */
  get isUnderWay(): boolean {
    return this.#isUnderWay();
  }

  /** How often something was given back: to be kept from before room was asked for. */
  get ends(): number {
    return this.#ends;
  }

  noteEnd(): void {
    this.#ends += 1;
  }

  /** Whether who found no room then may ask again. Who never asked may. */
  mayAsk(since: number | undefined): boolean {
    return since === undefined || this.#ends !== since || !this.isUnderWay;
  }
}
