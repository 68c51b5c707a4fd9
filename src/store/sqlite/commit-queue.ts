/**
 * Group commit: writes that come in one turn of the event loop share one transaction, so that a thousand of them cost
 * one sync of the disk and none waits for more than the turn's end.
 */
import { exitCodes, Stop } from '../../domain/problem.ts';
import type { Database } from './database.ts';
import type { Tally } from './tally.ts';

/** About how many rows a transaction takes on: more would hold up the event loop. */
const mostWeight = 1000;

interface Write {
  readonly weight: number;
  readonly work: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class CommitQueue {
  readonly #db: Database;
  readonly #tally: Tally;
  #waiting: Write[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(db: Database, tally: Tally) {
    this.#db = db;
    this.#tally = tally;
  }

  /**
   * Resolves with what `work` answered when its writes are durable, in the order of the calls. `work` may run more than
   * once, so it changes nothing but the database and the tally. `weight` is about how many rows it writes.
   */
  write<Result>(weight: number, work: () => Result): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#isClosed) {
        reject(new Error('the ledger is closed'));
        return;
      }
      this.#waiting.push({ weight, work, resolve: (result) => resolve(result as Result), reject });
      this.#schedule();
    });
  }

  /** Commits what waits and takes no more. */
  close(): void {
    this.#isClosed = true;
    while (this.#waiting.length > 0) this.#commit(this.#takeGroup());
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#waiting.length === 0) return;
      this.#commit(this.#takeGroup());
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #takeGroup(): readonly Write[] {
    let weight = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || weight < mostWeight)) {
      weight += this.#waiting[count]?.weight ?? 0;
      count += 1;
    }
    const group = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return group;
  }

  #commit(group: readonly Write[]): void {
    try {
      const results = this.#transact(group);
      for (const [index, write] of group.entries()) write.resolve(results[index]);
    } catch (error) {
      // What was not committed must not be told to anyone.
      this.#tally.clear();
      if (group.length === 1 || isOutage(error)) for (const write of group) write.reject(error);
      // One bad write must not lose the others, so each goes apart.
      else for (const write of group) this.#commit([write]);
    }
  }

  #transact(group: readonly Write[]): readonly unknown[] {
    this.#tally.clear();
    return this.#db.transact(() => {
      const results = group.map((write) => write.work());
      this.#tally.store();
      return results;
    });
  }
}

/** Where the disk or the file is at fault, trying each write apart would only repeat it. */
function isOutage(error: unknown): boolean {
  return error instanceof Stop && error.exitCode === exitCodes.halted;
}
