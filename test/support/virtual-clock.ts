/** Time that passes only when nothing else can happen: sleepers wake in order, and nobody waits for real. */
import type { Clock } from '../../src/domain/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Turns of the event loop after which everything that can happen without time passing has happened. */
const quietTurns = 12;

export class VirtualClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #order = 0;
  #sleepers: Sleeper[] = [];

  constructor(start = '2026-11-20T02:00:00Z') {
    this.#startMs = Date.parse(start);
  }

  /** How far the wall clock has been set from where it began. */
  setByMs = 0;

  now(): number {
    return Math.floor(this.#startMs + this.#elapsedMs + this.setByMs);
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        atMs: this.#elapsedMs + Math.max(0, ms),
        order: this.#order,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#order += 1;
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Lets time pass until the promise is settled. Throws where it never would be: nobody sleeps and nothing happens. */
  async drive<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    for (let idle = 0; !isSettled; ) {
      for (let turn = 0; turn < quietTurns && !isSettled; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (isSettled) break;
      const next = this.#sleepers.toSorted(
        (one, other) => one.atMs - other.atMs || one.order - other.order,
      )[0];
      if (next) {
        idle = 0;
        this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
        next.wake();
      } else {
        // The disk takes real time, whatever this clock says.
        idle += 1;
        if (idle > 2000) throw new Error('nothing is left that could happen, and the promise is not settled');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    return await settled;
  }
}
