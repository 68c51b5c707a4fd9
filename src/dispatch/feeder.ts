/** Hands the tasks of the source to their lanes, and afterwards what became free meanwhile, until none is left. */
import type { Task } from '../domain/task.ts';
import type { Bench } from './bench.ts';
import type { Desk } from './desk.ts';
import type { Lane } from './lane.ts';

const sweepPage = 500;
const otherRunsEveryMs = 1000;
const mostPasses = 3;

type Adopt = () => Promise<{ readonly taken: number; readonly isAnyAlive: boolean }>;

export class Feeder {
  readonly #bench: Bench;
  readonly #desks: readonly Desk[];
  readonly #feed: () => AsyncIterable<readonly Task[]>;
  /** Nothing can be begun any more. */
  readonly #isOver: () => boolean;
  /** Takes up what dead runs of other pipelines left open and our tasks wait for; tells whether a living one does too. */
  readonly #adopt: Adopt;
  #isFeeding = true;
  #error: unknown;

  constructor(
    bench: Bench,
    desks: readonly Desk[],
    feed: () => AsyncIterable<readonly Task[]>,
    isOver: () => boolean,
    adopt: Adopt,
  ) {
    this.#adopt = adopt;
    this.#bench = bench;
    this.#desks = desks;
    this.#feed = feed;
    this.#isOver = isOver;
  }

  /** More tasks may still come, so that a batch is worth waiting for. */
  get isFeeding(): boolean {
    return this.#isFeeding;
  }

  /** What kept the source from being read to its end. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when every task that was fed has ended or stands still. */
  async run(): Promise<void> {
    for (let pass = 1; pass <= mostPasses; pass += 1) {
      this.#isFeeding = true;
      const isWhole = await this.#offerAll();
      this.#isFeeding = false;
      this.#bench.bell.ring();
      const needsLinks = await this.#drain();
      if (!isWhole || !needsLinks) return;
    }
  }

  /** False where it was not worth, or not possible, to go to the end. */
  async #offerAll(): Promise<boolean> {
    try {
      for await (const tasks of this.#feed()) {
        for (const task of tasks) await this.findLane(task.service).offer(task);
        this.#bench.bell.ring();
        if (this.#isOver()) return false;
      }
    } catch (error) {
      this.#error = error;
      return false;
    }
    return true;
  }

  findLane(service: string): Lane {
    for (const desk of this.#desks) {
      const lane = desk.lanes.find(({ use, isForOrphans }) => !isForOrphans && use.name === service);
      if (lane) return lane;
    }
    throw new Error(`no lane for service "${service}"`);
  }

  /**
   * Waits until all that was fed has ended, and takes up what became free meanwhile: tasks that waited for another
   * task's answer. True where the source must be read again for their links.
   */
  async #drain(): Promise<boolean> {
    const { clock, run, stop, deadlines } = this.#bench;
    const waitUntil = clock.monotonic() + deadlines.jobMs;
    let looksInVain = 0;
    for (;;) {
      await this.#whenIdle();
      if (this.#isOver()) return false;
      const { waiting } = await run.releaseWaiting();
      const { found, cut } = await this.#sweep();
      if (found > 0) continue;
      if (cut > 0) return true;
      // What waits for an attempt of an account that stands still would wait for ever; the next session goes on with it.
      if (waiting === 0 || this.#isPartlyHalted || clock.monotonic() >= waitUntil) return false;
      const { taken, isAnyAlive } = await this.#adopt();
      if (taken > 0) continue;
      // What nobody can end keeps nobody waiting; a second look, since it may have ended just now.
      looksInVain = isAnyAlive ? 0 : looksInVain + 1;
      if (looksInVain > 1) return false;
      await clock.sleep(otherRunsEveryMs, stop);
    }
  }

  get #isPartlyHalted(): boolean {
    return this.#desks.some(
      ({ gate, lanes }) => gate.haltReason !== undefined || lanes.some(({ isClosed }) => isClosed),
    );
  }

  async #sweep(): Promise<{ readonly found: number; readonly cut: number }> {
    let found = 0;
    let cut = 0;
    for (const lane of this.#desks.flatMap(({ lanes }) => lanes)) {
      if (lane.isClosed || lane.isForOrphans) continue;
      const tasks = await this.#bench.run.readReady(lane.use.name, 0, sweepPage);
      const linked = tasks.filter(({ item }) => item.isUrlCut !== true);
      lane.put(linked);
      found += linked.length;
      cut += tasks.length - linked.length;
    }
    this.#bench.bell.ring();
    return { found, cut };
  }

  async #whenIdle(): Promise<void> {
    const { bell, clock } = this.#bench;
    while (!this.#isOver() && !this.#desks.every(({ isIdle }) => isIdle)) await bell.wait(clock);
  }
}
