/**
 * A process that can die at any of its effects: before one, or after one whose result it never hears of. From then on
 * nothing of it is written or sent, and nothing ever answers it.
 */
import type { Clock } from '../../src/domain/clock.ts';
import type { Attempt, IntentRequest, RunLedger, Transition } from '../../src/domain/ledger.ts';
import type { Task } from '../../src/domain/task.ts';
import type { PaceOffice } from '../../src/domain/pace.ts';
import type { SimClock } from './sim-clock.ts';

const never = () => new Promise<never>(() => undefined);

export class SimProcess {
  /** Which one it runs. */
  readonly pipeline: string;
  isDead = false;
  readonly clock: Clock;
  /** Resolves at death. */
  readonly death: Promise<void>;
  /** Attempts of this process that are durable and whose call has not left, by reference. */
  readonly ahead = new Map<string, Attempt>();
  /** Intents that were asked for and may be durable. */
  readonly asked = new Set<IntentRequest>();
  /** Elements that were held: the program keeps no place for them any more. */
  readonly #held: Set<string>;
  #die: () => void = () => undefined;
  #effects = 0;
  readonly #dieAt: number;
  readonly #world: SimClock;

  constructor(
    pipeline: string,
    world: SimClock,
    held: Set<string>,
    dieAt: number = Number.POSITIVE_INFINITY,
  ) {
    this.pipeline = pipeline;
    this.#held = held;
    this.#world = world;
    this.#dieAt = dieAt;
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.clock = {
      now: () => world.now(),
      monotonic: () => world.monotonic(),
      sleep: (ms, signal) => (this.isDead ? never() : world.sleep(ms, signal, () => !this.isDead)),
    };
  }

  /** Carries out one effect, unless the process dies of it. */
  async act<Value>(effect: () => Promise<Value>): Promise<Value> {
    if (this.#step()) return never();
    const value = await effect();
    if (this.isDead || this.#step()) return never();
    return value;
  }

  end(): void {
    this.isDead = true;
    this.#die();
  }

  /** Limits as this process shares them. */
  holdPace(office: PaceOffice): PaceOffice {
    return { exchange: (request) => this.#write(() => office.exchange(request)) };
  }

  /** The run's ledger as this process has it. */
  holdRun(run: RunLedger): RunLedger {
    const write = <Value>(work: () => Promise<Value>) => this.#write(work);
    return {
      record: run.record,
      isResumed: run.isResumed,
      checkpoint: run.checkpoint,
      readKnown: (...given) => write(() => run.readKnown(...given)),
      plan: (page) => write(() => run.plan(page)),
      readReady: (...given) => write(() => run.readReady(...given)),
      readCanaryNames: () => write(() => run.readCanaryNames()),
      readCanaryFigures: (...given) => write(() => run.readCanaryFigures(...given)),
      noteCanary: (...given) => write(() => run.noteCanary(...given)),
      intend: (request) =>
        write(async () => {
          this.asked.add(request);
          const intents = await run.intend(request);
          this.asked.delete(request);
          for (const intent of intents) {
            if (intent.is === 'intended') this.ahead.set(intent.attempt.ref, intent.attempt);
          }
          return intents;
        }),
      transition: (transitions) => write(() => this.#transit(run, transitions)),
      readOrphans: (...given) => write(() => run.readOrphans(...given)),
      readKnownJobs: (...given) => write(() => run.readKnownJobs(...given)),
      reopenAskable: (...given) => write(() => run.reopenAskable(...given)),
      readWaitedFor: (...given) => write(() => run.readWaitedFor(...given)),
      releaseWaiting: () => write(() => run.releaseWaiting()),
      sharePace: (...given) => run.sharePace(...given),
      get spending() {
        return run.spending;
      },
      addBilling: (...given) => write(() => run.addBilling(...given)),
      quote: (...given) => write(() => run.quote(...given)),
      end: (end) => write(() => run.end(end)),
    };
  }

  #write<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.act(async () => {
      this.#world.pending += 1;
      try {
        return await work();
      } catch (error) {
        // A ledger that was closed over a dead process has nobody to complain to.
        if (this.isDead) return never();
        throw error;
      } finally {
        this.#world.pending -= 1;
      }
    });
  }

  async #transit(run: RunLedger, transitions: readonly Transition[]): Promise<readonly Task[]> {
    const released = await run.transition(transitions);
    for (const { is, attempt } of transitions) {
      this.ahead.delete(attempt.ref);
      if (is === 'held') this.#held.add(attempt.ref);
    }
    return released;
  }

  #step(): boolean {
    this.#effects += 1;
    if (!this.isDead && this.#effects >= this.#dieAt) this.end();
    return this.isDead;
  }
}
