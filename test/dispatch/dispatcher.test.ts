import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../src/domain/item.ts';
import { limitToy, makeImages, makeVideos, toyPrices, ToyWorld, useToy } from '../support/toy-run.ts';
import { toyCatalogue } from '../support/toy-catalogue.ts';

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function makeItemsFor(kind: string): Item[] {
  if (kind === 'image') return makeImages(7);
  if (kind === 'video') return makeVideos(7);
  return Array.from({ length: 7 }, (_, index) => ({
    id: `post-${index}`,
    position: Buffer.from([index]),
    kind: 'post' as const,
    text: `text ${index}`,
    title: 'title',
    images: ['https://img.example/1.jpg'],
  }));
}

describe('every service of every form', () => {
  const cases = toyCatalogue
    .flatMap(({ services }) => services)
    .flatMap((service) =>
      service.deliveries.map((delivery) => ({
        name: service.name,
        delivery,
        kind: service.kinds[0] as string,
      })),
    );

  test.each(cases)('$name by $delivery answers every item, and pays for each once', async ({
    name,
    delivery,
    kind,
  }) => {
    const world = await ToyWorld.open();
    world.vendor.resultOf = () => ({
      labels: [{ label: 'cat', score: 0.9 }],
      image: name === 'toy/repaint' ? pixel : undefined,
    });
    const use = useToy(name, { delivery });
    const outcome = await world.run(
      { services: [use], items: makeItemsFor(kind) },
      { hookUrl: 'https://hooks.example/x' },
    );
    expect(outcome.statuses).toEqual({ answered: 7 });
    expect(world.vendor.doubles).toEqual([]);
    expect([...world.vendor.submitted.values()]).toEqual(Array(7).fill(1));
    expect(outcome.tasks[0]?.finding?.labels).toMatchObject([{ label: 'cat', score: 0.9 }]);
    expect(outcome.tasks.every(({ charge }) => charge > 0n)).toBe(true);
  });

  test('an artifact is a file, typed by its bytes, before its task is answered', async () => {
    const world = await ToyWorld.open();
    world.vendor.resultOf = () => ({ image: pixel });
    const outcome = await world.run({ services: [useToy('toy/repaint')], items: makeImages(2) });
    const artifact = outcome.tasks[0]?.finding?.artifact;
    expect(artifact).toMatchObject({
      mediaType: 'image/png',
      path: expect.stringMatching(/^artifacts\/[0-9a-f]{64}\.png$/),
    });
    const saved = await readFile(join(world.out, 'toy', artifact?.path ?? ''));
    expect(saved.toString('base64')).toBe(pixel);
  });

  test('a batch sends its elements in one call, and each element ends on its own', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = (ref) => (ref.charCodeAt(0) % 2 === 0 ? 2000 : 90_000);
    const outcome = await world.run({
      services: [useToy('toy/video', { batch: 20 })],
      items: makeVideos(45),
    });
    expect(outcome.statuses).toEqual({ answered: 45 });
    const submissions = world.vendor.calls.filter(({ path }) => path === '/jobs/video');
    expect(submissions).toHaveLength(3);
    expect(world.vendor.doubles).toEqual([]);
  });

  test('a callback has the job read at once, and the run ends with it', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 40_000;
    const setting = { services: [useToy('toy/watch', { delivery: 'callback' })], items: makeVideos(1) };
    await world.run(setting, { hookUrl: 'https://hooks.example/x' });
    const answeredAt = world.vendor.calls.at(-1)?.atMs ?? 0;
    expect(answeredAt).toBeGreaterThanOrEqual(40_000);
    expect(answeredAt).toBeLessThan(40_200);
    // A read that stood in the agenda for later keeps nobody waiting.
    expect(world.clock.monotonic()).toBeLessThan(40_500);
  });

  test('a callback proves that a call of unknown fate arrived: it is held, not sent again, where no list shows it', async () => {
    for (const hookUrl of ['https://hooks.example/x', undefined]) {
      const world = await ToyWorld.open();
      world.vendor.listsNothing = true;
      world.vendor.fate = (call, _, number) =>
        call.method === 'POST' && number === 1 ? { is: 'lost-answer' } : undefined;
      const use = useToy('toy/watch', { delivery: hookUrl === undefined ? 'poll' : 'callback' });
      const outcome = await world.run({ services: [use], items: makeVideos(1) }, { hookUrl });
      const times = [...world.vendor.submitted.values()];
      // Without a callback such a vendor cannot be told from one that the call never reached.
      expect([hookUrl, outcome.statuses, times]).toEqual(
        hookUrl === undefined ? [hookUrl, { answered: 1 }, [2]] : [hookUrl, { held: 1 }, [1]],
      );
    }
  });

  test('frames that an answer proves replace the estimate upwards only', async () => {
    const world = await ToyWorld.open();
    world.vendor.resultOf = ({ link }) => ({ seenFrames: String(link).includes('clips/000000') ? 9 : 1 });
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(2) });
    // 12 s at one frame every 5 s are estimated as 3.
    expect(outcome.unitsOf('toy/frame')).toEqual({ observed: 9, estimated: 3, uncertain: 0 });
  });
});

