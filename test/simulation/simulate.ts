/** Plays one schedule: pipelines at the same time on one ledger, and at the end a session of each in calm weather. */
import type { DispatchEnd } from '../../src/dispatch/dispatcher.ts';
import { waitForLock } from '../../src/dispatch/lock-wait.ts';
import type { ItemRow, RunLedger, TaskCount } from '../../src/domain/ledger.ts';
import { silentLog } from '../../src/domain/log.ts';
import type { SqlLedger } from '../../src/store/sql/sql-ledger.ts';
import { toyPrices } from '../support/toy-run.ts';
import { Chance } from './chance.ts';
import { MemoryStore } from './memory-store.ts';
import { calm, drawSchedule, type PipelinePlan, type Schedule, type SessionPlan } from './schedule.ts';
import { SimClock } from './sim-clock.ts';
import { SimLocks } from './sim-locks.ts';
import { SimNetwork } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import { makePipeline, type Plant, playSession, type SimWorld } from './sim-session.ts';
import type { OpenLedger, SimStore } from './sim-store.ts';
import { SimVendor } from './sim-vendor.ts';

/** What a pipeline came to. */
export interface PlayedPipeline {
  readonly plan: PipelinePlan;
  /** Of its last run. */
  readonly rows: readonly ItemRow[];
  readonly counts: readonly TaskCount[];
  readonly lastEnd: DispatchEnd;
  readonly counters: { readonly items: number; readonly notApplicable: number };
  readonly runs: number;
}

/** All that is known of a schedule when it is over. */
export interface Played {
  readonly schedule: Schedule;
  readonly pipelines: readonly PlayedPipeline[];
  readonly vendor: SimVendor;
  readonly network: SimNetwork;
  /** Over all runs of the ledger, by SKU. */
  readonly booked: Readonly<Record<string, { readonly known: number; readonly uncertain: number }>>;
  /** Answered attempts without the reply that proves them. */
  readonly unproved: number;
  /** Most elements that were in flight or ahead when one session ended, and how often one was killed. */
  readonly lostAtEnds: readonly SessionLoss[];
  /** Runs, pipelines and accounts whose caps still hold something for calls under way. */
  readonly reserved: readonly string[];
}

interface SessionLoss {
  readonly pipeline: string;
  readonly lost: number;
  readonly isKill: boolean;
}

/** Where schedules are played, one after the other; close it. */
export class Theatre {
  readonly #store: SimStore;

