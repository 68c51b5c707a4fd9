import { expect, test } from 'vitest';
import type { ServiceUse } from '../../../src/domain/settings.ts';
import { forecastDuration } from '../../../src/plan/estimate/forecast-duration.ts';
import { makeToyAccount } from '../../support/toy-catalogue.ts';
import { useToy } from '../../support/toy-run.ts';

function forecast(uses: readonly ServiceUse[], calls: number, usualMs?: number) {
  const counts = new Map(uses.map(({ name }) => [name, calls]));
  return forecastDuration(uses, counts, () => usualMs);
}

const account = (limits: Partial<ServiceUse['account']['limits']>, name = 'toy') => ({
  ...makeToyAccount(),
  name,
  limits: { concurrency: 8, perSecond: 10, maxOpenJobs: 100, ...limits },
});

test('calls that take a second are held back by how many may be in flight, or by requests a second', () => {
  const few = forecast([useToy('toy/image', { account: account({ concurrency: 4 }) })], 4000, 1000);
  expect(few.accounts[0]).toMatchObject({ seconds: 1000, bound: { limit: 'concurrency', value: 4 } });
  const slow = forecast(
    [useToy('toy/image', { account: account({ concurrency: 64, perSecond: 5 }) })],
    4000,
    1000,
  );
  expect(slow.accounts[0]).toMatchObject({ seconds: 800, bound: { limit: 'perSecond', value: 5 } });
});

test('reads of jobs count against requests a second', () => {
  const free = account({ concurrency: 1000, maxOpenJobs: 1_000_000 });
  const { accounts } = forecast([useToy('toy/video', { account: free })], 1000, 60_000);
  const [{ polls, requests, seconds } = { polls: 0, requests: 0, seconds: 0 }] = accounts;
  expect(requests).toBe(1000);
  expect(polls).toBeGreaterThanOrEqual(1000);
  expect(seconds).toBe(Math.ceil((requests + polls) / 10 + 60));
});

test('jobs that take long are held back by how many may be open', () => {
  const { accounts } = forecast(
    [useToy('toy/video', { account: account({ maxOpenJobs: 10 }) })],
    1000,
    60_000,
  );
  expect(accounts[0]).toMatchObject({ seconds: 6060, bound: { limit: 'maxOpenJobs', value: 10 } });
});

test('a batch is one call and one job to read', () => {
  const one = forecast([useToy('toy/video')], 1000, 60_000).accounts[0];
  const many = forecast([useToy('toy/video', { batch: 20 })], 1000, 60_000).accounts[0];
  expect(many?.requests).toBe(50);
  expect(many?.polls).toBe((one?.polls ?? 0) / 20);
});

test('limits of a service alone hold beside those of its account', () => {
  const use = useToy('toy/image', { account: account({}), limits: { perSecond: 1 } });
  expect(forecast([use], 500, 100).accounts[0]).toMatchObject({
    seconds: 500,
    bound: { limit: 'perSecond', value: 1, service: 'toy/image' },
  });
});

test('accounts work side by side: the slowest one is how long it takes', () => {
  const uses = [
    useToy('toy/image', { account: account({}, 'quick') }),
    useToy('toy/video', { account: account({ perSecond: 1 }, 'slow') }),
  ];
  const { seconds, accounts } = forecast(uses, 1000, 1000);
  expect(accounts.map(({ account: name }) => name)).toEqual(['slow', 'quick']);
  expect(seconds).toBe(accounts[0]?.seconds);
});

test('says what had to be assumed, and what was taken from earlier runs', () => {
  expect(forecast([useToy('toy/image'), useToy('toy/video')], 1).assumptions).toEqual([
    'a call of toy/image takes 1 s (assumed)',
    'a job of toy/video takes 1 min 00 s (assumed)',
  ]);
  expect(forecast([useToy('toy/video')], 1, 42_000).assumptions).toEqual([
    'a job of toy/video takes 42 s (as the latest ones did)',
  ]);
  expect(forecast([useToy('toy/video')], 0)).toEqual({ seconds: 0, accounts: [], assumptions: [] });
});