describe('limits', () => {
  test('hold at any load: calls at once, calls a second, jobs open', async () => {
    const world = await ToyWorld.open();
    world.vendor.latencyMs = 300;
    const account = limitToy({ concurrency: 3, perSecond: 5, maxOpenJobs: 4 });
    const services = [useToy('toy/image', { account }), useToy('toy/watch', { account })];
    const outcome = await world.run({ services, items: [...makeImages(30), ...makeVideos(20)] });
    expect(outcome.statuses).toEqual({ answered: 50 });
    expect(world.vendor.mostInFlight).toBeLessThanOrEqual(3);
    expect(world.vendor.mostOpenElements).toBeLessThanOrEqual(4);
    for (const { atMs } of world.vendor.calls) {
      const within = world.vendor.calls.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1000).length;
      expect(within).toBeLessThanOrEqual(6);
    }
  });

  test('leave most of the pace to submissions: jobs are read few times once their usual length is known', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 30_000;
    const account = limitToy({ maxOpenJobs: 20 });
    const outcome = await world.run({ services: [useToy('toy/watch', { account })], items: makeVideos(100) });
    expect(outcome.statuses).toEqual({ answered: 100 });
    const reads = world.vendor.calls.filter(({ path }) => path.startsWith('/jobs/job-')).length;
    expect(reads).toBeLessThan(100 * 5);
  });

  test('on open jobs hold for submissions whose fate is still being asked for', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 60_000;
    world.vendor.fate = (_, path, number) =>
      path === '/jobs/watch' && number <= 2 ? { is: 'lost-answer' } : undefined;
    const account = limitToy({ maxOpenJobs: 2 });
    const outcome = await world.run({ services: [useToy('toy/watch', { account })], items: makeVideos(6) });
    expect(outcome.statuses).toEqual({ answered: 6 });
    expect(world.vendor.mostOpenElements).toBe(2);
  });

  test('of a service stand beside its account’s', async () => {
    const world = await ToyWorld.open();
    const services = [useToy('toy/image', { limits: { concurrency: 1 } })];
    await world.run({ services, items: makeImages(10) });
    expect(world.vendor.mostInFlight).toBe(1);
    await world.run({
      services: [useToy('toy/video', { limits: { maxOpenJobs: 2 } })],
      items: makeVideos(8),
    });
    expect(world.vendor.mostOpenElements).toBe(2);
  });

  test('more tasks than a lane holds wait in the ledger, and none is forgotten', async () => {
    const world = await ToyWorld.open();
    world.vendor.latencyMs = 1;
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(2600) });
    expect(outcome.statuses).toEqual({ answered: 2600 });
    expect(world.vendor.doubles).toEqual([]);
  });

  test('a manifest is read no further than its lanes have room', async () => {
    const world = await ToyWorld.open();
    world.vendor.latencyMs = 1;
    const items = makeImages(1500).map((item) => ({ ...item, url: `https://cdn.example/${item.key}` }));
    const outcome = await world.run({ services: [useToy('toy/image')], items, isRereadable: false });
    expect(outcome.statuses).toEqual({ answered: 1500 });
  });
});

