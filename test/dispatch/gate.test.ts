import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gate } from '../../src/dispatch/gate.ts';
import { Pace } from '../../src/dispatch/pace.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const never = new AbortController().signal;

function makeGate(
  clock: VirtualClock,
  limits: { concurrency?: number; perSecond?: number; maxOpenJobs?: number } = {},
) {
  return new Gate(clock, { concurrency: 4, perSecond: 1_000_000, maxOpenJobs: 3, ...limits }, never);
}

describe('pace', () => {
  test('never lets more than perSecond + 1 calls leave in any second, whenever they ask', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 150 }),
        async (perSecond, gaps) => {
          const clock = new VirtualClock();
          const pace = new Pace(clock, perSecond);
          const left: number[] = [];
          const callers = gaps.map(async (gap, index) => {
            await clock.sleep(gap * (index % 3));
            await pace.take();
            left.push(clock.monotonic());
          });
          await clock.drive(Promise.all(callers));
          for (const start of left) {
            const within = left.filter((at) => at >= start && at < start + 1000).length;
            expect(within).toBeLessThanOrEqual(perSecond + 1);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

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

  test('keeps the open jobs at their limit, but lets one call larger than the limit go alone', () => {
    const gate = makeGate(new VirtualClock());
    expect(gate.hasJobRoom(10)).toBe(true);
    gate.countJobs(2);
    expect(gate.hasJobRoom(1)).toBe(true);
    expect(gate.hasJobRoom(2)).toBe(false);
    gate.countJobs(-2);
    expect(gate.hasJobRoom(10)).toBe(true);
  });
});
