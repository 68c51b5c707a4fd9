/** Caps under load: a dispatch at high concurrency never lets a call leave that its cap has no room for. */
import { describe, expect, test } from 'vitest';
import { makeToyAccount } from '../support/toy-catalogue.ts';
import { freeOf, limitToy, makeImages, makeVideos, ToyWorld, useToy } from '../support/toy-run.ts';
import type { ToyVendor } from '../support/toy-vendor.ts';

const cent = 10_000_000n;
const wide = limitToy({ concurrency: 64, perSecond: 10_000, maxOpenJobs: 1000 });

describe('at concurrency 64', () => {
  test.each([
    1, 63, 64, 65, 100, 299,
  ])('a cap of %i calls lets exactly these leave, and lists on to the end', async (count) => {
    const world = await ToyWorld.open();
    const outcome = await world.run({
      services: [useToy('toy/image', { account: wide })],
      items: makeImages(300),
      caps: { run: BigInt(count) * cent },
    });
    expect(outcome.statuses).toEqual({ answered: count, 'over-cap': 300 - count });
    expect(outcome.counters['overCap']).toBe(300 - count);
    expect(world.vendor.calls).toHaveLength(count);
    expect(outcome.spending).toMatchObject({
      spent: BigInt(count) * cent,
      reserved: 0n,
      caps: [{ name: 'caps.run', spent: BigInt(count) * cent, reserved: 0n }],
    });
  });

  test('retries, slow-downs and calls that never left take nothing twice', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_call, _path, number) => {
      if (number % 7 === 0) return { is: 'refuse', status: 429 };
      return number % 11 === 0 ? { is: 'not-sent' } : undefined;
    };
    const outcome = await world.run({
      services: [useToy('toy/image', { account: wide })],
      items: makeImages(200),
      caps: { run: 150n * cent },
    });
    expect(world.vendor.submitted.size).toBeLessThanOrEqual(150);
    expect(outcome.statuses['answered']).toBe(world.vendor.submitted.size);
    expect(outcome.spending.caps[0]?.spent).toBeLessThanOrEqual(150n * cent);
    expect((outcome.statuses['answered'] ?? 0) + (outcome.statuses['over-cap'] ?? 0)).toBe(200);
  });

  test('calls that may have been billed count as spent, and the vendor never carries out more than the cap', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_call, _path, number) => (number % 5 === 0 ? { is: 'lost-answer' } : undefined);
    const outcome = await world.run({
      services: [useToy('toy/image', { account: wide })],
      items: makeImages(200),
      caps: { run: 100n * cent },
    });
    const carriedOut = [...world.vendor.submitted.values()].reduce((sum, times) => sum + times, 0);
    expect(carriedOut).toBe(100);
    expect(outcome.spending.caps[0]).toMatchObject({ spent: 100n * cent, reserved: 0n });
    expect(outcome.unitsOf('toy/call')?.uncertain).toBeGreaterThan(0);
  });
});