describe('a refusal', () => {
  test('to slow down costs no attempt, and the task is answered in the end', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, path, number) =>
      path === '/call/image' && number <= 12 ? { is: 'refuse', status: 429 } : undefined;
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(3) });
    expect(outcome.statuses).toEqual({ answered: 3 });
    expect(world.vendor.calls).toHaveLength(15);
  });

  test('to try again is tried five times in all, then fails with the vendor’s words', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'refuse', status: 503, error: 'model is busy' });
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(1) });
    expect(world.vendor.calls).toHaveLength(5);
    expect(outcome.tasks[0]).toMatchObject({
      status: 'failed',
      error: { class: 'busy', code: '503', message: 'model is busy' },
    });
  });

  test('to try again is tried as often as the limits of its service say', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'refuse', status: 503 });
    const services = [
      useToy('toy/image', { limits: { maxAttempts: 2 } }),
      useToy('toy/repaint', { limits: { maxAttempts: 3 } }),
    ];
    const outcome = await world.run({ services, items: makeImages(1) });
    const asked = (path: string) => world.vendor.calls.filter((call) => call.path === path).length;
    expect([asked('/call/image'), asked('/call/repaint')]).toEqual([2, 3]);
    expect(outcome.statuses).toEqual({ failed: 2 });
  });

  test('to give up ends this task alone', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (call) =>
      call.body?.includes('000001') ? { is: 'refuse', status: 400, error: 'not an image' } : undefined;
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(3) });
    expect(outcome.statuses).toEqual({ answered: 2, failed: 1 });
    expect(outcome.tasks[1]?.error).toMatchObject({
      class: 'bad-media',
      httpStatus: 400,
      message: 'not an image',
    });
  });

  test('is remembered: the next run reports it without a call', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'refuse', status: 400, error: 'not an image' });
    const setting = { services: [useToy('toy/image')], items: makeImages(1) };
    await world.run(setting);
    const again = await world.run(setting);
    expect(again.statuses).toEqual({ failed: 1 });
    expect(world.vendor.calls).toHaveLength(1);
  });

  test('that halts stops the account and leaves its tasks open, while other accounts go on', async () => {
    const world = await ToyWorld.open();
    const refused = { ...limitToy({}), name: 'refused', credentials: { key: 'bad', secret: 'toy-secret' } };
    world.vendor.fate = (call) =>
      call.headers['authorization']?.includes('bad')
        ? { is: 'refuse', status: 401, error: 'sign error' }
        : undefined;
    const services = [useToy('toy/image', { account: refused }), useToy('toy/repaint')];
    const outcome = await world.run({ services, items: makeImages(60) });
    expect(outcome.statuses).toEqual({ open: 60, answered: 60 });
    expect(outcome.end.halts).toEqual([{ account: 'refused', reason: '"sign error" (401)' }]);
    expect(world.vendor.calls.filter(({ path }) => path === '/call/image').length).toBeLessThanOrEqual(8);
  });

  test('of a service stops that service, while its account goes on', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, path) =>
      path === '/call/image' ? { is: 'refuse', status: 404, error: 'model not found' } : undefined;
    const outcome = await world.run({
      services: [useToy('toy/image'), useToy('toy/repaint')],
      items: makeImages(40),
    });
    expect(outcome.statuses).toEqual({ open: 40, answered: 40 });
    expect(outcome.end.halts).toEqual([
      { account: 'toy-test', service: 'toy/image', reason: '"model not found" (404)' },
    ]);
  });
});

describe('a call that did not arrive', () => {
  test('is made again without costing an attempt or leaving a trace on the bill', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, __, number) => (number <= 9 ? { is: 'not-sent' } : undefined);
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(3) });
    expect(outcome.statuses).toEqual({ answered: 3 });
    expect(outcome.unitsOf('toy/call')).toEqual({ observed: 3, estimated: 0, uncertain: 0 });
  });

  test('to a vendor that stays away halts the account after 15 minutes, with every task open', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'not-sent' });
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(20) });
    expect(outcome.statuses).toEqual({ open: 20 });
    expect(outcome.end.halts[0]?.reason).toMatch(
      /^no call succeeded for 15 minutes, last: connection refused$/,
    );
    expect(world.vendor.calls.length).toBeLessThan(80);
  });
});

