/** Writes a run through the ledger's own connection, in this thread. */
import type { Spending } from '../../domain/caps.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { RunWriteName, RunWriter, RunWrites } from './run-writes.ts';
import { runWrites, tellSpending } from './run-writes.ts';
import type { Session } from './session.ts';

export class LocalWriter implements RunWriter {
  readonly #session: Session;
  readonly #queue: CommitQueue;

  constructor(session: Session, queue: CommitQueue) {
    this.#session = session;
    this.#queue = queue;
  }

  write<Name extends RunWriteName>(
    name: Name,
    takes: RunWrites[Name]['takes'],
  ): Promise<RunWrites[Name]['answers']> {
    const { weigh, perform } = runWrites[name];
    return this.#queue.write(weigh(takes), () => perform(this.#session, takes));
  }

  get spending(): Spending {
    return tellSpending(this.#session);
  }

  /** The queue is the ledger's, which closes it. */
  async close(): Promise<void> {}
}