describe('a cap', () => {
  test('that was raised lets the run go on with what it kept back', async () => {
    const world = await ToyWorld.open();
    const setting = { services: [useToy('toy/image')], items: makeImages(50) };
    const first = await world.run({ ...setting, caps: { run: 20n * cent } });
    expect(first.statuses).toEqual({ answered: 20, 'over-cap': 30 });
    const second = await world.run({ ...setting, caps: { run: 45n * cent } });
    expect(second.statuses).toEqual({ answered: 45, 'over-cap': 5 });
    const third = await world.run({ ...setting, caps: {} });
    expect(third.statuses).toEqual({ answered: 50 });
    expect(world.vendor.doubles).toEqual([]);
    expect(world.vendor.calls).toHaveLength(50);
  });

  test('that lets nothing more go ends a run that is gone on with, at any pace', async () => {
    const world = await ToyWorld.open();
    // So slow that one call at a time is prepared: nothing rings once the last task has found no room.
    const account = limitToy({ perSecond: 10 });
    const setting = { services: [useToy('toy/image', { account })], items: makeImages(30) };
    await world.run({ ...setting, caps: { run: 12n * cent } });
    const again = await world.run({ ...setting, caps: { run: 5n * cent } });
    expect(again.statuses).toEqual({ answered: 12, 'over-cap': 18 });
    expect(world.vendor.calls).toHaveLength(12);
  });

  test('takes the elements of a batch one by one: those that do not fit drop out', async () => {
    const world = await ToyWorld.open();
    const outcome = await world.run({
      services: [useToy('toy/video', { batch: 20 })],
      items: makeVideos(45),
      caps: { units: { 'toy/call': 27 } },
    });
    expect(outcome.statuses).toEqual({ answered: 27, 'over-cap': 18 });
    expect(world.vendor.submitted.size).toBe(27);
    const submissions = world.vendor.calls.filter(({ path }) => path === '/jobs/video');
    expect(submissions).toHaveLength(2);
  });

  test('counts what a killed session had in flight until it is settled, and what it may have paid after that', async () => {
    const world = await ToyWorld.open();
    const setting = { services: [useToy('toy/image')], items: makeImages(60), caps: { run: 40n * cent } };
    await world.kill(setting, ({ calls }) => calls.length >= 20);
    const outcome = await world.run(setting);
    const carriedOut = [...world.vendor.submitted.values()].reduce((sum, times) => sum + times, 0);
    expect(carriedOut).toBeLessThanOrEqual(40);
    const { observed = 0, uncertain = 0 } = outcome.unitsOf('toy/call') ?? {};
    expect(uncertain).toBeGreaterThan(0);
    expect(observed + uncertain).toBe(40);
    expect(outcome.spending.caps[0]).toMatchObject({ spent: 40n * cent, reserved: 0n });
  });

  test('of a pipeline gets nothing back for a call of another one that it settles', async () => {
    const world = await ToyWorld.open();
    const services = [useToy('toy/watch')];
    world.vendor.fate = ({ method }) => (method === 'POST' ? { is: 'lost' } : undefined);
    await world.kill({ name: 'dead', services, items: makeVideos(1) }, ({ calls }) => calls.length >= 1);
    world.vendor.fate = () => undefined;
    // Room for two videos of three; the first waits for what the dead pipeline may have sent.
    const outcome = await world.run({
      services,
      items: makeVideos(3),
      formerServices: services,
      caps: { month: 6n * cent },
    });
    expect(outcome.statuses).toEqual({ answered: 2, 'over-cap': 1 });
    expect(outcome.spending.caps[0]).toMatchObject({ spent: 6n * cent, reserved: 0n });
  });

  test('that an overrun passed takes back the call that waits for its turn', async () => {
    const world = await ToyWorld.open();
    world.vendor.resultOf = () => ({ seenFrames: 30 });
    const account = limitToy({ concurrency: 4, perSecond: 5 });
    const outcome = await world.run({
      services: [useToy('toy/watch', { account, delivery: 'sync' })],
      items: makeVideos(20),
      caps: { run: 100n * cent },
    });
    // Four answers of 30 frames pass 100; the fifth call has its intent by then, and is still in the queue.
    expect(world.vendor.calls).toHaveLength(4);
    expect(outcome.statuses).toEqual({ answered: 4, 'over-cap': 16 });
    expect(outcome.spending.caps[0]).toMatchObject({ spent: 120n * cent, reserved: 0n });
  });

  test('that an overrun passed stops new calls at once', async () => {
    const world = await ToyWorld.open();
    // 12 s at one frame every 5 s are estimated as 3 frames, and turn out to be 30.
    const endedAt: number[] = [];
    world.vendor.resultOf = () => {
      endedAt.push(world.clock.monotonic());
      return { seenFrames: 30 };
    };
    const account = limitToy({ concurrency: 4, perSecond: 5, maxOpenJobs: 1000 });
    const outcome = await world.run({
      services: [useToy('toy/watch', { account })],
      items: makeVideos(60),
      caps: { run: 100n * cent },
    });
    const submissions = world.vendor.calls.filter(({ path }) => path === '/jobs/watch');
    const { spent = 0n, limit = 0n } = outcome.spending.caps[0] ?? {};
    expect(spent).toBe(BigInt(submissions.length) * 30n * cent);
    expect(spent).toBeGreaterThan(limit);
    // Once answers prove the overrun nothing leaves any more: what was submitted before the cap was passed, and no more.
    const passedAt = endedAt[Math.ceil(100 / 30) - 1] as number;
    expect(submissions.filter(({ atMs }) => atMs > passedAt)).toEqual([]);
    expect(outcome.spending.overrun).toEqual({ 'toy/frame': submissions.length * 27 });
    expect(outcome.statuses).toEqual({ answered: submissions.length, 'over-cap': 60 - submissions.length });
  });

  test('is used to its end though calls cost less than they hold: what does not fit beside them waits', async () => {
    // Each call holds a cent, and the first 100 cost nothing: a handful are under way at once, and all are answered.
    const world = await ToyWorld.open();
    const outcome = await world.run({
      services: [useToy('toy/image', { account: wide })],
      items: makeImages(100),
      prices: freeOf(100),
      caps: { run: 6n * cent },
    });
    expect(outcome.statuses).toEqual({ answered: 100 });
    expect(outcome.spending.caps[0]).toMatchObject({ spent: 0n, reserved: 0n });
  });

  test('is used to its end by jobs and batches, and by services that share it', async () => {
    const world = await ToyWorld.open();
    const outcome = await world.run({
      services: [
        useToy('toy/video', { batch: 20 }),
        useToy('toy/image', { account: limitToy({ perSecond: 10 }) }),
      ],
      items: [...makeVideos(45), ...makeImages(45)],
      prices: freeOf(80),
      caps: { run: 6n * cent },
    });
    expect(outcome.statuses).toEqual({ answered: 86, 'over-cap': 4 });
    expect(outcome.spending.caps[0]).toMatchObject({ spent: 6n * cent, reserved: 0n });
  });

  test('keeps no task waiting for what an account holds that stands still', async () => {
    const world = await ToyWorld.open();
    const services = [
      useToy('toy/video', { account: makeToyAccount({ name: 'halted' }) }),
      useToy('toy/image'),
    ];
    const items = [...makeVideos(3), ...makeImages(10)];
    const setting = { services, items, prices: freeOf(100), caps: { run: 3n * cent } };
    world.vendor.jobMs = () => Number.POSITIVE_INFINITY;
    world.vendor.fate = (_call, path) => (path === '/call/image' ? { is: 'not-sent' } : undefined);
    const isRead = ({ calls }: ToyVendor) => calls.filter(({ path }) => /job-\d/.test(path)).length >= 6;
    await world.kill(setting, isRead);
    world.vendor.fate = ({ method }) => (method === 'GET' ? { is: 'refuse', status: 401 } : undefined);
    const outcome = await world.run(setting);
    expect(outcome.end.halts).toHaveLength(1);
    expect(outcome.statuses).toEqual({ open: 3, 'over-cap': 10 });
  });

  test('keeps no task back that has an answer already', async () => {
    const world = await ToyWorld.open();
    const services = [useToy('toy/image')];
    await world.run({ services, items: makeImages(10) });
    const again = await world.run({ services, items: makeImages(12), caps: { run: 1n * cent } });
    expect(again.statuses).toEqual({ reused: 10, answered: 1, 'over-cap': 1 });
  });
});
