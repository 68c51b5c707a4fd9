/** Plays one schedule: pipelines at the same time on one ledger, and at the end a session of each in calm weather. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { DispatchEnd } from '../../src/dispatch/dispatcher.ts';
import { waitForLock } from '../../src/dispatch/lock-wait.ts';
import type { ItemRow, RunLedger, TaskCount } from '../../src/domain/ledger.ts';
import { silentLog } from '../../src/domain/log.ts';
import { SqlLedger } from '../../src/store/sql/sql-ledger.ts';
import { openAgain, openDatabase, type SqliteDatabase } from '../../src/store/sqlite/database.ts';
import { toyPrices } from '../support/toy-run.ts';
import { Chance } from './chance.ts';
import { calm, drawSchedule, type PipelinePlan, type Schedule, type SessionPlan } from './schedule.ts';
import { SimClock } from './sim-clock.ts';
import { SimLocks } from './sim-locks.ts';
import { SimNetwork } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import { makePipeline, type Plant, playSession, type SimWorld } from './sim-session.ts';
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

/** A ledger in memory that behaves as a disk: the file system of /dev/shm where there is one. */
function makeRoot(): string {
  const shared = statSync('/dev/shm', { throwIfNoEntry: false });
  return mkdtempSync(join(shared?.isDirectory() ? '/dev/shm' : tmpdir(), 'mediasweep-simulation-'));
}

/** Where schedules are played; close it. */
export class Theatre {
  readonly #root = makeRoot();
  #played = 0;

  constructor() {
    void openDatabase(join(this.#root, 'empty.db'), Sqlite).close();
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** @throws where a session neither ends nor goes on. */
  async play(seed: number, plant?: Plant, change = (schedule: Schedule) => schedule): Promise<Played> {
    this.#played += 1;
    const folder = join(this.#root, String(this.#played));
    mkdirSync(folder);
    // Copied rather than made: the tables of an empty ledger take longer than a session.
    copyFileSync(join(this.#root, 'empty.db'), join(folder, 'ledger.db'));
    try {
      const schedule = drawSchedule(seed);
      const played = await new Play(change(schedule), join(folder, 'ledger.db'), plant).toEnd();
      // Judged by what was drawn, whatever the program was told.
      const pipelines = played.pipelines.map((one, index) => ({
        ...one,
        plan: schedule.pipelines[index] as PipelinePlan,
      }));
      return { ...played, schedule, pipelines };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

const inCalm: SessionPlan = { losesQueue: false, startNew: false, downMs: 0, isOverlapped: false };
const never = new AbortController().signal;

class Play {
  readonly #schedule: Schedule;
  readonly #path: string;
  readonly #plant: Plant;
  readonly #world: SimWorld;
  readonly #lostAtEnds: SessionLoss[] = [];

  constructor(schedule: Schedule, path: string, plant: Plant = (seams) => seams) {
    this.#schedule = schedule;
    this.#path = path;
    this.#plant = plant;
    const clock = new SimClock(schedule.clockJumps);
    const vendor = new SimVendor(clock);
    const network = new SimNetwork(clock, vendor, new Chance(schedule.seed ^ 0x5eed), schedule.weather);
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
    const db = openDatabase(this.#path, Sqlite);
    // Every other schedule reads ahead, as it would over a network.
    const writer = openAgain(this.#path, Sqlite, this.#schedule.seed % 2 === 0);
    const ledger = new SqlLedger({ db, openWriter: async () => writer, now: () => clock.now() });
    const opened = await clock.hold(() =>
      ledger.openRun({
        pipeline: makePipeline(plan),
        nowMs: clock.now(),
        billing: new Map(),
        startNew: session.startNew,
      }),
    );
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
      await closeLedger(ledger, [writer, db], isKill && session.losesQueue && undoing.length === 0);
    });
    releaseLock();
    return end && !isKill ? { plan, opened, end } : undefined;
  }

  async #readLedger(lasts: readonly LastSession[]): Promise<Played> {
    const { clock, vendor, network } = this.#world;
    const db = openDatabase(this.#path, Sqlite);
    const ledger = new SqlLedger({ db, openWriter: async () => db, now: () => clock.now() });
    try {
      const booked: Record<string, { known: number; uncertain: number }> = {};
      for (const record of await ledger.listRuns(100)) {
        for (const { sku, observed, estimated, uncertain } of await ledger.readBill(record.id, toyPrices)) {
          const sum = (booked[sku] ??= { known: 0, uncertain: 0 });
          sum.known += observed + estimated;
          sum.uncertain += uncertain;
        }
      }
      const unproved = db.get<{ count: number }>(
        `SELECT count(*) AS count FROM attempts WHERE state = 'answered' AND reply IS NULL`,
      );
      const held = db.all<{ name: string }>(
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
async function closeLedger(
  ledger: SqlLedger,
  connections: readonly SqliteDatabase[],
  losesQueue: boolean,
): Promise<void> {
  if (!losesQueue) {
    await ledger.close();
    return;
  }
  for (const one of connections) await one.close();
  // The queue's turn comes to a closed database.
  await new Promise((resolve) => setImmediate(resolve));
}
