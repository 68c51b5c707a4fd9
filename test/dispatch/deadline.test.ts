import { describe, expect, test } from 'vitest';
import { openDeadline } from '../../src/dispatch/deadline.ts';
import { waitForLock } from '../../src/dispatch/lock-wait.ts';
import { silentLog } from '../../src/domain/log.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const hourMs = 3_600_000;

describe('a deadline', () => {
  test('of a run comes when its time is over', async () => {
    const clock = new VirtualClock();
    const deadline = openDeadline(clock, { runMs: 2 * hourMs });
    await clock.drive(clock.sleep(2 * hourMs - 1));
    expect([deadline.signal.aborted, deadline.reached()]).toEqual([false, undefined]);
    await clock.drive(clock.sleep(2));
    expect([deadline.signal.aborted, deadline.reached()]).toEqual([true, 'deadlines.run (2 h 00 min)']);
  });

  test('by the clock on the wall comes at that local time', async () => {
    const clock = new VirtualClock();
    const local = new Date(clock.now() + 90 * 60_000);
    const until = { hour: local.getHours(), minute: local.getMinutes() };
    const deadline = openDeadline(clock, { until, runMs: 20 * hourMs });
    await clock.drive(clock.sleep(89 * 60_000));
    expect(deadline.reached()).toBeUndefined();
    await clock.drive(clock.sleep(2 * 60_000));
    expect(deadline.reached()).toBe(
      `--until ${String(until.hour).padStart(2, '0')}:${String(until.minute).padStart(2, '0')}`,
    );
  });

  test('notices within a minute that the clock was set', async () => {
    const clock = new VirtualClock();
    let ahead = 0;
    const set = {
      now: () => clock.now() + ahead,
      monotonic: () => clock.monotonic(),
      sleep: clock.sleep.bind(clock),
    };
    const local = new Date(clock.now() + 10 * hourMs);
    const deadline = openDeadline(set, { until: { hour: local.getHours(), minute: local.getMinutes() } });
    await clock.drive(clock.sleep(1000));
    ahead = 11 * hourMs;
    await clock.drive(clock.sleep(61_000));
    expect(deadline.signal.aborted).toBe(true);
  });

  test('that nobody set never comes, and one that is closed neither', async () => {
    const clock = new VirtualClock();
    const never = openDeadline(clock, {});
    const closed = openDeadline(clock, { runMs: 1000 });
    closed.close();
    await clock.drive(clock.sleep(100 * hourMs));
    expect([never.reached(), closed.reached()]).toEqual([undefined, undefined]);
  });
});

describe('waiting for a pipeline', () => {
  const locked = () =>
    new Stop(exitCodes.locked, 'pipeline "a": another run holds it: process 7. Wait until it ends.');

  function wait(takeLock: () => Promise<string>, given: { runMs?: number; stop?: AbortSignal } = {}) {
    const clock = new VirtualClock();
    const told: string[] = [];
    const waiting = clock.drive(
      waitForLock(takeLock, {
        clock,
        stop: given.stop ?? new AbortController().signal,
        deadline: openDeadline(clock, given),
        log: { ...silentLog, warn: (message) => told.push(message) },
      }),
    );
    return { waiting, told, clock };
  }

  test('ends when it is free, and tells once who holds it', async () => {
    let tries = 0;
    const { waiting, told, clock } = wait(async () => {
      tries += 1;
      if (tries < 5) throw locked();
      return 'release';
    });
    expect(await waiting).toBe('release');
    expect(clock.monotonic()).toBe(4000);
    expect(told).toEqual(['waiting: pipeline "a": another run holds it: process 7']);
  });

  test('is for that alone: other trouble ends it at once', async () => {
    const { waiting, clock } = wait(() => Promise.reject(new Stop(exitCodes.halted, 'the disk is full')));
    await expect(waiting).rejects.toThrow('the disk is full');
    expect(clock.monotonic()).toBe(0);
  });

  test.each([
    ['SIGINT', 130, 'interrupted while another run held the pipeline. Run again to wait for its turn.'],
    ['SIGTERM', 143, 'terminated while another run held the pipeline. Run again to wait for its turn.'],
  ])('ends with %s', async (signal, exitCode, message) => {
    const { waiting } = wait(() => Promise.reject(locked()), { stop: AbortSignal.abort(signal) });
    await expect(waiting).rejects.toMatchObject({ exitCode, message });
  });

  test('ends at the deadline with exit 4', async () => {
    const { waiting, clock } = wait(() => Promise.reject(locked()), { runMs: 5500 });
    await expect(waiting).rejects.toMatchObject({
      exitCode: 4,
      message:
        'stopped at deadlines.run (5.5 s), while another run held the pipeline. Run again to wait for its turn.',
    });
    expect(clock.monotonic()).toBeLessThan(6000);
  });
});
