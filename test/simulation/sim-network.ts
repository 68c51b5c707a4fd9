/**
 * The network between the program and the vendor: it delays and so reorders, drops, cuts and refuses calls, and lets
 * some arrive after they were given up. It keeps what an onlooker would know: who called when, what was in flight, and
 * which ends the program was told.
 *
 * A submission is never doubled on the way, which no TCP connection does; callbacks are.
 */
import type { Http, Reply, Sent, SignedCall } from '../../src/domain/exchange.ts';
import type { Chance } from './chance.ts';
import type { Schedule, Weather } from './schedule.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimProcess } from './sim-process.ts';
import { nameWork, readBody, reply, type SimVendor } from './sim-vendor.ts';

/** A call that was given up arrives no later than this: the ten seconds between two listings cover it. */
const latestArrivalMs = 8000;

export interface Told {
  readonly atMs: number;
  readonly content: string;
}

interface Flight {
  readonly process: SimProcess;
  readonly refs: readonly string[];
  readonly sku: 'toy/call' | 'toy/frame';
  readonly departedAtMs: number;
  readonly account: string;
  readonly isSubmission: boolean;
  /** A vendor can be asked for these references. */
  readonly canAsk: boolean;
  deliveredAtMs: number | undefined;
}

type Fate =
  | 'not-sent'
  | 'dropped'
  | 'late'
  | 'lost-answer'
  | 'truncated'
  | 'cut-body'
  | 'refused'
  | 'carried';

export class SimNetwork {
  /** When calls left, by account. */
  readonly departures = new Map<string, number[]>();
  readonly mostInFlight = new Map<string, number>();
  /** Ends that a living process was told: none of these contents is ever to be called for again. */
  readonly told: Told[] = [];
  /** Elements whose fate the program could not know, by SKU. */
  readonly unknown = { 'toy/call': 0, 'toy/frame': 0 };
  weather: Weather;
  readonly #clock: SimClock;
  readonly #vendor: SimVendor;
  readonly #chance: Chance;
  readonly #flights = new Set<Flight>();
  readonly #tellings = new Map<SimProcess, Told[]>();
  readonly #tellsDate: boolean;

  constructor(clock: SimClock, vendor: SimVendor, chance: Chance, { weather, tellsDate }: Schedule) {
    this.#tellsDate = tellsDate;
    this.#clock = clock;
    this.#vendor = vendor;
    this.#chance = chance;
    this.weather = weather;
  }

  connect(process: SimProcess): Http {
    return { send: (call, { timeoutMs }) => process.act(() => this.#send(process, call, timeoutMs)) };
  }

  /** The process is gone. Answers how many elements were in flight or ahead. */
  hangUp(process: SimProcess): number {
    const now = this.#clock.monotonic();
    const lost = new Map([...process.ahead.values()].map(({ ref, usage }) => [ref, skuOf(usage.units)]));
    for (const { task } of [...process.asked].flatMap(({ tasks }) => tasks)) {
      lost.set(`asked for task ${task.id}`, skuOf(task.usage.units));
    }
    let away = lost.size;
    for (const flight of this.#flights) {
      if (flight.process !== process) continue;
      this.#flights.delete(flight);
      const { refs, sku, isSubmission, canAsk, deliveredAtMs } = flight;
      if (!isSubmission || (deliveredAtMs !== undefined && deliveredAtMs < now)) continue;
      // What came back at this very moment may not be written down yet.
      if (deliveredAtMs === undefined) away += refs.length;
      for (const ref of refs) {
        lost.set(ref, sku);
        if (!canAsk) this.#vendor.phantoms.add(ref);
      }
    }
    // What it was told at the very moment of its death it may not have written down.
    this.told.push(...(this.#tellings.get(process) ?? []).filter(({ atMs }) => atMs < now));
    this.#tellings.delete(process);
    for (const sku of lost.values()) this.unknown[sku] += 1;
    return away;
  }

  async #send(process: SimProcess, call: SignedCall, timeoutMs: number): Promise<Sent> {
    const flight = this.#depart(process, call);
    const fate = this.#drawFate(flight.isSubmission);
    const [thereMs, backMs] = this.#drawWays();
    let sent: Sent;
    if (fate === 'not-sent') {
      await this.#clock.sleep(thereMs);
      sent = { phase: 'not-sent', cause: 'connection refused' };
    } else if (fate === 'dropped' || fate === 'late') {
      if (fate === 'late') void this.#arriveLate(call, flight);
      await this.#clock.sleep(this.#chance.isTrue(0.2) ? timeoutMs : thereMs);
      sent = { phase: 'unknown', cause: 'connection reset' };
    } else {
      sent = await this.#exchange(call, flight, fate, thereMs, backMs, timeoutMs);
    }
    this.#deliver(process, flight, call, sent);
    return sent;
  }

  #depart(process: SimProcess, call: SignedCall): Flight {
    const account = readAccount(call);
    const times = this.departures.get(account) ?? [];
    this.departures.set(account, times);
    const departedAtMs = this.#clock.monotonic();
    times.push(departedAtMs);
    const { pathname } = new URL(call.url);
    const isSubmission = call.method === 'POST';
    const refs = isSubmission ? readBody(call).elements.map(({ ref }) => ref) : [];
    const flight: Flight = {
      process,
      refs,
      sku: pathname.endsWith('/watch') ? 'toy/frame' : 'toy/call',
      departedAtMs,
      account,
      isSubmission,
      canAsk: pathname === '/jobs/watch',
      deliveredAtMs: undefined,
    };
    this.#flights.add(flight);
    for (const ref of refs) process.ahead.delete(ref);
    const flying = [...this.#flights].filter(
      (one) => one.account === account && one.deliveredAtMs === undefined,
    ).length;
    this.mostInFlight.set(account, Math.max(this.mostInFlight.get(account) ?? 0, flying));
    return flight;
  }

  async #arriveLate(call: SignedCall, flight: Flight): Promise<void> {
    await this.#clock.sleep(this.#chance.between(1, latestArrivalMs));
    if (flight.isSubmission) this.#submit(call, flight);
  }

  async #exchange(
    call: SignedCall,
    flight: Flight,
    fate: Fate,
    thereMs: number,
    backMs: number,
    timeoutMs: number,
  ): Promise<Sent> {
    await this.#clock.sleep(thereMs);
    const whole = this.#stamp(this.#answer(call, flight, fate));
    if (thereMs + backMs > timeoutMs) {
      await this.#clock.sleep(timeoutMs - thereMs);
      return { phase: 'unknown', cause: 'timeout' };
    }
    await this.#clock.sleep(backMs);
    if (fate === 'lost-answer' || fate === 'cut-body') return { phase: 'unknown', cause: 'connection reset' };
    if (fate !== 'truncated') return { phase: 'answered', reply: whole };
    return { phase: 'answered', reply: { ...whole, body: whole.body.slice(0, whole.body.length / 2) } };
  }

