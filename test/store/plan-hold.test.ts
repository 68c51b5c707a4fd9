/** A run that is held to a plan: its units are bounded like a cap's, over all its sessions. */
import { expect, test } from 'vitest';
import type { RunPlan } from '../../src/domain/plan.ts';
import { makeImages, type ToySetting, ToyWorld, useToy } from '../support/toy-run.ts';

const plan = (units: number, given: Partial<RunPlan> = {}): RunPlan => ({
  sha256: 'a'.repeat(64),
  units: { 'toy/call': units },
  tolerance: 0,
  prices: 'prices of today',
  ...given,
});

const setting = (count: number): ToySetting => ({
  services: [useToy('toy/image')],
  items: makeImages(count),
});

test('a run uses no more units than its plan and its tolerance allow', async () => {
  const world = await ToyWorld.open();
  const exact = await world.run({ ...setting(30), opening: { plan: plan(20) } });
  expect(exact.statuses).toEqual({ answered: 20, 'over-cap': 10 });
  expect(exact.tasks.find(({ status }) => status === 'over-cap')?.reason).toBe('plan.toy/call');
  expect(exact.spending.caps).toMatchObject([{ name: 'plan.toy/call', limit: 20n, spent: 20n }]);
  // Gone on with without a word, it is still held to it; the same plan with a tolerance lets it go further.
  expect((await world.run(setting(30))).statuses).toEqual({ answered: 20, 'over-cap': 10 });
  const wider = await world.run({ ...setting(30), opening: { plan: plan(20, { tolerance: 0.1 }) } });
  expect(wider.statuses).toEqual({ answered: 22, 'over-cap': 8 });
});

test('a plan of what is left counts from where the run has come to', async () => {
  const world = await ToyWorld.open();
  await world.run({ ...setting(30), opening: { plan: plan(20) } });
  const rest = plan(4, { sha256: 'b'.repeat(64) });
  expect((await world.run({ ...setting(30), opening: { plan: rest } })).statuses).toEqual({
    answered: 24,
    'over-cap': 6,
  });
  // Once more with the same one: it is not granted twice.
  expect((await world.run({ ...setting(30), opening: { plan: rest } })).statuses).toEqual({
    answered: 24,
    'over-cap': 6,
  });
});

test('a run under a plan does not go on at other prices, and says so', async () => {
  const world = await ToyWorld.open();
  const opening = { plan: plan(20), pricesHash: 'prices of today' };
  await world.run({ ...setting(30), opening });
  const again = { ...setting(30), opening: { pricesHash: 'prices of tomorrow' } };
  await expect(world.run(again)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /run "\S+-toy" began under a plan \(sha256 aaaaaaaaaaaa\.\.\.\), and the prices have changed since\. Estimate what is left with --plan-out/,
    ),
  });
  const fresh = await world.run({
    ...setting(30),
    opening: { pricesHash: 'prices of tomorrow', startNew: true },
  });
  expect(fresh.statuses).toEqual({ reused: 20, answered: 10 });
});

test('calls that may have been billed count against the plan', async () => {
  const world = await ToyWorld.open();
  world.vendor.fate = (_, __, number) => (number === 1 ? { is: 'lost-answer' } : undefined);
  const outcome = await world.run({ ...setting(10), opening: { plan: plan(10) } });
  expect(outcome.statuses).toEqual({ answered: 9, 'over-cap': 1 });
  expect(world.vendor.submitted.size).toBeLessThanOrEqual(10);
});
