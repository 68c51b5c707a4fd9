/** Writes a run through a thread of its own. What comes in one turn goes there together; each commit takes all that has come. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Spending } from '../../domain/caps.ts';
import type { RunOpening } from '../../domain/ledger.ts';
import type { Opened } from '../sql/opening.ts';
import type { RunWriteName, RunWriter, RunWrites } from '../sql/run-writes.ts';
import {
  isPlainRequest,
  pack,
  packOpening,
  type Replies,
  type Requests,
  type ThreadData,
  type ThreadRequest,
  unpack,
  unpackError,
} from './thread-messages.ts';

/** What a commit works with is gone after it: more would lie about unused. */
const youngMb = 12;

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class ThreadWriter implements RunWriter {
  readonly #worker: Worker;
  readonly #now: () => number;
  readonly #pending = new Map<number, Pending>();
  #outbox: ThreadRequest[] = [];
  #next = 0;
  #spending: Spending;
  #failure: Error | undefined;

  private constructor(worker: Worker, now: () => number, spending: Spending) {
    this.#worker = worker;
    this.#now = now;
    this.#spending = spending;
    worker.on('message', (replies: Replies) => this.#settle(replies));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', (code) => this.#fail(new Error(`the ledger's thread has ended (${code})`)));
  }

  /**
   * Starts the thread, which opens the run.
   *
   * @throws `Stop` as `openDatabase` and `openRun` do.
   */
  static async open(
    path: string,
    opening: RunOpening,
    now: () => number,
  ): Promise<{ readonly opened: Opened; readonly writer: ThreadWriter }> {
    const worker = new Worker(new URL('./run-thread.js', import.meta.url), {
      workerData: { path } satisfies ThreadData,
      resourceLimits: { maxYoungGenerationSizeMb: youngMb },
    });
    const requests: Requests = {
      nowMs: now(),
      requests: [{ is: 'open', opening: packOpening(opening) }],
    };
    worker.postMessage(requests);
    const [first] = (await once(worker, 'message')) as [Replies];
    if (first.is === 'opened') {
      return { opened: first.opened, writer: new ThreadWriter(worker, now, first.spending) };
    }
    await worker.terminate();
    throw first.is === 'refused'
      ? unpackError(first.error)
      : new Error('the ledger’s thread wrote before it opened');
  }

  get spending(): Spending {
    return this.#spending;
  }

  write<Name extends RunWriteName>(
    name: Name,
    takes: RunWrites[Name]['takes'],
  ): Promise<RunWrites[Name]['answers']> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      this.#next += 1;
      this.#pending.set(this.#next, { resolve: resolve as Pending['resolve'], reject });
      this.#send({ is: 'write', id: this.#next, name, takes } as ThreadRequest);
    });
  }

  async close(): Promise<void> {
    if (this.#failure) return;
    const ended = once(this.#worker, 'exit');
    this.#send({ is: 'close' });
    await ended;
  }

  /**
   * At the end of the turn, so that all of it goes together, and also while the thread commits: what it finds when that is
   * done shares the next commit, however many turns it came in.
   */
  #send(request: ThreadRequest): void {
    this.#outbox.push(request);
    if (this.#outbox.length > 1) return;
    setImmediate(() => {
      const requests: Requests = { nowMs: this.#now(), requests: pack(this.#outbox, isPlainRequest) };
      this.#outbox = [];
      this.#worker.postMessage(requests);
    });
  }

  #settle(replies: Replies): void {
    if (replies.is !== 'written') return;
    this.#spending = replies.spending;
    for (const reply of unpack(replies.replies)) {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if ('error' in reply) pending?.reject(unpackError(reply.error));
      else pending?.resolve(reply.answer);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}
