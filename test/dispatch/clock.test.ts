/** A wall clock that somebody sets: jobs are not given up for it, nothing is paid for twice, and it is told. */
import { describe, expect, test } from 'vitest';
import { Witness } from '../../src/dispatch/witness.ts';
import { limitToy, makeImages, makeVideos, ToyWorld, useToy } from '../support/toy-run.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('a wall clock that is set forward by more than a day', () => {
  const watched = { services: [useToy('toy/watch')], items: makeVideos(3), jobMs: hourMs };

  test('while jobs run lets each come to its end', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 30 * minuteMs;
    void world.clock.sleep(10 * minuteMs).then(() => {
      world.clock.setByMs = 30 * hourMs;
    });
    expect((await world.run(watched)).statuses).toEqual({ answered: 3 });
  });

  test('does not keep a job that never ends', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => Number.POSITIVE_INFINITY;
    void world.clock.sleep(10 * minuteMs).then(() => {
      world.clock.setByMs = -30 * hourMs;
    });
    const outcome = await world.run(watched);
    expect(outcome.tasks[0]).toMatchObject({ status: 'failed', error: { class: 'deadline' } });
    expect(world.clock.monotonic()).toBeLessThan(1.2 * hourMs);
  });

  test('between two sessions does not give up what the first one submitted', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 30 * minuteMs;
    world.vendor.tellsDate = true;
    await world.kill(watched, ({ submitted }) => submitted.size === 3);
    world.clock.setByMs = 10 * hourMs;
    expect((await world.run(watched)).statuses).toEqual({ answered: 3 });
    expect(world.vendor.doubles).toEqual([]);
  });

  test('halts the account by the vendor’s own clock, before more is spent than was under way', async () => {
    const world = await ToyWorld.open();
    world.vendor.tellsDate = true;
    world.clock.setByMs = 30 * hourMs;
    const account = limitToy({ concurrency: 2, perSecond: 10 });
    const setting = { services: [useToy('toy/image', { account })], items: makeImages(20) };
    const outcome = await world.run(setting);
    expect(outcome.end.halts).toEqual([
      {
        account: 'toy-test',
        reason:
          "this machine's clock is 1 d 06 h ahead of the vendor's, and bills, links and the search for lost calls go by it. Set the clock",
      },
    ]);
    expect(world.vendor.calls.length).toBeLessThanOrEqual(3);
    world.clock.setByMs = 0;
    expect((await world.run(setting)).end.halts).toEqual([]);
    expect([...world.vendor.submitted.values()]).toEqual(Array(20).fill(1));
  });

  test.each([
    { claim: 'and is right again', tellsDate: true, laterMs: 0, statuses: { answered: 3 } },
    { claim: 'and still is', tellsDate: true, laterMs: 30 * hourMs, statuses: { open: 3 } },
    { claim: 'and is right again', tellsDate: false, laterMs: 0, statuses: { answered: 3 } },
    { claim: 'and still is', tellsDate: false, laterMs: 30 * hourMs, statuses: { answered: 3 } },
  ])('when calls were lost $claim, hides none of their jobs from the search (Date in replies: $tellsDate)', async ({
    tellsDate,
    laterMs,
    statuses,
  }) => {
    const world = await ToyWorld.open();
    world.vendor.tellsDate = tellsDate;
    world.vendor.latencyMs = 2000;
    world.clock.setByMs = 30 * hourMs;
    await world.kill(watched, ({ calls }) => calls.length === 3);
    world.clock.setByMs = laterMs;
    expect((await world.run(watched)).statuses).toEqual(statuses);
    world.clock.setByMs = 0;
    expect((await world.run(watched)).statuses).not.toHaveProperty('failed');
    expect([...world.vendor.submitted.values()]).toEqual([1, 1, 1]);
  });
});

describe('what the witness tells', () => {
  function watch() {
    const told: string[] = [];
    const clock = new VirtualClock();
    const log = { info: () => undefined, warn: (text: string) => void told.push(text) };
    const witness = new Witness(clock, log);
    const hear = async (date?: string) => {
      await clock.drive(clock.sleep(2000));
      return witness.note('toy', { status: 200, headers: date === undefined ? {} : { date }, body: '' });
    };
    return { told, clock, witness, hear };
  }

  test('is nothing while the clock goes as it should', async () => {
    const { told, witness, hear } = watch();
    await hear('Fri, 20 Nov 2026 02:00:02 GMT');
    await hear();
    await hear('not a date');
    expect([told, witness.aheadMs]).toEqual([[], 0]);
  });

  test('is that the clock was set, once for each time', async () => {
    const { told, clock, witness, hear } = watch();
    for (const setByMs of [0, 90 * minuteMs, 90 * minuteMs, -minuteMs / 2]) {
      clock.setByMs = setByMs;
      await hear();
    }
    expect(told).toEqual([
      "this machine's clock was set forward by 1 h 30 min while the run goes on, or the machine slept: how long jobs are under way is counted without it.",
      "this machine's clock was set back by 1 h 31 min while the run goes on, or the machine slept: how long jobs are under way is counted without it.",
    ]);
    expect(witness.aheadMs).toBe(90 * minuteMs);
  });

  test('is that the clock differs from the vendor’s, once, and again where it differs otherwise', async () => {
    const { told, hear } = watch();
    await hear('Thu, 19 Nov 2026 18:00:02 GMT');
    await hear('Thu, 19 Nov 2026 18:00:04 GMT');
    await hear('Fri, 20 Nov 2026 02:30:06 GMT');
    expect(told).toEqual([
      "this machine's clock is 8 h 00 min ahead of the vendor's: links may be refused, and calls near the end of a month be booked in the wrong one. Set the clock.",
      "this machine's clock is 30 min 00 s behind the vendor's: links may be refused, and calls near the end of a month be booked in the wrong one. Set the clock.",
    ]);
  });

  test('is a reason to halt, to every account, where it is half a day off', async () => {
    const { clock, witness } = watch();
    const reply = { status: 200, headers: { date: 'Wed, 18 Nov 2026 02:00:00 GMT' }, body: '' };
    for (const account of ['one', 'other']) expect(witness.note(account, reply)).toContain('2 d 00 h ahead');
    clock.setByMs = -3 * 24 * hourMs;
    expect(witness.note('one', reply)).toContain('1 d 00 h behind');
  });
});