  /** As every HTTP server does, unless somebody between takes it out. */
  #stamp(answer: Reply): Reply {
    if (!this.#tellsDate) return answer;
    const date = new Date(this.#clock.trueNow()).toUTCString();
    return { ...answer, headers: { ...answer.headers, date } };
  }

  #answer(call: SignedCall, flight: Flight, fate: Fate) {
    const now = this.#clock.monotonic();
    const window = this.weather.windows.find(({ fromMs, toMs }) => now >= fromMs && now < toMs)?.is;
    if (window === 'bad-signature') return reply(401, { error: 'bad signature' });
    if (window === 'no-service' && flight.isSubmission) return reply(404, { error: 'no such service' });
    if (window === 'throttled') return reply(429, { error: 'too many' });
    if (fate === 'refused') {
      const status = this.#chance.pick([429, 429, 503, 503, 500]);
      const headers: Record<string, string> = this.#chance.isTrue(0.3) ? { 'retry-after': '3' } : {};
      if (status === 500 && this.#chance.isTrue(0.5)) this.#carryOut(call, flight);
      return reply(status, { error: 'no' }, headers);
    }
    return this.#carryOut(call, flight);
  }

  #carryOut(call: SignedCall, flight: Flight) {
    return flight.isSubmission ? this.#submit(call, flight) : this.#vendor.read(call, flight.account);
  }

  #submit(call: SignedCall, { account, departedAtMs, process }: Flight) {
    return this.#vendor.submit(call, account, { departedAtMs, pipeline: process.pipeline });
  }

  #drawFate(isSubmission: boolean): Fate {
    const now = this.#clock.monotonic();
    const { windows, notSent, dropped, late, lostAnswer, truncated, refused } = this.weather;
    if (windows.some((one) => one.is === 'away' && now >= one.fromMs && now < one.toMs)) return 'not-sent';
    if (this.#chance.isTrue(refused)) return 'refused';
    if (this.#chance.isTrue(notSent)) return 'not-sent';
    if (this.#chance.isTrue(dropped)) return 'dropped';
    if (isSubmission && this.#chance.isTrue(late)) return 'late';
    if (this.#chance.isTrue(lostAnswer)) return 'lost-answer';
    if (this.#chance.isTrue(truncated)) return this.#chance.pick(['truncated', 'cut-body']);
    return 'carried';
  }

  #drawWays(): readonly [number, number] {
    const slow = this.#chance.isTrue(this.weather.slow);
    const thereMs = slow ? this.#chance.between(100, latestArrivalMs) : this.#chance.between(1, 100);
    const backMs = slow ? this.#chance.between(100, 150_000) : this.#chance.between(1, 400);
    return [thereMs, backMs];
  }

  #deliver(process: SimProcess, flight: Flight, call: SignedCall, sent: Sent): void {
    if (process.isDead) return;
    const now = this.#clock.monotonic();
    flight.deliveredAtMs = now;
    for (const one of this.#flights) {
      if (one.deliveredAtMs !== undefined && one.deliveredAtMs < now) this.#flights.delete(one);
    }
    if (!flight.isSubmission) return;
    const isUnknown =
      sent.phase === 'unknown' ||
      (sent.phase === 'answered' && (sent.reply.status === 500 || !isJson(sent.reply.body)));
    if (isUnknown) {
      this.unknown[flight.sku] += flight.refs.length;
      if (!flight.canAsk) for (const ref of flight.refs) this.#vendor.phantoms.add(ref);
      return;
    }
    if (sent.phase !== 'answered' || (sent.reply.status !== 200 && sent.reply.status !== 400)) return;
    const tellings = this.#tellings.get(process) ?? [];
    this.#tellings.set(process, tellings);
    for (const element of readBody(call).elements) {
      tellings.push({ atMs: now, content: nameWork(call, flight.account, element) });
    }
  }
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

function readAccount(call: SignedCall): string {
  return /^Toy ([^:]+):/.exec(call.headers['authorization'] ?? '')?.[1] ?? '';
}

function skuOf(units: Readonly<Record<string, number>>): 'toy/call' | 'toy/frame' {
  return 'toy/frame' in units ? 'toy/frame' : 'toy/call';
}
