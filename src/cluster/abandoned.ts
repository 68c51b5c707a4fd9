/**
 * Places of open jobs that dead processes hold on the boards of limits. They are kept as long as the vendor may still have
 * the jobs, unless others are known to have taken all of them over: those count them as their own.
 */
import type { Redis } from 'ioredis';
import { dropJobs } from '../domain/pace.ts';
import { readPaceBoard, replacePaceBoard } from './pace-office.ts';
import { nameProcess } from './presence.ts';

interface Office {
  readonly client: Redis;
  readonly prefix: string;
  readonly isAlive: (process: string) => Promise<boolean>;
  /** Limits that this process has come for. */
  readonly met: ReadonlySet<string>;
}

export class AbandonedPlaces {
  readonly #office: Office;
  /** Those that had nothing in hand when they were looked at last. */
  #idle: ReadonlySet<string> = new Set();

  constructor(office: Office) {
    this.#office = office;
  }

  /**
   * Frees places of the dead that are not `busy`, which is who has shards or a pipeline in hand by what is known of it, and
   * were not the time before either: whoever took over has counted the jobs by then. Answers whose.
   */
  async sweep(busy: () => Promise<ReadonlySet<string>>): Promise<readonly string[]> {
    const { client, isAlive, met } = this.#office;
    if (client.status !== 'ready') return [];
    const holders = await Promise.all([...met].map((limit) => this.#listHolders(limit)));
    const names = [...new Set(holders.flat())];
    const alive = await Promise.all(names.map(isAlive));
    const dead = names.filter((_, index) => alive[index] === false);
    const known = dead.length > 0 ? await busy() : new Set();
    const idle = dead.filter((name) => !known.has(name));
    const freed = idle.filter((name) => this.#idle.has(name));
    this.#idle = new Set(idle);
    if (freed.length > 0) for (const limit of met) await this.#free(limit, new Set(freed));
    return freed;
  }

  async #listHolders(limit: string): Promise<readonly string[]> {
    const { board } = await readPaceBoard(this.#office, limit);
    return (board?.holders ?? []).filter(({ jobs }) => jobs > 0).map(({ process }) => nameProcess(process));
  }

  async #free(limit: string, names: ReadonlySet<string>): Promise<void> {
    for (let isReplaced = false; !isReplaced; ) {
      const { board, text } = await readPaceBoard(this.#office, limit);
      if (!board) return;
      const freed = dropJobs(board, (process) => names.has(nameProcess(process)));
      isReplaced = await replacePaceBoard(this.#office, limit, text, freed);
    }
  }
}
