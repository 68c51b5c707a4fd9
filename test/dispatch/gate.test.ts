import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gate } from '../../src/dispatch/gate.ts';
import { MemoryOffice } from '../support/memory-office.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const never = new AbortController().signal;

function makeGate(
  clock: VirtualClock,
  limits: { concurrency?: number; perSecond?: number; maxOpenJobs?: number } = {},
  office = new MemoryOffice(clock).enter('one'),
) {
  const all = { concurrency: 4, perSecond: 1_000_000, maxOpenJobs: 3, ...limits };
  return new Gate({ clock, office, limit: 'account', limits: all, stop: never });
}

/** Calls of several gates on one board, each process with a load of its own, and when they left. */
async function callTogether(
  loads: readonly (readonly number[])[],
  limits: Parameters<typeof makeGate>[1],
  callMs = 5,
): Promise<readonly (readonly number[])[]> {
  const clock = new VirtualClock();
  const office = new MemoryOffice(clock);
  const left = loads.map((): number[] => []);
  const calls = loads.flatMap((gaps, index) => {
    const gate = makeGate(clock, limits, office.enter(`process-${index}`));
    return gaps.map(async (gap) => {
      await clock.sleep(gap);
      const leave = await gate.enter();
      left[index]?.push(clock.monotonic());
      await clock.sleep(callMs);
      leave?.();
    });
  });
  await clock.drive(Promise.all(calls));
  return left;
}

function countMostWithin(times: readonly number[], ms: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return Math.max(
    0,
    ...sorted.map((start, index) => sorted.slice(index).filter((at) => at < start + ms - 1e-6).length),
  );
}

describe('the pace', () => {
  test('never lets more than perSecond + 1 calls leave in any second, however many processes ask, and whenever', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0.3, max: 5, noNaN: true })),
        fc.array(fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 60 }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (perSecond, loads) => {
          const left = await callTogether(loads, { perSecond, concurrency: 40 });
          expect(left.map(({ length }) => length)).toEqual(loads.map(({ length }) => length));
          expect(countMostWithin(left.flat(), 1000)).toBeLessThanOrEqual(Math.floor(perSecond) + 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    1, 2, 3, 5,
  ])('%i processes that always want to call use up the whole pace, in equal parts', async (count) => {
    const seconds = 20;
    const perSecond = 40;
    const loads = Array.from({ length: count }, () => Array<number>(seconds * perSecond).fill(0));
    const left = await callTogether(loads, { perSecond, concurrency: 10_000 });
    const early = left.map((times) => times.filter((at) => at < seconds * 1000).length);
    expect(early.reduce((sum, one) => sum + one)).toBeGreaterThan(seconds * perSecond * 0.97);
    expect(Math.min(...early)).toBeGreaterThan(Math.max(...early) * 0.9);
  });

  test('a process that calls rarely takes nothing from one that always wants to', async () => {
    const always = Array<number>(2000).fill(0);
    const rarely = Array.from({ length: 20 }, (_, index) => index * 1000);
    const left = await callTogether([always, rarely], { perSecond: 50, concurrency: 400 });
    const inTime = left[0]?.filter((at) => at < 20_000).length ?? 0;
    expect(inTime).toBeGreaterThan(50 * 20 * 0.9);
    const waits = left[1]?.toSorted((one, other) => one - other).map((at, index) => at - index * 1000) ?? [];
    expect(Math.max(...waits)).toBeLessThan(1000);
  });

  test('turns that a dead process had leased pass by, and nobody waits for them', async () => {
    const clock = new VirtualClock();
    const office = new MemoryOffice(clock);
    await office.enter('dead').exchange({
      limit: 'account',
      part: '',
      limits: { concurrency: 4, perSecond: 10, maxOpenJobs: 3 },
      turns: 1000,
      flights: { used: 0, wanted: 4 },
      jobs: { used: 0, wanted: 3, grain: 1 },
      isThrottled: false,
      successes: 0,
      quietMs: 0,
    });
    office.dead.add('dead');
    await clock.drive(makeGate(clock, { perSecond: 10 }, office.enter('alive')).enter());
    expect(clock.monotonic()).toBeLessThan(600);
  });

  test('a board of before the machine was started anew holds nobody up', async () => {
    const late = new VirtualClock();
    await late.drive(late.sleep(86_400_000));
    const office = new MemoryOffice(late);
    await late.drive(makeGate(late, { perSecond: 0.5 }, office.enter('before')).enter());
    const clock = new VirtualClock();
    const after = new MemoryOffice(clock);
    for (const [limit, board] of office.boards) after.boards.set(limit, board);
    await clock.drive(makeGate(clock, { perSecond: 0.5 }, after.enter('after')).enter());
    expect(clock.monotonic()).toBe(0);
  });

  test('what throttles one process slows all of them, and what the vendor asks one all leave alone', async () => {
    const clock = new VirtualClock();
    const office = new MemoryOffice(clock);
    const one = makeGate(clock, { perSecond: 10 }, office.enter('one'));
    const other = makeGate(clock, { perSecond: 10 }, office.enter('other'));
    (await clock.drive(one.enter()))?.();
    one.slowDown('429', 5000);
    (await clock.drive(other.enter()))?.();
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5000);
    expect(other.share).toBe(0.5);
    other.succeed();
    (await clock.drive(one.enter()))?.();
    (await clock.drive(other.enter()))?.();
    (await clock.drive(one.enter()))?.();
    expect(one.share).toBeCloseTo(0.52);
  });
});