describe('a call of unknown fate', () => {
  test('that is cheap is sent again and stands as uncertain beside the bill', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, __, number) => (number === 1 ? { is: 'lost-answer' } : undefined);
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(1) });
    expect(outcome.statuses).toEqual({ answered: 1 });
    expect(outcome.unitsOf('toy/call')).toEqual({ observed: 1, estimated: 0, uncertain: 1 });
    expect(outcome.bill[0]?.charge).toBe(10_000_000n);
  });

  test('that is dear is held, and stays held in the next run without a call', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'lost-answer' });
    const setting = { services: [useToy('toy/image')], items: makeImages(1), resendBelow: 10_000_000n };
    const outcome = await world.run(setting);
    expect(outcome.statuses).toEqual({ held: 1 });
    expect(outcome.unitsOf('toy/call')).toEqual({ observed: 0, estimated: 0, uncertain: 1 });
    expect((await world.run(setting)).statuses).toEqual({ held: 1 });
    expect(world.vendor.calls).toHaveLength(1);
  });

  test('is sent again at most three times, then held', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'garbage' });
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(1) });
    expect(outcome.statuses).toEqual({ held: 1 });
    expect(world.vendor.calls).toHaveLength(4);
    expect(outcome.unitsOf('toy/call')?.uncertain).toBe(4);
  });

  test('at a vendor that can be asked is found among its jobs, and is never submitted twice', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, path, number) =>
      path === '/jobs/watch' && number % 2 === 1 ? { is: 'lost-answer' } : undefined;
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(12) });
    expect(outcome.statuses).toEqual({ answered: 12 });
    expect(world.vendor.doubles).toEqual([]);
    expect(outcome.unitsOf('toy/frame')?.uncertain).toBe(0);
  });

  test('is looked for without reading the same stranger’s job twice, however many searches there are', async () => {
    const world = await ToyWorld.open();
    const strangers = world.vendor.addStrangers(40);
    world.vendor.fate = (_, path, number) =>
      path === '/jobs/watch' && (number === 1 || number === 8) ? { is: 'lost-answer' } : undefined;
    const account = limitToy({ concurrency: 1, perSecond: 5 });
    const outcome = await world.run({ services: [useToy('toy/watch', { account })], items: makeVideos(8) });
    expect(outcome.statuses).toEqual({ answered: 8 });
    expect(world.vendor.doubles).toEqual([]);
    const count = (wanted: string) => world.vendor.calls.filter(({ path }) => path === wanted).length;
    expect(count('/jobs')).toBeGreaterThan(2);
    expect(strangers.map((id) => count(`/jobs/${id}`))).toEqual(strangers.map(() => 1));
  });

  test('that never arrived there is sent again under the same reference, after two complete listings', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (_, path, number) =>
      path === '/jobs/watch' && number === 1 ? { is: 'lost' } : undefined;
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(1) });
    expect(outcome.statuses).toEqual({ answered: 1 });
    expect(world.vendor.submitted.size).toBe(1);
    const [first, second] = world.vendor.calls.filter(({ path }) => path === '/jobs/watch');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(10_000);
  });

  test('is found although single listings and reads fail, without a search anew', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 1000;
    world.vendor.fate = (_, path, number) => {
      if (path === '/jobs/watch') return { is: 'lost-answer' };
      return number === 1 ? { is: 'refuse', status: 503 } : undefined;
    };
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(1) });
    expect(outcome.statuses).toEqual({ answered: 1 });
    expect(world.vendor.doubles).toEqual([]);
    // The first of the two lists twice, the second once.
    expect(world.vendor.calls.filter(({ path }) => path === '/jobs')).toHaveLength(3);
  });

  test('at a vendor that refuses the account meanwhile stays open, and is found by the next session', async () => {
    const world = await ToyWorld.open();
    const setting = { services: [useToy('toy/watch')], items: makeVideos(2) };
    world.vendor.fate = (_, path) =>
      path === '/jobs/watch' ? { is: 'lost-answer' } : { is: 'refuse', status: 401, error: 'sign error' };
    const halted = await world.run(setting);
    expect(halted.end.halts).toMatchObject([{ account: 'toy-test', reason: '"sign error" (401)' }]);
    expect(halted.statuses).toEqual({ open: 2 });
    world.vendor.fate = () => undefined;
    // A run that was ended begins anew and adopts the jobs.
    expect((await world.run(setting)).statuses).toEqual({ reused: 2 });
    expect(world.vendor.doubles).toEqual([]);
  });

  test('is held where the vendor cannot be asked, instead of being sent again', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (call, path) => {
      if (path === '/jobs/watch') return { is: 'lost' };
      return call.method === 'GET' ? { is: 'refuse', status: 500 } : undefined;
    };
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(1) });
    expect(outcome.statuses).toEqual({ held: 1 });
    expect(world.vendor.calls.filter(({ path }) => path === '/jobs/watch')).toHaveLength(1);
  });
});

