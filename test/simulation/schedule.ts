/** Draws what one schedule consists of: the pipeline, the media, the network's faults, and when sessions die. */
import type { Caps } from '../../src/domain/caps.ts';
import type { Item } from '../../src/domain/item.ts';
import type { Account, ServiceUse } from '../../src/domain/settings.ts';
import { makeToyAccount } from '../support/toy-catalogue.ts';
import { useToy } from '../support/toy-run.ts';
import { Chance } from './chance.ts';
import type { ClockJump } from './sim-clock.ts';

/** Chances per call, and windows of time in which every call meets the same. */
export interface Weather {
  readonly refused: number;
  readonly notSent: number;
  /** Never arrives, and we do not learn that. */
  readonly dropped: number;
  /** Arrives after we have given it up. */
  readonly late: number;
  /** Carried out, and we never learn that. */
  readonly lostAnswer: number;
  readonly truncated: number;
  readonly slow: number;
  readonly windows: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly is: 'bad-signature' | 'no-service' | 'away' | 'throttled';
  }[];
}

export const calm: Weather = {
  refused: 0,
  notSent: 0,
  dropped: 0,
  late: 0,
  lostAnswer: 0,
  truncated: 0,
  slow: 0,
  windows: [],
};

export interface SessionPlan {
  /** The process dies at this effect, before or after it is carried out. */
  readonly dieAt?: number | undefined;
  /** What was written but not yet durable at the death is lost. */
  readonly losesQueue: boolean;
  readonly stopAfterMs?: number | undefined;
  readonly startNew: boolean;
  /** Until the next session begins. */
  readonly downMs: number;
}

export interface Schedule {
  readonly seed: number;
  readonly services: readonly ServiceUse[];
  readonly items: readonly Item[];
  readonly pageSize: number;
  readonly isRereadable: boolean;
  readonly graceMs: number;
  readonly weather: Weather;
  readonly sessions: readonly SessionPlan[];
  readonly caps: Caps;
  readonly clockJumps: readonly ClockJump[];
}

export function drawSchedule(seed: number): Schedule {
  const chance = new Chance(seed);
  const accounts = Array.from({ length: chance.whole(1, 2) }, (_, index) => drawAccount(chance, index));
  return {
    seed,
    services: drawServices(chance, accounts),
    items: drawItems(chance),
    pageSize: chance.pick([2, 5, 50]),
    isRereadable: chance.isTrue(0.7),
    graceMs: chance.pick([0, 500, 25_000]),
    weather: chance.isTrue(0.15) ? calm : drawWeather(chance),
    sessions: Array.from({ length: chance.whole(1, 4) }, () => drawSession(chance)),
    ...drawSurroundings(new Chance(seed ^ 0xca95)),
  };
}

/** Each unit costs 0.01 CNY. */
export const unitPrice = 10_000_000n;
const hourMs = 3_600_000;

/** Drawn by a chance of its own, so that seeds of before play what they did. */
function drawSurroundings(chance: Chance): Pick<Schedule, 'caps' | 'clockJumps'> {
  const draw = () => (chance.isTrue(0.2) ? BigInt(chance.magnitude(1, 60)) * unitPrice : undefined);
  const jumps = chance.isTrue(0.3) ? chance.whole(1, 4) : 0;
  return {
    caps: { run: draw(), month: draw() },
    clockJumps: Array.from({ length: jumps }, () => ({
      atMs: chance.magnitude(1, 200_000),
      offByMs: Math.round(chance.between(-10, 10) * hourMs),
    })).toSorted((one, other) => one.atMs - other.atMs),
  };
}

function drawAccount(chance: Chance, index: number): Account {
  const name = `toy-${index}`;
  return makeToyAccount({
    name,
    credentials: { key: name, secret: 'toy-secret' },
    limits: {
      concurrency: chance.whole(1, 8),
      perSecond: chance.pick([2, 5, 20, 200, 1000]),
      maxOpenJobs: chance.pick([1, 3, 8, 100]),
    },
    isLoopback: index === 0,
  });
}

const forms = [
  { service: 'toy/image' },
  { service: 'toy/repaint' },
  { service: 'toy/video', batches: [1, 2, 5] },
  { service: 'toy/watch', delivery: 'poll' },
  { service: 'toy/watch', delivery: 'callback' },
  { service: 'toy/watch', delivery: 'sync' },
  { service: 'toy/post' },
] as const;

function drawServices(chance: Chance, accounts: readonly Account[]): ServiceUse[] {
  const drawn = forms.filter(() => chance.isTrue(0.35));
  return (drawn.length > 0 ? drawn : [chance.pick(forms)]).map((form, index) => {
    const batch = 'batches' in form ? chance.pick(form.batches) : 1;
    const delivery = 'delivery' in form ? { delivery: form.delivery } : {};
    const limits = chance.isTrue(0.2) ? { limits: { concurrency: 1 } } : {};
    const name = `use-${index}`;
    return {
      ...useToy(form.service, { account: chance.pick(accounts), batch, ...delivery, ...limits }),
      name,
    };
  });
}

function drawItems(chance: Chance): Item[] {
  const count = chance.magnitude(2, 24);
  return Array.from({ length: count }, (_, index): Item => {
    const position = Buffer.from(String(index).padStart(4, '0'));
    // Some contents come more than once, under other names.
    const content = chance.isTrue(0.2) ? chance.whole(0, index) : index;
    const kind = chance.pick(['image', 'video', 'post'] as const);
    const id = `item-${index}`;
    if (kind === 'post') return { id, position, kind, text: `post-${content}`, title: 'title' };
    const key = `${kind}/${content}/${index}`;
    return {
      id,
      position,
      kind,
      object: { storage: 'main', bucket: 'media', key },
      bucket: 'media',
      key,
      etag: `${kind}-${content}`,
      sizeBytes: 1000,
    };
  });
}

function drawWeather(chance: Chance): Weather {
  const some = (most: number) => (chance.isTrue(0.5) ? chance.between(0, most) : 0);
  const kinds = ['bad-signature', 'no-service', 'away', 'throttled'] as const;
  return {
    refused: some(0.3),
    notSent: some(0.2),
    dropped: some(0.15),
    late: some(0.1),
    lostAnswer: some(0.15),
    truncated: some(0.15),
    slow: some(0.2),
    windows: kinds
      .filter(() => chance.isTrue(0.08))
      .map((is) => {
        const fromMs = chance.between(0, 20_000);
        return { is, fromMs, toMs: fromMs + chance.magnitude(100, 200_000) };
      }),
  };
}

function drawSession(chance: Chance): SessionPlan {
  const end = chance.draw();
  return {
    dieAt: end < 0.75 ? chance.magnitude(3, 250) : undefined,
    losesQueue: chance.isTrue(0.5),
    stopAfterMs: end > 0.9 ? chance.magnitude(100, 60_000) : undefined,
    startNew: chance.isTrue(0.15),
    downMs: chance.magnitude(1000, 60_000),
  };
}
