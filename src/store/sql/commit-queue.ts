/**
 * Group commit: writes that come in one turn of the event loop, or while the group before them is being committed, share
 * one transaction, so that a thousand of them cost one sync of the disk and none waits for more than the turn's end.
 */
import { exitCodes, Stop } from '../../domain/problem.ts';
import type { WritingDatabase } from './database.ts';
import { after, inTurn, type Soon } from './soon.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { Tally } from './tally.ts';

/** About how many rows a transaction takes on: more would hold up the event loop. */
const mostWeight = 1000;

interface Write {
  readonly weight: number;
  readonly work: () => Soon<unknown>;
  readonly foresee: (() => void) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Looks at what a transaction has changed, before it commits; what it has seen is shown once that is durable. */
export interface Witness {
  /** Tells the tally what it will ask for. */
  foresee(): void;
  look(): Soon<() => void>;
}

/** What a queue writes through. */
interface Desk {
  readonly db: WritingDatabase;
  readonly tally: Tally;
  readonly ahead: ReadAhead;
}

export class CommitQueue {
  readonly #desk: Desk;
  readonly #witnesses: Witness[] = [];
  #waiting: Write[] = [];
  #isScheduled = false;
  #isClosed = false;
  #last: Promise<void> = Promise.resolve();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /**
   * Resolves with what `work` answered when its writes are durable, in the order of the calls. `work` may run more than
   * once, so it changes nothing but the database and the tally. `weight` is about how many rows it writes. `foresee` tells
   * the read-ahead what `work` will ask for; work without it may change anything.
   */
  write<Result>(weight: number, work: () => Soon<Result>, foresee?: () => void): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#isClosed) {
        reject(new Error('the ledger is closed'));
        return;
      }
      this.#waiting.push({ weight, work, foresee, resolve: (result) => resolve(result as Result), reject });
      this.#schedule();
    });
  }

  addWitness(witness: Witness): void {
    this.#witnesses.push(witness);
  }

  /** Commits what waits and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#waiting.length > 0) this.#commitNext();
    await this.#last;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#waiting.length === 0) return;
      this.#isScheduled = true;
      this.#commitNext();
      void this.#last.then(() => {
        this.#isScheduled = false;
        if (this.#waiting.length > 0) this.#schedule();
      });
    });
  }

  /** Groups are committed one after the other. */
  #commitNext(): void {
    const group = this.#takeGroup();
    this.#last = this.#last.then(() => this.#commit(group));
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

  /** Never rejects: each write of the group is told. */
  async #commit(group: readonly Write[]): Promise<void> {
    try {
      const { results, shows } = await this.#desk.db.transact(
        () => this.#perform(group),
        () => this.#foresee(group),
      );
      for (const show of shows) show();
      for (const [index, write] of group.entries()) write.resolve(results[index]);
    } catch (error) {
      if (group.length === 1 || isOutage(error)) for (const write of group) write.reject(error);
      // One bad write must not lose the others, so each goes apart.
      else for (const write of group) await this.#commit([write]);
    }
  }

  /** Reads in one go what the group will ask for. */
  async #foresee(group: readonly Write[]): Promise<void> {
    const { tally, ahead } = this.#desk;
    tally.clear();
    ahead.clear();
    for (const { foresee } of group) foresee?.();
    for (const witness of this.#witnesses) witness.foresee();
    await Promise.all([ahead.load(), tally.load()]);
  }

  /** Inside a transaction. What another process has committed meanwhile is read anew. */
  #perform(group: readonly Write[]): Soon<{ readonly results: unknown[]; readonly shows: (() => void)[] }> {
    const { db, tally, ahead } = this.#desk;
    if (!db.isFar) {
      tally.clear();
      ahead.clear();
    }
    const results: unknown[] = [];
    const shows: (() => void)[] = [];
    const write = ({ work, foresee }: Write) => {
      if (!foresee) ahead.forgetAll();
      return after(work(), (result) => {
        results.push(result);
        if (!foresee) ahead.forgetAll();
      });
    };
    const look = (witness: Witness) => after(witness.look(), (show) => void shows.push(show));
    return after(inTurn(group, write), () =>
      after(inTurn(this.#witnesses, look), () => {
        tally.store(db);
        return { results, shows };
      }),
    );
  }
}

/** Where the disk or the server is at fault, trying each write apart would only repeat it. */
function isOutage(error: unknown): boolean {
  return error instanceof Stop && error.exitCode === exitCodes.halted;
}
