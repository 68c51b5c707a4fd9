/**
 * Runs the tasks of a run to their ends.
 *
 * A task is `planned`. Before its call may leave, an attempt is made durable as `intent`; from that moment on the call
 * may have been billed, whatever happens to this process. The reply moves it on: a job makes it `accepted`, and it is
 * read until it ends; an answer, raw and as a finding, is durable before the task is `answered`. Commits are grouped,
 * and a place among the calls in flight is held until what the reply means is durable, so that a crash loses sight of few.
 *
 * What goes wrong is decided by how far the call came (`domain/decide.ts`). Not sent: the intent is taken back. Refused:
 * the vendor's table says slow-down, try-again (both back to `planned`), give-up (`failed`) or halt (the account stops,
 * the rest goes on). Fate unknown: a vendor that can be asked is searched for the job (`search.ts`), and a call that
 * never arrived is sent again under the same reference; elsewhere a cheap call is sent again and counted as uncertain,
 * a dear one is `held` for a person. A task whose content is already under way waits in the ledger for its result.
 *
 * A service with `when` has its tasks `pending` until the task of another service on the same item has ended: the commit of
 * that end plans them, and hands them out, or skips them.
 *
 * Ages of jobs are counted by the clock that cannot be set. The wall clock stamps intents; where a vendor's reply says that
 * it is half a day off, the account stands still (`witness.ts`).
 *
 * What an account allows is shared with the other processes on the ledger: a call waits at its gate (`gate.ts`) for a place
 * and a turn.
 *
 * A cap is held by reservation: the intent's commit also takes the most that the call may cost from every cap. A task that
 * would fit once calls under way have given back what they did not cost waits for that (`cap-room.ts`); one that does not fit
 * beside what is spent ends `over-cap`, while smaller ones may still go. Where an answer proves more units than its call had
 * reserved and a cap is passed by it, calls that have an intent and have not left yet are taken back and ask again.
 *
 * An earlier session's open attempts are taken up first: jobs are read on, intents are of unknown fate. So are calls that
 * it could not ask for, and jobs that it gave up waiting for. What a dead run of another pipeline left open is taken up
 * once tasks of ours wait for nothing else.
 */
import pLimit from 'p-limit';
import { groupBy } from '../domain/group.ts';
import type { Attempt } from '../domain/ledger.ts';
import { boundsPace, nameLimit } from '../domain/pace.ts';
import type { Account, Limits, Pipeline, ServiceUse } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { Bell } from './bell.ts';
import type { Bench, BenchLedger } from './bench.ts';
import { CapRoom } from './cap-room.ts';
import { Desk, type Work } from './desk.ts';
import { Feeder } from './feeder.ts';
import { Gate, takePlace } from './gate.ts';
import { Lane } from './lane.ts';
import { type Place, takeUpForeign, takeUpOrphans } from './orphan.ts';
import { pollJob } from './poll.ts';
import { searchLost } from './search.ts';
import { submitTasks } from './submit.ts';
import { Witness } from './witness.ts';

export interface Halt {
  readonly account: string;
  /** The service alone; absent where the whole account stands still. */
  readonly service?: string | undefined;
  readonly reason: string;
}

export interface DispatchEnd {
  readonly halts: readonly Halt[];
  /** Stopped before all was done because `stop` was raised. */
  readonly isStopped: boolean;
  /** What kept the source from being read to its end; what had been planned by then was carried out all the same. */
  readonly feedError?: unknown;
}

export interface DispatchRequest {
  readonly bench: Omit<Bench, 'bell' | 'witness' | 'room'>;
  readonly services: Pipeline['services'];
  /** Yields planned tasks. Called again where links of released tasks stand in the source only. */
  readonly feed: () => AsyncIterable<readonly Task[]>;
  /** True where the ledger holds all that a task needs; false where links may stand in the source only. */
  readonly isRereadable: boolean;
  /** The service that an attempt of an earlier session or another pipeline was sent for; undefined where it is gone. */
  readonly findUse: (attempt: Attempt) => Promise<ServiceUse | undefined>;
  /** Whether a living process runs that pipeline. */
  readonly isAlive: (pipeline: string) => Promise<boolean>;
  /** Milliseconds that calls in flight are given once `stop` is raised. */
  readonly graceMs: number;
}

export class Dispatcher {
  readonly #bench: Bench;
  readonly #request: DispatchRequest;
  readonly #desks: Desk[];
  /** Present from the moment on at which desks are served. */
  #serving: Promise<void>[] | undefined;
  readonly #feeder: Feeder;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;
  #isEnded = false;