describe('a job', () => {
  test('that the vendor no longer knows in three reads a minute apart fails as job-lost, counted as billed', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (call, path) =>
      call.method === 'GET' && path !== '/jobs' ? { is: 'refuse', status: 404 } : undefined;
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(1) });
    expect(outcome.tasks[0]).toMatchObject({ status: 'failed', error: { class: 'job-lost' } });
    expect(outcome.tasks[0]?.charge).toBe(30_000_000n);
    const reads = world.vendor.calls.filter(({ path }) => path.startsWith('/jobs/job-'));
    expect(reads).toHaveLength(3);
    expect((reads[2]?.atMs ?? 0) - (reads[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(120_000);
  });

  test('past its deadline fails as deadline, and is not paid for again by the next run', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => Number.POSITIVE_INFINITY;
    const setting = { services: [useToy('toy/watch')], items: makeVideos(1), jobMs: 600_000 };
    const outcome = await world.run(setting);
    expect(outcome.tasks[0]).toMatchObject({ status: 'failed', error: { class: 'deadline' } });
    await world.run(setting);
    expect([...world.vendor.submitted.values()]).toEqual([1]);
  });

  test('is read on through server trouble, refused connections and throttling', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (call, _, number) => {
      if (call.method !== 'GET') return undefined;
      return (
        [{ is: 'not-sent' }, { is: 'lost' }, { is: 'refuse', status: 429 }, { is: 'garbage' }] as const
      )[number - 1];
    };
    const outcome = await world.run({ services: [useToy('toy/watch')], items: makeVideos(1) });
    expect(outcome.statuses).toEqual({ answered: 1 });
  });
});

describe('what earlier runs could not settle', () => {
  const videos = { services: [useToy('toy/watch')], items: makeVideos(3) };

  /** Three jobs that the vendor took, answers of which were lost, while it could not be asked. */
  async function holdThree() {
    const world = await ToyWorld.open();
    world.vendor.fate = (call, path) => {
      if (path === '/jobs/watch') return { is: 'lost-answer' };
      return call.method === 'GET' ? { is: 'refuse', status: 500 } : undefined;
    };
    const outcome = await world.run(videos);
    expect(outcome.statuses).toEqual({ held: 3 });
    expect(outcome.unitsOf('toy/frame')).toEqual({ observed: 0, estimated: 0, uncertain: 9 });
    expect(
      (await world.ask((ledger) => ledger.listHeld(undefined))).map(({ isAskedAgain }) => isAskedAgain),
    ).toEqual([true, true, true]);
    return world;
  }

  test('is looked for again by the next run, and paid for where it was sent', async () => {
    const world = await holdThree();
    world.vendor.fate = () => undefined;
    const next = await world.run(videos);
    expect(next.statuses).toEqual({ reused: 3 });
    expect(next.bill).toEqual([]);
    expect([...world.vendor.submitted.values()]).toEqual([1, 1, 1]);
    const [, before] = await world.ask((ledger) => ledger.listRuns(2));
    const bill = await world.ask((ledger) => ledger.readBill(before?.id ?? '', toyPrices));
    expect(bill).toMatchObject([{ sku: 'toy/frame', estimated: 9, uncertain: 0 }]);
    expect(await world.ask((ledger) => ledger.listHeld(undefined))).toEqual([]);
  });

  test('is held once more where the vendor still cannot be asked, and counted once', async () => {
    const world = await holdThree();
    expect((await world.run(videos)).statuses).toEqual({ held: 3 });
    const runs = await world.ask((ledger) => ledger.listRuns(2));
    const bills = await world.ask((ledger) =>
      Promise.all(runs.map(({ id }) => ledger.readBill(id, toyPrices))),
    );
    expect(bills.map((bill) => bill.map(({ uncertain }) => uncertain))).toEqual([[], [9]]);
    expect([...world.vendor.submitted.values()]).toEqual([1, 1, 1]);
  });

  test('and never arrived is sent by the next run under the same reference', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = (call, path) => {
      if (path === '/jobs/watch') return { is: 'lost' };
      return call.method === 'GET' ? { is: 'refuse', status: 500 } : undefined;
    };
    await world.run(videos);
    world.vendor.fate = () => undefined;
    const next = await world.run(videos);
    expect(next.statuses).toEqual({ answered: 3 });
    expect([...world.vendor.submitted.values()]).toEqual([1, 1, 1]);
    const [, before] = await world.ask((ledger) => ledger.listRuns(2));
    const bill = await world.ask((ledger) => ledger.readBill(before?.id ?? '', toyPrices));
    expect(bill).toMatchObject([{ observed: 0, estimated: 0, uncertain: 0 }]);
  });

  test('is sent again unasked once a person said so', async () => {
    const world = await holdThree();
    await world.ask((ledger) => ledger.settleHeld(undefined, 'resend'));
    world.vendor.fate = () => undefined;
    const next = await world.run(videos);
    expect(next.statuses).toEqual({ answered: 3 });
    expect(world.vendor.submitted.size).toBe(6);
  });
});

