/** Services that wait for the answers of others, over a whole dispatch. */
import { describe, expect, test } from 'vitest';
import type { Condition } from '../../src/domain/policy.ts';
import { limitToy, makeImages, type ToySetting, ToyWorld, useToy } from '../support/toy-run.ts';

const when: Condition = { service: 'cheap', metric: 'quality', is: { comparator: '<', value: 60 } };

/** A cheap service for every image, and a dear one for poor images, written before it. */
function makeSetting(count: number, changes: Partial<ToySetting> = {}): ToySetting {
  const account = limitToy({ concurrency: 8, perSecond: 1000 });
  const services = [
    useToy('toy/image', { name: 'dear', account, when, model: 'dear' }),
    useToy('toy/image', { name: 'cheap', account }),
  ];
  return { services, items: makeImages(count), ...changes };
}

/** Every third image is poor. */
function judge(world: ToyWorld): void {
  world.vendor.resultOf = ({ link }) => ({
    metrics: { quality: Number(/(\d+)\.jpg/.exec(link ?? '')?.[1]) % 3 === 0 ? 40 : 80 },
  });
}

describe('a service with a condition', () => {
  test('is asked of the items whose answer meets it, and of no others', async () => {
    const world = await ToyWorld.open();
    judge(world);
    const outcome = await world.run(makeSetting(90));
    expect(outcome.statuses).toEqual({ answered: 120, skipped: 60 });
    expect(world.vendor.doubles).toEqual([]);
    expect(outcome.counters).toMatchObject({ asked: 120, answered: 120, released: 30 });
    const reasons = new Set(
      outcome.tasks.filter(({ status }) => status === 'skipped').map(({ reason }) => reason),
    );
    expect([...reasons]).toEqual(['when: cheap quality < 60 does not hold']);
    expect(outcome.unitsOf('toy/call')).toMatchObject({ observed: 120 });
  });

  test('does not wait for the end of the listing', async () => {
    const world = await ToyWorld.open();
    judge(world);
    const order: string[] = [];
    world.vendor.fate = (call) => {
      const { model } = JSON.parse(call.body ?? '{}') as { model?: string };
      order.push(model === 'dear' ? 'dear' : 'cheap');
      return undefined;
    };
    await world.run(makeSetting(600));
    expect(order.filter((one) => one === 'dear')).toHaveLength(200);
    expect(order.indexOf('dear')).toBeLessThan(100);
    expect(order.slice(0, 400).filter((one) => one === 'dear').length).toBeGreaterThan(60);
  });

  test('finds its tasks in the ledger where they find no room in memory', async () => {
    const world = await ToyWorld.open();
    world.vendor.resultOf = () => ({ metrics: { quality: 1 } });
    const slow = limitToy({ concurrency: 1, perSecond: 1000 });
    const setting = makeSetting(1100);
    const [dear, cheap] = setting.services;
    if (!dear || !cheap) throw new Error('expected two services');
    const services = [{ ...dear, account: { ...slow, name: 'slow' } }, cheap];
    const outcome = await world.run({ ...setting, services });
    expect(outcome.statuses).toEqual({ answered: 2200 });
    expect(world.vendor.doubles).toEqual([]);
  });

  test('is asked with the links of a source that is read again', async () => {
    const world = await ToyWorld.open();
    world.vendor.resultOf = () => ({ metrics: { quality: 1 } });
    const items = makeImages(20).map((item, index) => ({
      ...item,
      object: undefined,
      url: `https://cdn.example/${index}.jpg?X-Amz-Signature=${index}`,
    }));
    const outcome = await world.run(makeSetting(0, { items, isRereadable: false }));
    expect(outcome.statuses).toEqual({ answered: 40 });
    expect(world.vendor.doubles).toEqual([]);
  });

  test('stays open where the account of the other one halts, and goes on with it', async () => {
    const world = await ToyWorld.open();
    judge(world);
    world.vendor.fate = (_, __, number) => (number > 10 ? { is: 'refuse', status: 401 } : undefined);
    const halted = await world.run(makeSetting(30));
    expect(halted.end.halts).toHaveLength(1);
    const { open = 0, answered = 0, skipped = 0 } = halted.statuses;
    expect(open).toBeGreaterThan(0);
    expect(open + answered + skipped).toBe(60);
    world.vendor.fate = () => undefined;
    const outcome = await world.run({ ...makeSetting(30), opening: { startNew: true } });
    expect(outcome.statuses['open'] ?? 0).toBe(0);
    expect(outcome.tasks.filter(({ status }) => status === 'skipped')).toHaveLength(20);
    expect(world.vendor.doubles).toEqual([]);
  });

  test.each([
    5, 40, 70,
  ])('survives a kill after %i calls: each call is paid once, and every task has its end', async (calls) => {
    const world = await ToyWorld.open();
    judge(world);
    const setting = makeSetting(60);
    await world.kill(setting, (vendor) => vendor.calls.length >= calls);
    const outcome = await world.run(setting);
    expect(outcome.tasks).toHaveLength(120);
    const { answered = 0, held = 0, skipped = 0, open = 0, failed = 0 } = outcome.statuses;
    expect([open, failed, answered + held + skipped]).toEqual([0, 0, 120]);
    const wrong = outcome.rows.filter(({ tasks }) => {
      const [dear, cheap] = tasks;
      const quality = cheap?.finding?.metrics['quality'];
      if (quality === undefined) return dear?.reason.startsWith('when: cheap has no answer') !== true;
      return (dear?.status === 'skipped') !== (quality === 80);
    });
    expect(wrong).toEqual([]);
  });

  test('may wait for one that waits itself', async () => {
    const world = await ToyWorld.open();
    judge(world);
    const { services, items } = makeSetting(9);
    const third = useToy('toy/image', {
      name: 'third',
      account: services[0]?.account,
      model: 'third',
      when: { ...when, service: 'dear' },
    });
    const outcome = await world.run({ services: [third, ...services], items });
    expect(outcome.statuses).toEqual({ answered: 15, skipped: 12 });
    const reasons = outcome.tasks.filter(({ service }) => service === 'third').map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'when: dear has no answer (skipped)')).toHaveLength(6);
  });
});