  constructor(request: DispatchRequest) {
    const { clock, log, run } = request.bench;
    this.#bench = {
      ...request.bench,
      bell: new Bell(),
      room: new CapRoom(() => this.#desks.some(({ isUnderWay }) => isUnderWay)),
      witness: new Witness(clock, log),
      run: this.#guard(run),
    };
    this.#request = request;
    const byAccount = groupBy(request.services, ({ account }) => account.name);
    this.#desks = [...byAccount.values()].map((uses) => this.#makeDesk(uses));
    const isOver = () => this.#isOver();
    const adopted = new Set<number>();
    const adopt = () =>
      takeUpForeign(this.#bench, (attempt) => this.#findPlace(attempt), request.isAlive, adopted);
    this.#feeder = new Feeder(this.#bench, this.#desks, request.feed, isOver, adopt);
  }

  /** Elements of jobs that are open at the vendors. */
  get openJobs(): number {
    return this.#desks.reduce((sum, { gate }) => sum + gate.openJobs, 0);
  }

  /** A callback named this reference: its job is read at once, and a call of unknown fate is known to have arrived. */
  hint(account: Pick<Account, 'name'>, ref: string): void {
    const desk = this.#desks.find((one) => one.account.name === account.name);
    const watch = desk?.watches.get(ref);
    if (!desk) return;
    if (!watch) {
      desk.noteCalledBack(ref);
      return;
    }
    desk.addPoll(this.#bench.clock.monotonic(), watch);
    this.#bench.bell.ring();
  }

  /** Resolves when every task has ended, or stands still with its account, or `stop` was raised. */
  async run(): Promise<DispatchEnd> {
    const { stop, clock, bell } = this.#bench;
    await takeUpOrphans(this.#bench, this.#request.services, (attempt) => this.#findPlace(attempt));
    const gates = this.#desks.flatMap((desk) => desk.gates);
    // One after the other: what an earlier session left elsewhere is void once all that was taken over of it has been told.
    for (const [index, gate] of gates.entries()) await gate.report(index === gates.length - 1);
    const over = new AbortController();
    const raised = new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener('abort', () => resolve(), { once: true });
    }).then(() => {
      bell.ring();
      return clock.sleep(this.#request.graceMs, over.signal);
    });
    this.#serving = [];
    for (const desk of this.#desks) this.#beginServing(desk);
    await Promise.race([this.#feed().then(() => this.#whenQuiet()), raised]);
    over.abort();
    this.#isEnded = true;
    for (const desk of this.#desks) desk.close();
    if (this.#failure) throw this.#failure.error;
    return { halts: this.#listHalts(), isStopped: stop.aborted, feedError: this.#feeder.error };
  }

  /** Calls that outlive the grace change nothing any more: their tasks stay as they are, for the next session to settle. */
  #guard(run: BenchLedger): BenchLedger {
    const never = () => new Promise<never>(() => undefined);
    return {
      isResumed: run.isResumed,
      get spending() {
        return run.spending;
      },
      readReady: (...given) => run.readReady(...given),
      intend: (request) => (this.#isEnded ? never() : run.intend(request)),
      transition: async (transitions) => {
        if (this.#isEnded) return await never();
        const released = await run.transition(transitions);
        if (transitions.some(({ is }) => is !== 'accepted')) this.#bench.room.noteEnd();
        this.#handOut(released);
        return released;
      },
      reopenAskable: (...given) => run.reopenAskable(...given),
      readWaitedFor: (...given) => run.readWaitedFor(...given),
      readOrphans: (...given) => run.readOrphans(...given),
      readKnownJobs: (...given) => run.readKnownJobs(...given),
      releaseWaiting: () => run.releaseWaiting(),
      quote: (...given) => run.quote(...given),
    };
  }

  /** Tasks that the answer of another service let go; what finds no room here waits in the ledger. */
  #handOut(released: readonly Task[]): void {
    for (const task of released) {
      this.#bench.counters.released += 1;
      this.#feeder.findLane(task.service).receive(task);
    }
    if (released.length > 0) this.#bench.bell.ring();
  }

  #makeDesk(uses: Pipeline['services']): Desk {
    const { clock, run } = this.#bench;
    const { isRereadable } = this.#request;
    const account = (uses[0] as (typeof uses)[number]).account;
    const lanes = uses.map(
      (use) =>
        new Lane({
          use,
          gate: use.limits && boundsPace(use.limits) ? this.#makeGate(account, [use], use.limits) : undefined,
          clock,
          run,
          isRereadable,
          beginsInLedger: isRereadable && run.isResumed,
        }),
    );
    return new Desk(account, this.#makeGate(account, uses), lanes);
  }

  /** Of an account, or of one service on it that has limits of its own. */
  #makeGate(account: Account, uses: readonly ServiceUse[], own?: Partial<Limits>): Gate {
    const { clock, pace, stop, bell, log } = this.#bench;
    const [use] = uses;
    return new Gate({
      clock,
      office: pace,
      limit: nameLimit(account, own && use?.service.name),
      part: own && use?.name,
      limits: { ...account.limits, ...own },
      grain: Math.max(1, ...uses.map(({ batch }) => batch)),
      stop,
      changed: () => bell.ring(),
      tell: (words) => log.warn(`account "${account.name}": ${words}`),
    });
  }

  /** Where an orphan is taken care of: a lane of this run, or one of its own where the service is no longer used. */
  async #findPlace(attempt: Attempt): Promise<Place | undefined> {
    const { clock, run } = this.#bench;
    const use = await this.#request.findUse(attempt);
    if (!use || use.account.name !== attempt.account) return undefined;
    const known = this.#desks.find(({ account }) => account.name === attempt.account);
    const found = known?.lanes.find((lane) => lane.use === use);
    if (known && found) return { desk: known, lane: found };
    const lane = new Lane({
      use,
      gate: undefined,
      clock,
      run,
      isRereadable: true,
      beginsInLedger: false,
      isForOrphans: true,
    });
    if (known) {
      known.lanes.push(lane);
      return { desk: known, lane };
    }
    const desk = new Desk(use.account, this.#makeGate(use.account, [use]), [lane]);
    this.#desks.push(desk);
    if (this.#serving) this.#beginServing(desk);
    return { desk, lane };
  }

  #beginServing(desk: Desk): void {
    this.#serving?.push(this.#serve(desk).catch((error: unknown) => this.#fail(error)));
  }

  /** Carries out the work of one account until there is none left or it may go no further. */
  async #serve(desk: Desk): Promise<void> {
    const hand = pLimit(desk.gate.aheadLimit);
    for (;;) {
      const leaveHand = await takePlace(hand);
      const work = await this.#nextWork(desk);
      if (!work) break;
      void this.#carryOut(desk, work, leaveHand)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          leaveHand();
          desk.busy -= 1;
          this.#bench.bell.ring();
        });
    }
    for (const lane of desk.lanes) lane.close();
    this.#bench.bell.ring();
  }

  async #nextWork(desk: Desk): Promise<Work | undefined> {
    const { clock, bell, stop, room } = this.#bench;
    while (!this.#isClosed && !stop.aborted && desk.gate.haltReason === undefined) {
      for (const lane of desk.lanes) {
        if (!lane.needsRefill) continue;
        await lane.refill().catch((error: unknown) => this.#fail(error));
        // A lane that the ledger had nothing for may have been the last thing that someone waited for.
        bell.ring();
      }
      const work = desk.takeWork(clock.monotonic(), this.#feeder.isFeeding, room);
      if (work) {
        // At once: whoever looks now must not find the desk idle.
        desk.busy += 1;
        return work;
      }
      await desk.waitForWork(clock, bell);
    }
    return undefined;
  }

  async #carryOut(desk: Desk, work: Work, proceed: () => void): Promise<void> {
    const bench = this.#bench;
    switch (work.is) {
      case 'poll':
        await pollJob(bench, desk, work.watch, proceed);
        return;
      case 'search':
        proceed();
        await searchLost(bench, desk);
        return;
      case 'submit':
        if (work.isRetry) work.lane.retrying -= work.tries.length;
        if (work.lane.haltReason !== undefined) return;
        await submitTasks(bench, desk, work, proceed);
    }
  }

  async #feed(): Promise<void> {
    await this.#feeder.run().catch((error: unknown) => this.#fail(error));
    this.#isClosed = true;
    this.#bench.bell.ring();
  }

  async #whenQuiet(): Promise<void> {
    await Promise.all(this.#serving ?? []);
    while (this.#desks.some(({ busy }) => busy > 0)) await this.#bench.bell.wait(this.#bench.clock);
  }

  /** Nothing can be begun any more. */
  #isOver(): boolean {
    return (
      this.#failure !== undefined ||
      this.#bench.stop.aborted ||
      this.#desks.every(({ gate }) => gate.haltReason !== undefined)
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#isClosed = true;
    this.#bench.bell.ring();
  }

  #listHalts(): Halt[] {
    return this.#desks.flatMap(({ account, gate, lanes }) => {
      if (gate.haltReason !== undefined) return [{ account: account.name, reason: gate.haltReason }];
      return lanes.flatMap(({ use, haltReason }) =>
        haltReason === undefined ? [] : [{ account: account.name, service: use.name, reason: haltReason }],
      );
    });
  }
}