describe('a job that was given up', () => {
  const setting = { services: [useToy('toy/watch')], items: makeVideos(1), jobMs: 600_000 };

  async function giveUp(endsAfterMs: number) {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => endsAfterMs;
    const outcome = await world.run(setting);
    expect(outcome.tasks[0]).toMatchObject({ status: 'failed', error: { class: 'deadline' } });
    expect(outcome.unitsOf('toy/frame')?.estimated).toBe(3);
    return world;
  }

  test('is read by the next run, whose task takes the answer, and is not billed again', async () => {
    const world = await giveUp(900_000);
    await world.clock.drive(world.clock.sleep(900_000));
    const next = await world.run(setting);
    expect(next.statuses).toEqual({ reused: 1 });
    expect([...world.vendor.submitted.values()]).toEqual([1]);
    const [, before] = await world.ask((ledger) => ledger.listRuns(2));
    const bill = await world.ask((ledger) => ledger.readBill(before?.id ?? '', toyPrices));
    expect(bill).toMatchObject([{ estimated: 3, observed: 0, charge: 30_000_000n }]);
  });

  test('fails once more where it still has not ended, as it did first', async () => {
    const world = await giveUp(Number.POSITIVE_INFINITY);
    const [before] = await world.ask((ledger) => ledger.listFailed(undefined));
    await world.ask((ledger) => ledger.acknowledgeFailed(undefined));
    await world.clock.drive(world.clock.sleep(86_400_000));
    const next = await world.run(setting);
    expect(next.tasks[0]).toMatchObject({ status: 'failed', error: { class: 'deadline' } });
    expect([...world.vendor.submitted.values()]).toEqual([1]);
    const [after] = await world.ask((ledger) => ledger.listFailed(undefined));
    expect(after?.failedAt).toBe(before?.failedAt);
    expect(after?.acknowledgedAt).toBeDefined();
    const runs = await world.ask((ledger) => ledger.listRuns(2));
    const bills = await world.ask((ledger) =>
      Promise.all(runs.map(({ id }) => ledger.readBill(id, toyPrices))),
    );
    expect(bills.map((bill) => bill.map(({ estimated }) => estimated))).toEqual([[], [3]]);
  });

  test.each([
    ['has ended', 900_000, { reused: 1 }, [1]],
    ['has not ended', 90_000_000, { answered: 1 }, [1, 1]],
  ])('is read before it is submitted again, and %s', async (_, endsAfterMs, statuses, submitted) => {
    const world = await giveUp(endsAfterMs);
    await world.clock.drive(world.clock.sleep(900_000));
    const [before] = await world.ask((ledger) => ledger.listRuns(1));
    const first = [...world.vendor.submitted.keys()];
    world.vendor.jobMs = (ref) => (first.includes(ref) ? endsAfterMs : 3000);
    const again = await world.run({ ...setting, opening: { onlyFailed: before?.id ?? '' } });
    expect(again.statuses).toEqual(statuses);
    expect([...world.vendor.submitted.values()]).toEqual(submitted);
  });

  test('is not submitted again before the vendor has answered a read', async () => {
    const world = await giveUp(900_000);
    const [before] = await world.ask((ledger) => ledger.listRuns(1));
    await world.clock.drive(world.clock.sleep(900_000));
    world.vendor.calls.length = 0;
    world.vendor.fate = (call, _, number) =>
      call.method === 'GET' && number <= 3 ? { is: 'not-sent' } : undefined;
    const again = await world.run({ ...setting, opening: { onlyFailed: before?.id ?? '' } });
    expect(again.statuses).toEqual({ reused: 1 });
    expect([...world.vendor.submitted.values()]).toEqual([1]);
  });
});

