/** Writes a run through a queue of commits in this thread. */
import type { Spending } from '../../domain/caps.ts';
import type { RunOpening } from '../../domain/ledger.ts';
import type { CommitQueue } from './commit-queue.ts';
import { type Opened, openRun } from './opening.ts';
import type { RunWriteName, RunWriter, RunWrites } from './run-writes.ts';
import { runWrites, tellSpending, wantSpending } from './run-writes.ts';
import type { Office, Session } from './session.ts';
import { after } from './soon.ts';

export class LocalWriter implements RunWriter {
  readonly #session: Session;
  readonly #queue: CommitQueue;
  #spending: Spending;
  /** The transaction that is under way may have moved money or units. */
  #isMoved = false;

  private constructor(session: Session, queue: CommitQueue, spending: Spending) {
    this.#session = session;
    this.#queue = queue;
    this.#spending = spending;
    queue.addWitness({
      foresee: () => {
        if (this.#mayMove) wantSpending(session);
      },
      look: () => {
        if (!this.#mayMove) return () => undefined;
        this.#isMoved = false;
        return after(tellSpending(session), (seen) => () => {
          this.#spending = seen;
        });
      },
    });
  }

  /** Opens the run in a commit of its own. */
  static async open(
    office: Office,
    queue: CommitQueue,
    opening: RunOpening,
  ): Promise<{ readonly opened: Opened; readonly writer: LocalWriter }> {
    const { opened, session, spending } = await queue.write(1, async () => {
      const made = await openRun(office, opening);
      const own: Session = { ...office, ...made.terms };
      return { opened: made, session: own, spending: await tellSpending(own) };
    });
    return { opened, writer: new LocalWriter(session, queue, spending) };
  }

  write<Name extends RunWriteName>(
    name: Name,
    takes: RunWrites[Name]['takes'],
  ): Promise<RunWrites[Name]['answers']> {
    const { weigh, perform, foresee } = runWrites[name];
    const note = () => {
      if (name !== 'exchangePace') this.#isMoved = true;
    };
    return this.#queue.write(
      weigh(takes),
      () => {
        note();
        return perform(this.#session, takes);
      },
      foresee &&
        (() => {
          note();
          foresee(this.#session, takes);
        }),
    );
  }

  /** Where nothing bounds it, a run's money is moved by its own writes alone. */
  get #mayMove(): boolean {
    return this.#isMoved || this.#session.caps.length > 0;
  }

  get spending(): Spending {
    return this.#spending;
  }

  /** The queue is the ledger's, which closes it. */
  async close(): Promise<void> {}
}
