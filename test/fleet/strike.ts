/** Blows at a fleet that is at work, in an order drawn from a seed, each kind as often as the deck holds it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../simulation/chance.ts';
import type { Ground, Started } from './ground.ts';
import { type Machine, setLine } from './network.ts';

export const kinds = [
  'worker killed',
  'worker told to end',
  'worker frozen',
  'worker cut off',
  'coordinator killed',
  'coordinator cut off',
  'Redis restarted',
  'Redis restarted empty',
  'PostgreSQL crashed',
] as const;
export type Kind = (typeof kinds)[number];

const shares: Readonly<Record<Kind, number>> = {
  'worker killed': 5,
  'worker told to end': 1,
  'worker frozen': 1,
  'worker cut off': 2,
  'coordinator killed': 2,
  'coordinator cut off': 1,
  'Redis restarted': 1,
  'Redis restarted empty': 1,
  'PostgreSQL crashed': 1,
};

/** All kinds, shuffled. */
export function shuffleDeck(chance: Chance, isApart: boolean): Kind[] {
  const deck = kinds.flatMap((kind) =>
    !isApart && kind.endsWith('cut off') ? [] : Array.from({ length: shares[kind] }, () => kind),
  );
  return deck
    .map((kind) => ({ kind, place: chance.draw() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ kind }) => kind);
}

/** A process on its machine, begun again whenever it ends before it is told to. */
export class Post {
  readonly machine: Machine;
  /** Ends that nobody had a hand in, and what they said. */
  readonly ownEnds: string[] = [];
  readonly #start: () => Started;
  #running: Started;
  #isStruck = false;
  #isOver = false;

  constructor(machine: Machine, start: () => Started) {
    this.machine = machine;
    this.#start = start;
    this.#running = start();
    this.#watch();
  }

  get process(): Started['process'] {
    return this.#running.process;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#isStruck = true;
    this.#running.process.kill(signal);
    await this.#running.ended;
  }

  /** Tells it to end, and waits for that. */
  async end(): Promise<number | null> {
    this.#isOver = true;
    this.#running.process.kill('SIGTERM');
    return (await this.#running.ended).exitCode;
  }

  #watch(): void {
    void this.#running.ended.then(async ({ exitCode, err }) => {
      if (this.#isOver) return;
      if (!this.#isStruck) {
        this.ownEnds.push(`${this.machine.name} ended with ${exitCode}: ${err.trim().slice(-600)}`);
        await sleep(500);
      }
      if (this.#isOver) return;
      this.#isStruck = false;
      this.#running = this.#start();
      this.#watch();
    });
  }
}

/** Spans in which a line was cut. */
export interface Cut {
  readonly machine: string;
  readonly fromMs: number;
  toMs: number;
}

export interface Target {
  readonly ground: Ground;
  readonly workers: readonly Post[];
  readonly coordinator: { readonly machine: Machine; readonly kill: () => Promise<void> };
  readonly chance: Chance;
  /** Between two blows, at most; what is away stays away for up to 1.75 times that. */
  readonly pauseMs: number;
  readonly cuts: Cut[];
  /** Machines whose line is cut or whose process stands still at the moment. */
  readonly away: Set<string>;
  readonly pending: Set<Promise<void>>;
}

/** Calls of one-call services that were in progress at the struck machine when the blow fell, or at all of them. */
export async function strike(target: Target, kind: Kind): Promise<number> {
  const { ground, chance, coordinator, workers, away } = target;
  const { vendors, network } = ground;
  const free = workers.filter(({ machine }) => !away.has(machine.name));
  const worker = free.length > 0 ? chance.pick(free) : undefined;
  const inFlight = worker && network.isApart ? vendors.pai.inFlightOf(worker.machine.address) : 0;
  const all = vendors.pai.inFlight();
  switch (kind) {
    case 'worker killed':
      await worker?.kill('SIGKILL');
      return network.isApart ? inFlight : Math.round(all / workers.length);
    case 'worker told to end':
      await worker?.kill('SIGTERM');
      return inFlight;
    case 'worker frozen':
      if (worker) freeze(target, worker);
      return inFlight;
    case 'worker cut off':
      if (worker) cutOff(target, worker.machine);
      return inFlight;
    case 'coordinator killed':
      await coordinator.kill();
      return all;
    case 'coordinator cut off':
      if (!away.has(coordinator.machine.name)) cutOff(target, coordinator.machine);
      return all;
    case 'Redis restarted':
      await ground.redis.restart();
      return all;
    case 'Redis restarted empty':
      await ground.redis.restart('nothing');
      return all;
    case 'PostgreSQL crashed':
      await ground.postgres.kill();
      await sleep(chance.whole(0, 0.4 * target.pauseMs));
      await ground.postgres.start();
      return all;
  }
}

/** Long enough to be taken for dead at times, and short enough to come back at others. */
function freeze({ chance, away, pending, pauseMs }: Target, { machine, process }: Post): void {
  away.add(machine.name);
  process.kill('SIGSTOP');
  const thawing = sleep(chance.whole(pauseMs / 4, 1.75 * pauseMs)).then(() => {
    process.kill('SIGCONT');
    away.delete(machine.name);
    pending.delete(thawing);
  });
  pending.add(thawing);
}

function cutOff({ chance, away, pending, cuts, pauseMs }: Target, machine: Machine): void {
  const cut: Cut = { machine: machine.name, fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
  cuts.push(cut);
  away.add(machine.name);
  const mending = setLine(machine, 'down')
    .then(() => sleep(chance.whole(pauseMs / 4, 1.75 * pauseMs)))
    .then(async () => {
      await setLine(machine, 'up');
      cut.toMs = performance.now();
      away.delete(machine.name);
      pending.delete(mending);
    });
  pending.add(mending);
}