describe('work that others left open', () => {
  const services = [useToy('toy/watch')];

  test('of a dead run of another pipeline is adopted by the run that waits for it', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(4);
    await world.kill({ name: 'dead', services, items }, ({ submitted }) => submitted.size >= 4);
    const outcome = await world.run({ services, items, formerServices: services });
    expect(outcome.statuses).toEqual({ reused: 4 });
    expect([...world.vendor.submitted.values()]).toEqual([1, 1, 1, 1]);
    expect(outcome.bill).toEqual([]);
  });

  test('of unknown fate is looked for at the vendor on its behalf', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(6);
    world.vendor.latencyMs = 2000;
    await world.kill({ name: 'dead', services, items }, ({ calls }) => calls.length >= 6);
    const outcome = await world.run({ services, items, formerServices: services });
    expect(outcome.statuses).toEqual({ reused: 6 });
    expect([...world.vendor.submitted.values()]).toEqual(Array(6).fill(1));
  });

  test('that cannot be asked for is counted as uncertain where it was sent, and sent again', async () => {
    const world = await ToyWorld.open();
    const images = { services: [useToy('toy/image')], items: makeImages(4) };
    world.vendor.latencyMs = 2000;
    await world.kill({ ...images, name: 'dead' }, ({ calls }) => calls.length >= 4);
    const outcome = await world.run({ ...images, formerServices: images.services });
    expect(outcome.statuses).toEqual({ answered: 4 });
    const dead = await world.ask((ledger) => ledger.findRun('dead'));
    const bill = await world.ask((ledger) => ledger.readBill(dead?.id ?? '', toyPrices));
    expect(bill).toMatchObject([{ uncertain: 4 }]);
  });

  test('that was sent as one long call is not looked for among jobs, and is held', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(1);
    const long = [useToy('toy/watch', { delivery: 'sync' })];
    world.vendor.latencyMs = 2000;
    await world.kill({ name: 'dead', services: long, items }, ({ calls }) => calls.length >= 1);
    const outcome = await world.run({ services, items, formerServices: long, resendBelow: 1n });
    expect(outcome.statuses).toEqual({ held: 1 });
    expect([...world.vendor.submitted.values()]).toEqual([1]);
  });

  test('of a living run is waited for, and left alone', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(2);
    await world.kill({ name: 'busy', services, items }, ({ submitted }) => submitted.size >= 2);
    world.vendor.calls.length = 0;
    const outcome = await world.run({ services, items, alive: ['busy'], jobMs: 600_000 });
    expect(outcome.statuses).toEqual({ open: 2 });
    expect(world.vendor.calls).toEqual([]);
  });

  test('for a service that the pipeline no longer uses is polled to its end, and its answer stored', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(3);
    const other = { ...limitToy({}), name: 'other' };
    const gone = [useToy('toy/watch', { name: 'former', account: other })];
    await world.kill({ services: gone, items, shapeHash: 'before' }, ({ submitted }) => submitted.size >= 3);
    const outcome = await world.run({
      services: [useToy('toy/image')],
      items: makeImages(2),
      formerServices: gone,
    });
    expect(outcome.statuses).toEqual({ answered: 2 });
    const [, former] = await world.ask((ledger) => ledger.listRuns(2));
    expect(await world.ask((ledger) => ledger.countTasks(former?.id ?? ''))).toEqual([
      { service: 'former', state: 'answered', reason: '', count: 3 },
    ]);
    expect([...world.vendor.submitted.values()].every((times) => times === 1)).toBe(true);
  });

  test('for a service whose options changed is read as it was asked for, and does not answer the new question', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(2);
    const before = [useToy('toy/watch')];
    await world.kill(
      { services: before, items, shapeHash: 'before' },
      ({ submitted }) => submitted.size >= 2,
    );
    const changed = [useToy('toy/watch', { model: 'other' })];
    const outcome = await world.run({ services: changed, items, formerServices: before });
    expect(outcome.statuses).toEqual({ answered: 2 });
    expect(world.vendor.submitted.size).toBe(4);
    expect(world.vendor.doubles).toEqual([]);
  });

  test('of a dead run that nobody can end keeps nobody waiting', async () => {
    const world = await ToyWorld.open();
    const items = makeVideos(2);
    await world.kill({ name: 'dead', services, items }, ({ submitted }) => submitted.size >= 2);
    const before = world.clock.monotonic();
    expect((await world.run({ services, items })).statuses).toEqual({ open: 2 });
    expect(world.clock.monotonic() - before).toBeLessThan(10_000);
  });

  test('for a service that is configured no more stays as it is, and keeps nobody waiting', async () => {
    const world = await ToyWorld.open();
    const other = { ...limitToy({}), name: 'other' };
    const gone = [useToy('toy/watch', { name: 'former', account: other })];
    await world.kill(
      { services: gone, items: makeVideos(1), shapeHash: 'before' },
      ({ submitted }) => submitted.size >= 1,
    );
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(2) });
    expect(outcome.statuses).toEqual({ answered: 2 });
    expect(world.clock.monotonic()).toBeLessThan(120_000);
  });
});

