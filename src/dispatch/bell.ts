/** Wakes whoever waits for something to happen. */
import type { Clock } from '../domain/clock.ts';

const rang = 'the bell rang';

export class Bell {
  #waiters: (() => void)[] = [];

  ring(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves at the next ring, or after `ms` if given. */
  async wait(clock: Clock, ms?: number): Promise<void> {
    if (ms === undefined) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
      return;
    }
    const rung = new AbortController();
    // An abort without a reason makes an error of its own, with a stack, which takes longer than all the rest.
    this.#waiters.push(() => rung.abort(rang));
    await clock.sleep(ms, rung.signal);
  }
}
