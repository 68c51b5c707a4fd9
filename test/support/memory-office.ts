/** Shared limits without a ledger: processes of one test meet at a board in memory. */
import type { Clock } from '../../src/domain/clock.ts';
import { exchange, type PaceBoard, type PaceOffice } from '../../src/domain/pace.ts';

export class MemoryOffice {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly boards = new Map<string, PaceBoard>();
  readonly dead = new Set<string>();
  exchanges = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  enter(process: string): PaceOffice {
    return {
      exchange: async (request) => {
        this.exchanges += 1;
        const before = this.boards.get(request.limit);
        const { board, grant } = exchange(before, process, request, this.#clock.monotonic(), this.dead);
        this.boards.set(request.limit, board);
        return grant;
      },
    };
  }
}