describe('content', () => {
  test('that appears twice in a run is paid for once', async () => {
    const world = await ToyWorld.open();
    const items = makeImages(40, (index) => `etag-${index % 4}`);
    const outcome = await world.run({ services: [useToy('toy/image')], items });
    expect(outcome.statuses).toEqual({ answered: 4, reused: 36 });
    expect(world.vendor.calls).toHaveLength(4);
    expect(outcome.unitsOf('toy/call')?.observed).toBe(4);
  });

  test('that did not change is not paid for in the next run, though it was renamed', async () => {
    const world = await ToyWorld.open();
    const services = [useToy('toy/image')];
    await world.run({ services, items: makeImages(5) });
    const renamed = makeImages(5).map((item) => ({
      ...item,
      id: `new/${item.key}`,
      key: `new/${item.key}`,
      position: Buffer.from(`new/${item.key}`),
    }));
    const again = await world.run({ services, items: renamed });
    expect(again.statuses).toEqual({ reused: 5 });
    expect(world.vendor.calls).toHaveLength(5);
    expect(again.tasks[0]?.finding?.metrics).toEqual({ quality: 71 });
  });

  test('whose first try is refused for good fails its twins too, without a call each', async () => {
    const world = await ToyWorld.open();
    world.vendor.fate = () => ({ is: 'refuse', status: 400 });
    const outcome = await world.run({ services: [useToy('toy/image')], items: makeImages(10, () => 'same') });
    expect(outcome.statuses).toEqual({ failed: 10 });
    expect(world.vendor.calls).toHaveLength(1);
  });
});

describe('a run that stops', () => {
  test('waits no longer than its grace for a vendor that hangs, and settles those calls when it is run again', async () => {
    const world = await ToyWorld.open();
    world.vendor.latencyMs = 90_000;
    const stop = new AbortController();
    const setting = { services: [useToy('toy/image')], items: makeImages(20), graceMs: 2000 };
    void world.clock.sleep(1000).then(() => stop.abort('SIGTERM'));
    const first = await world.run(setting, { stop: stop.signal });
    expect(world.clock.monotonic()).toBeLessThan(4000);
    expect(first.statuses).toEqual({ open: 20 });
    world.vendor.latencyMs = 20;
    const second = await world.run(setting);
    expect(second.statuses).toEqual({ answered: 20 });
    expect(second.unitsOf('toy/call')).toEqual({ observed: 20, estimated: 0, uncertain: 8 });
  });

  test('on request lets its calls end, keeps its jobs recorded, and goes on where it was', async () => {
    const world = await ToyWorld.open();
    world.vendor.jobMs = () => 60_000;
    const stop = new AbortController();
    const setting = {
      services: [useToy('toy/image', { account: limitToy({ perSecond: 10 }) }), useToy('toy/watch')],
      items: [...makeImages(100), ...makeVideos(5)],
    };
    void world.clock.sleep(3000).then(() => stop.abort('SIGTERM'));
    const first = await world.run(setting, { stop: stop.signal });
    expect(first.end.isStopped).toBe(true);
    expect(first.statuses['open']).toBeGreaterThan(50);
    const second = await world.run(setting);
    expect(second.statuses).toEqual({ answered: 105 });
    expect(world.vendor.doubles).toEqual([]);
    expect(second.unitsOf('toy/call')).toEqual({ observed: 100, estimated: 0, uncertain: 0 });
  });

  test.each([
    1, 5, 9, 14, 20,
  ])('by a kill after %i submissions loses nothing, submits no job twice, and counts every call in flight', async (count) => {
    const world = await ToyWorld.open();
    const setting = {
      services: [useToy('toy/watch'), useToy('toy/image')],
      items: [...makeImages(20), ...makeVideos(20)],
    };
    await world.kill(setting, ({ submitted }) => submitted.size >= count);
    const second = await world.run(setting);
    expect(second.statuses).toEqual({ answered: 40 });
    const images = [...world.vendor.calls].filter(({ path }) => path === '/call/image').length;
    const videos = [...world.vendor.submitted].filter(([, times]) => times > 1);
    expect(videos).toEqual([]);
    const admitted = second.unitsOf('toy/call');
    expect(images).toBeLessThanOrEqual((admitted?.observed ?? 0) + (admitted?.uncertain ?? 0));
    expect(admitted?.observed).toBe(20);
  });
});

test('refusals before a kill do not count as resends of a call whose fate the kill left unknown', async () => {
  const world = await ToyWorld.open();
  world.vendor.fate = (_, __, number) => (number <= 6 ? { is: 'refuse', status: 429 } : undefined);
  const setting = { services: [useToy('toy/image')], items: makeImages(1) };
  await world.kill(setting, ({ submitted }) => submitted.size >= 1);
  const outcome = await world.run(setting);
  expect(outcome.statuses).toEqual({ answered: 1 });
});
