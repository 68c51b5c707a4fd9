/**
 * Time of a simulated world. It passes only when nothing can happen without it: between two steps every microtask has
 * run and every write that was begun has been committed, which is known exactly, so that no step waits for more than
 * one turn of the event loop.
 */
import { Agenda } from '../../src/dispatch/agenda.ts';
import type { Clock } from '../../src/domain/clock.ts';

interface Sleeper {
  readonly isAwake: () => boolean;
  readonly wake: () => void;
}

/** Someone sets the machine's wall clock. */
export interface ClockJump {
  readonly atMs: number;
  readonly offByMs: number;
}

const startMs = Date.parse('2026-11-20T02:00:00Z');
/** More than any schedule needs: whoever passes it goes round in circles. */
const mostSteps = 200_000;

export class SimClock implements Clock {
  #pending = 0;
  /** Told when no write is pending any more. */
  #tellIdle: () => void = () => undefined;
  #elapsedMs = 0;
  #steps = 0;
  readonly #sleepers = new Agenda<Sleeper>();
  /** How far the machine's wall clock is off, from when on; in the order of time. */
  #jumps: readonly ClockJump[];

  constructor(jumps: readonly ClockJump[] = []) {
    this.#jumps = jumps;
  }

  /** Writes that were begun and are not committed. */
  get pending(): number {
    return this.#pending;
  }

  set pending(count: number) {
    this.#pending = count;
    if (count === 0) this.#tellIdle();
  }

  /** The wall clock of the machine that the program runs on. */
  now(): number {
    const jump = this.#jumps.findLast(({ atMs }) => atMs <= this.#elapsedMs);
    return this.trueNow() + (jump?.offByMs ?? 0);
  }

  /** Somebody sets the machine's clock to what it is. */
  setRight(): void {
    this.#jumps = [];
  }

  /** What the vendor's clock says. */
  trueNow(): number {
    return Math.floor(startMs + this.#elapsedMs);
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Nothing else happens until this work is done, which takes no time of the simulated world. */
  async hold<Value>(work: () => Promise<Value>): Promise<Value> {
    this.pending += 1;
    try {
      return await work();
    } finally {
      this.pending -= 1;
    }
  }

  sleep(ms: number, signal?: AbortSignal, isAlive: () => boolean = () => true): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      let isDone = false;
      const wake = () => {
        if (isDone) return;
        isDone = true;
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#sleepers.add(this.#elapsedMs + Math.max(0, ms), { isAwake: () => isDone || !isAlive(), wake });
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets time pass until the promise is settled; throws where it never would be. */
  async drive<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      while (this.pending > 0 && !isSettled) {
        // A server takes its time, and may need the processor for it.
        await Promise.race([this.#becomeIdle(), settled]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (isSettled) return await settled;
      this.#wakeNext();
    }
  }

  #becomeIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#tellIdle = resolve;
    });
  }

  #wakeNext(): void {
    for (let at = this.#sleepers.nextAtMs; at !== undefined; at = this.#sleepers.nextAtMs) {
      const next = this.#sleepers.takeDue(at) as Sleeper;
      if (next.isAwake()) continue;
      this.#elapsedMs = Math.max(this.#elapsedMs, at);
      this.#steps += 1;
      if (this.#steps > mostSteps) throw new Error(`the session goes on for ever (${mostSteps} steps)`);
      next.wake();
      return;
    }
    throw new Error('nothing is left that could happen, and the session has not ended');
  }
}
