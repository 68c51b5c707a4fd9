/** Draws what one schedule consists of: pipelines, media, the network's faults, and when sessions begin and die. */
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
  /** The next session begins so long after the beginning of this one, and waits for the lock (`--wait`). */
  readonly isOverlapped: boolean;
}

/** One pipeline and all sessions of it, before a last one in calm weather. */
export interface PipelinePlan {
  readonly name: string;
  readonly services: readonly ServiceUse[];
  readonly items: readonly Item[];
  readonly pageSize: number;
  readonly isRereadable: boolean;
  readonly graceMs: number;
  /** When its first session begins. */
  readonly startMs: number;
  readonly sessions: readonly SessionPlan[];
  readonly caps: Caps;
}

/** Pipelines that run at the same time share the ledger, the accounts, and some of their media. */
export interface Schedule {
  readonly seed: number;
  readonly pipelines: readonly PipelinePlan[];
  readonly weather: Weather;
  readonly clockJumps: readonly ClockJump[];
  /** Replies say what time it is. */
  readonly tellsDate: boolean;
}

/** What is drawn by chances of their own leaves what was there before as it was. */
export function drawSchedule(seed: number): Schedule {
  const chance = new Chance(seed);
  const drawn = Array.from({ length: chance.whole(1, 2) }, (_, index) => drawAccount(chance, index));
  const services = drawServices(chance, drawn);
  const items = drawItems(chance);
  const [pageSize, isRereadable, graceMs] = drawManner(chance);
  const weather = chance.isTrue(0.15) ? calm : drawWeather(chance);
  const sessions = Array.from({ length: chance.whole(1, 4) }, () => drawSession(chance));
  const { caps, clockJumps: steps } = drawSurroundings(new Chance(seed ^ 0xca95));
  const clockJumps = strayFar(new Chance(seed ^ 0xda7e), steps);
  const overlapping = new Chance(seed ^ 0x10c4);
  const first: PipelinePlan = {
    name: 'simulation',
    services,
    items,
    pageSize,
    isRereadable,
    graceMs,
    startMs: 0,
    sessions: sessions.map((one) => ({ ...one, isOverlapped: overlapping.isTrue(0.15) })),
    caps,
  };
  const company = new Chance(seed ^ 0xc09a);
  const others = Array.from({ length: company.pick([0, 0, 0, 1, 1, 2]) }, (_, index) =>
    drawCompanion(company, drawn, index),
  );
  const tellsDate = !new Chance(seed ^ 0xda1e).isTrue(0.1);
  const pipelines = [first, ...others].map(capAccounts(company, drawn));
  return { seed, pipelines, weather, clockJumps, tellsDate };
}

/** Another pipeline on the same ledger, with accounts and most of its media in common. */
function drawCompanion(chance: Chance, accounts: readonly Account[], index: number): PipelinePlan {
  const [pageSize, isRereadable, graceMs] = drawManner(chance);
  return {
    name: `companion-${index}`,
    services: drawServices(chance, accounts),
    items: drawItems(chance),
    pageSize,
    isRereadable,
    graceMs,
    startMs: chance.pick([0, chance.magnitude(1, 10_000)]),
    sessions: Array.from({ length: chance.whole(1, 3) }, () => ({
      ...drawSession(chance),
      isOverlapped: chance.isTrue(0.15),
    })),
    caps: drawCaps(chance),
  };
}

function drawManner(chance: Chance): readonly [number, boolean, number] {
  return [chance.pick([2, 5, 50]), chance.isTrue(0.7), chance.pick([0, 500, 25_000])];
}

/** Each unit costs 0.01 CNY. */
export const unitPrice = 10_000_000n;
const hourMs = 3_600_000;

function drawCap(chance: Chance): bigint | undefined {
  return chance.isTrue(0.2) ? BigInt(chance.magnitude(1, 60)) * unitPrice : undefined;
}

function drawCaps(chance: Chance): Caps {
  return { run: drawCap(chance), month: drawCap(chance) };
}

/** Some accounts have a cap over all pipelines. */
function capAccounts(chance: Chance, accounts: readonly Account[]): (plan: PipelinePlan) => PipelinePlan {
  const capped = new Map(
    accounts.map((account): [Account, Account] => {
      const month = drawCap(chance);
      return [account, month === undefined ? account : { ...account, caps: { month } }];
    }),
  );
  return (plan) => ({
    ...plan,
    services: plan.services.map((use) => ({ ...use, account: capped.get(use.account) ?? use.account })),
  });
}

function drawSurroundings(chance: Chance): Pick<PipelinePlan, 'caps'> & Pick<Schedule, 'clockJumps'> {
  const jumps = chance.isTrue(0.3) ? chance.whole(1, 4) : 0;
  return {
    caps: drawCaps(chance),
    clockJumps: Array.from({ length: jumps }, () => ({
      atMs: chance.magnitude(1, 200_000),
      offByMs: Math.round(chance.between(-10, 10) * hourMs),
    })).toSorted((one, other) => one.atMs - other.atMs),
  };
}

/** Some machines wake with a clock that is days ahead, until somebody sets it. */
function strayFar(chance: Chance, jumps: readonly ClockJump[]): readonly ClockJump[] {
  if (!chance.isTrue(0.12)) return jumps;
  const fromMs = chance.pick([0, chance.magnitude(1, 100_000)]);
  const stray = { atMs: fromMs, offByMs: Math.round(chance.between(13, 60) * hourMs) };
  const mended = { atMs: fromMs + chance.magnitude(1000, 300_000), offByMs: 0 };
  return [...jumps, stray, mended].toSorted((one, other) => one.atMs - other.atMs);
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

function drawSession(chance: Chance): Omit<SessionPlan, 'isOverlapped'> {
  const end = chance.draw();
  return {
    dieAt: end < 0.75 ? chance.magnitude(3, 250) : undefined,
    losesQueue: chance.isTrue(0.5),
    stopAfterMs: end > 0.9 ? chance.magnitude(100, 60_000) : undefined,
    startNew: chance.isTrue(0.15),
    downMs: chance.magnitude(1000, 60_000),
  };
}