  constructor(store: SimStore = new MemoryStore()) {
    this.#store = store;
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** @throws where a session neither ends nor goes on. */
  async play(seed: number, plant?: Plant, change = (schedule: Schedule) => schedule): Promise<Played> {
    await this.#store.empty();
    const schedule = drawSchedule(seed);
    const played = await new Play(change(schedule), this.#store, plant).toEnd();
    // Judged by what was drawn, whatever the program was told.
    const pipelines = played.pipelines.map((one, index) => ({
      ...one,
      plan: schedule.pipelines[index] as PipelinePlan,
    }));
    return { ...played, schedule, pipelines };
  }
}

const inCalm: SessionPlan = { losesQueue: false, startNew: false, downMs: 0, isOverlapped: false };
const never = new AbortController().signal;

class Play {
  readonly #schedule: Schedule;
  readonly #store: SimStore;
  readonly #plant: Plant;
  readonly #world: SimWorld;
  readonly #lostAtEnds: SessionLoss[] = [];

  constructor(schedule: Schedule, store: SimStore, plant: Plant = (seams) => seams) {
    this.#schedule = schedule;
    this.#store = store;
    this.#plant = plant;
    const clock = new SimClock(schedule.clockJumps);
    const vendor = new SimVendor(clock);
    const network = new SimNetwork(clock, vendor, new Chance(schedule.seed ^ 0x5eed), schedule);
    this.#world = { clock, vendor, network, locks: new SimLocks(), plans: schedule.pipelines };
  }

  async toEnd(): Promise<Played> {
    const { clock, network } = this.#world;
    const { pipelines } = this.#schedule;
    await clock.drive(Promise.all(pipelines.map((plan) => this.#playAll(plan))));
    network.weather = calm;
    clock.setRight();
    const lasts = await clock.drive(Promise.all(pipelines.map((plan) => this.#play(plan, inCalm))));
    return await this.#readLedger(
      lasts.map((last) => {
        if (!last) throw new Error('the last session did not end');
        return last;
      }),
    );
  }

  async #playAll(plan: PipelinePlan): Promise<void> {
    const { clock } = this.#world;
    if (plan.startMs > 0) await clock.sleep(plan.startMs);
    const going: Promise<unknown>[] = [];
    for (const session of plan.sessions) {
      const played = this.#play(plan, session);
      going.push(played);
      if (!session.isOverlapped) await played;
      await clock.sleep(session.downMs);
    }
    await Promise.all(going);
  }

  /** Undefined where the process was killed. */
  async #play(plan: PipelinePlan, session: SessionPlan): Promise<LastSession | undefined> {
    const { clock, network, vendor, locks } = this.#world;
    const process = new SimProcess(plan.name, clock, vendor.phantoms, session.dieAt);
    const releaseLock = await waitForLock(async () => locks.take(process), {
      clock,
      stop: never,
      deadline: { signal: never, reached: () => undefined },
      log: silentLog,
    });
    const { own, opened } = await clock.hold(async () => {
      const one = await this.#open();
      const pipeline = makePipeline(plan);
      const { startNew } = session;
      const run = await one.ledger.openRun({ pipeline, nowMs: clock.now(), billing: new Map(), startNew });
      return { own: one, opened: run };
    });
    const ledger = { findRun: (selector: string) => clock.hold(() => own.ledger.findRun(selector)) };
    const undoing: (() => Promise<void>)[] = [];
    const undo = (work: () => Promise<void>) => undoing.push(work);
    const { world, plant } = { world: this.#world, plant: this.#plant };
    const ending = playSession({ world, process, plan, session, ledger, opened, plant, releaseLock, undo });
    const end = await Promise.race([ending, process.death.then(() => undefined)]);
    const isKill = process.isDead;
    process.end();
    this.#lostAtEnds.push({ pipeline: plan.name, lost: network.hangUp(process), isKill });
    await clock.hold(async () => {
      for (const work of undoing) await work();
      await closeLedger(own, isKill && session.losesQueue && undoing.length === 0);
    });
    releaseLock();
    return end && !isKill ? { plan, opened, end } : undefined;
  }

  #open(): Promise<OpenLedger> {
    const { clock } = this.#world;
    // Every other schedule reads ahead, as it would over a network.
    return this.#store.open({ now: () => clock.now(), readsAhead: this.#schedule.seed % 2 === 0 });
  }

  async #readLedger(lasts: readonly LastSession[]): Promise<Played> {
    const { vendor, network } = this.#world;
    const { ledger, db } = await this.#open();
    try {
      const booked: Record<string, { known: number; uncertain: number }> = {};
      for (const record of await ledger.listRuns(100)) {
        for (const { sku, observed, estimated, uncertain } of await ledger.readBill(record.id, toyPrices)) {
          const sum = (booked[sku] ??= { known: 0, uncertain: 0 });
          sum.known += observed + estimated;
          sum.uncertain += uncertain;
        }
      }
      const unproved = await db.get<{ count: number }>(
        `SELECT count(*) AS count FROM attempts WHERE state = 'answered' AND reply IS NULL`,
      );
      const held = await db.all<{ name: string }>(
        'SELECT name FROM spending WHERE reserved <> 0 OR reserved_units <> 0',
      );
      const pipelines: PlayedPipeline[] = [];
      for (const last of lasts) pipelines.push(await readPipeline(ledger, last));
      return {
        schedule: this.#schedule,
        pipelines,
        vendor,
        network,
        booked,
        unproved: unproved?.count ?? 0,
        lostAtEnds: this.#lostAtEnds,
        reserved: held.map(({ name }) => name),
      };
    } finally {
      await ledger.close();
    }
  }
}

interface LastSession {
  readonly plan: PipelinePlan;
  readonly opened: RunLedger;
  readonly end: DispatchEnd;
}

async function readPipeline(ledger: SqlLedger, { plan, opened, end }: LastSession): Promise<PlayedPipeline> {
  const { id } = opened.record;
  const record = await ledger.findRun(id);
  return {
    plan,
    lastEnd: end,
    rows: await ledger.readItems(id, undefined, 1000),
    counts: await ledger.countTasks(id),
    counters: record?.counters ?? { items: 0, notApplicable: 0 },
    runs: (await ledger.listRuns(100, plan.name)).length,
  };
}

/** Of a dead process: either the group that waited was still committed, or it was not. */
async function closeLedger({ ledger, abandon }: OpenLedger, losesQueue: boolean): Promise<void> {
  if (!losesQueue) {
    await ledger.close();
    return;
  }
  await abandon();
  // The queue's turn comes to a closed database.
  await new Promise((resolve) => setImmediate(resolve));
}
