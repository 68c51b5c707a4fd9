/** The locks of pipelines as the system keeps them: one holder each, and free the moment that it dies. */
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import type { SimProcess } from './sim-process.ts';

export class SimLocks {
  readonly #holders = new Map<string, SimProcess>();

  /**
   * Answers what releases it.
   *
   * @throws `Stop` with exit 6 where a living process holds it.
   */
  take(process: SimProcess): () => void {
    const { pipeline } = process;
    if (this.isHeld(pipeline)) {
      throw new Stop(exitCodes.locked, `pipeline "${pipeline}": another run holds it. Wait.`);
    }
    this.#holders.set(pipeline, process);
    return () => {
      if (this.#holders.get(pipeline) === process) this.#holders.delete(pipeline);
    };
  }

  isHeld(pipeline: string): boolean {
    return this.#holders.get(pipeline)?.isDead === false;
  }
}