describe('places over several processes', () => {
  /** Calls that hold their places for random times, and the most that were held at once, over all processes. */
  async function hold(concurrency: number, loads: readonly (readonly number[])[]): Promise<number> {
    const clock = new VirtualClock();
    const office = new MemoryOffice(clock);
    let held = 0;
    let most = 0;
    const calls = loads.flatMap((lengths, index) => {
      const gate = makeGate(clock, { concurrency }, office.enter(`process-${index}`));
      return lengths.map(async (ms) => {
        await clock.sleep((ms * 7) % 1000);
        const leave = await gate.enter();
        held += 1;
        most = Math.max(most, held);
        await clock.sleep(ms);
        held -= 1;
        leave?.();
      });
    });
    await clock.drive(Promise.all(calls));
    return most;
  }

  test('no more calls are in flight than the limit, and every process gets its turn', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(lengths, { minLength: 1, maxLength: 4 }),
        async (concurrency, loads) => {
          expect(await hold(concurrency, loads)).toBeLessThanOrEqual(concurrency);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('a process that was alone makes room for another as its calls end', async () => {
    const clock = new VirtualClock();
    const office = new MemoryOffice(clock);
    const counts = [0, 0];
    const runs = [0, 1].map(async (index) => {
      await clock.sleep(index * 5000);
      const gate = makeGate(clock, { concurrency: 8 }, office.enter(`process-${index}`));
      const calls = Array.from({ length: 300 }, async () => {
        const leave = await gate.enter();
        if (clock.monotonic() > 8000 && clock.monotonic() < 20_000) counts[index] = (counts[index] ?? 0) + 1;
        await clock.sleep(500);
        leave?.();
      });
      await Promise.all(calls);
    });
    await clock.drive(Promise.all(runs));
    const [first = 0, second = 0] = counts;
    expect(Math.min(first, second)).toBeGreaterThan(Math.max(first, second) * 0.8);
  });

  test('jobs of all processes together keep to the limit, and a dead one keeps its places for a while', async () => {
    const clock = new VirtualClock();
    const office = new MemoryOffice(clock);
    const [one, other] = ['one', 'other'].map((process) =>
      makeGate(clock, { maxOpenJobs: 4 }, office.enter(process)),
    ) as [Gate, Gate];
    expect(await fill(clock, one, 60_000)).toBe(4);
    expect(await fill(clock, other, 60_000)).toBe(0);
    one.countJobs(-3);
    expect(await fill(clock, other, 10_000)).toBeGreaterThan(0);
    expect(one.openJobs + other.openJobs).toBeLessThanOrEqual(4);
    const left = one.openJobs;
    office.dead.add('one');
    await fill(clock, other, 60_000);
    expect(other.openJobs).toBe(4 - left);
    await fill(clock, other, 20 * 60_000);
    expect(other.openJobs).toBe(4);
  });
});

/** Opens jobs for as long as there is room within `ms`; answers how many were opened. */
async function fill(clock: VirtualClock, gate: Gate, ms: number): Promise<number> {
  const before = gate.openJobs;
  const until = clock.monotonic() + ms;
  while (clock.monotonic() < until) {
    if (gate.hasJobRoom(1)) gate.countJobs(1);
    else await clock.drive(clock.sleep(50));
  }
  return gate.openJobs - before;
}

describe('the gate', () => {
  test('holds no more calls in flight than its concurrency', async () => {
    const clock = new VirtualClock();
    const gate = makeGate(clock);
    let inFlight = 0;
    let most = 0;
    const calls = Array.from({ length: 40 }, async () => {
      const leave = await gate.enter();
      inFlight += 1;
      most = Math.max(most, inFlight);
      await clock.sleep(20);
      inFlight -= 1;
      leave?.();
    });
    await clock.drive(Promise.all(calls));
    expect(most).toBe(4);
  });

  test('halves itself once for a burst of throttled answers and recovers by single steps', () => {
    const gate = makeGate(new VirtualClock());
    gate.slowDown('429');
    gate.slowDown('429');
    expect(gate.share).toBe(0.5);
    gate.succeed();
    expect(gate.share).toBeCloseTo(0.52);
    for (let count = 0; count < 100; count += 1) gate.succeed();
    expect(gate.share).toBe(1);
  });

  test('lets nothing through before Retry-After has passed', async () => {
    const clock = new VirtualClock();
    const gate = makeGate(clock);
    gate.slowDown('429', 5000);
    await clock.drive(gate.enter());
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5000);
  });

  test('asks a vendor that is away ever more rarely, and halts after 15 minutes without one success', async () => {
    const clock = new VirtualClock();
    const gate = makeGate(clock);
    let calls = 0;
    const asking = async () => {
      for (;;) {
        const leave = await gate.enter();
        if (!leave) return;
        calls += 1;
        gate.suffer('connection refused');
        leave();
      }
    };
    await clock.drive(asking());
    expect(clock.monotonic()).toBeGreaterThanOrEqual(15 * 60_000);
    expect(clock.monotonic()).toBeLessThan(17 * 60_000);
    expect(calls).toBeLessThan(50);
    expect(gate.haltReason).toBe('no call succeeded for 15 minutes, last: connection refused');
  });

  test('tells once that nothing gets through any more, and once that something does again', () => {
    const told: string[] = [];
    const clock = new VirtualClock();
    const gate = new Gate({
      clock,
      office: new MemoryOffice(clock).enter('one'),
      limit: 'account',
      limits: { concurrency: 4, perSecond: 10, maxOpenJobs: 3 },
      stop: never,
      tell: (words) => told.push(words),
    });
    for (let count = 0; count < 4; count += 1) gate.suffer('connection refused');
    expect(told).toEqual([]);
    for (let count = 0; count < 10; count += 1) gate.suffer('connection refused');
    gate.succeed();
    gate.succeed();
    gate.suffer('timeout');
    expect(told).toEqual([
      'no call gets through: connection refused. Asking again ever more rarely; without one success for 15 minutes it halts.',
      'calls get through again.',
    ]);
  });

  test('forgets its troubles at the first success', async () => {
    const clock = new VirtualClock();
    const gate = makeGate(clock);
    for (let minute = 0; minute < 40; minute += 1) {
      gate.suffer('timeout');
      await clock.drive(clock.sleep(60_000));
      gate.succeed();
    }
    expect(gate.haltReason).toBeUndefined();
  });

  test('turns away everyone once it is halted', async () => {
    const clock = new VirtualClock();
    const gate = makeGate(clock, { concurrency: 1, perSecond: 1 });
    const first = await clock.drive(gate.enter());
    const waiting = gate.enter();
    gate.halt('"sign error" (401)');
    first?.();
    expect(await clock.drive(waiting)).toBeUndefined();
    expect(await clock.drive(gate.enter())).toBeUndefined();
  });

  test('keeps the open jobs at their limit, but lets one call larger than the limit go alone', async () => {
    const clock = new VirtualClock();
    const gate = makeGate(clock);
    const hasRoom = async (elements: number) => {
      for (let tries = 0; tries < 20 && !gate.hasJobRoom(elements); tries += 1) {
        await clock.drive(clock.sleep(100));
      }
      return gate.hasJobRoom(elements);
    };
    expect(await hasRoom(10)).toBe(true);
    gate.countJobs(2);
    expect(await hasRoom(1)).toBe(true);
    expect(await hasRoom(2)).toBe(false);
    gate.countJobs(-2);
    expect(await hasRoom(10)).toBe(true);
  });
});
