import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  backoffMs,
  type Circumstances,
  decide,
  defaultMaxAttempts,
  maxAttemptsOf,
  maxResends,
  pollDelayMs,
} from '../../src/domain/decide.ts';
import { makeToyAccount } from '../support/toy-catalogue.ts';
import { useToy } from '../support/toy-run.ts';
import type { Reaction, Refusal } from '../../src/domain/outcome.ts';

const calm: Circumstances = {
  attempts: 0,
  maxAttempts: 4,
  resends: 0,
  canAsk: false,
  callCharge: 1n,
  resendBelow: 10n,
  isLinkExpired: false,
  wasSignedAgain: false,
};

function refuse(reaction: Reaction, more: Partial<Refusal> = {}): { is: 'refused'; refusal: Refusal } {
  const refusal = { reaction, class: 'test', code: '', message: 'no', booking: 'refused', ...more } as const;
  return { is: 'refused', refusal };
}

test('attempts are those of the service in its pipeline, else of its account, else of the service, else five', () => {
  const service = { ...useToy('toy/image').service, maxAttempts: 3 };
  const account = makeToyAccount();
  const limits = { ...account.limits, maxAttempts: 7 };
  expect(maxAttemptsOf({ service, account: { limits }, limits: { maxAttempts: 2 } })).toBe(2);
  expect(maxAttemptsOf({ service, account: { limits }, limits: { concurrency: 1 } })).toBe(7);
  expect(maxAttemptsOf({ service, account })).toBe(3);
  expect(maxAttemptsOf({ service: { ...service, maxAttempts: undefined }, account })).toBe(
    defaultMaxAttempts,
  );
});

describe('a refusal', () => {
  test('that asks to slow down costs no attempt, however often it comes', () => {
    const decision = decide(refuse('slow-down'), { ...calm, attempts: 1000 });
    expect(decision).toMatchObject({ next: 'again', costsAttempt: false, wait: 'gate' });
  });

  test('that says try again costs an attempt and backs off, until the attempts are used up', () => {
    expect(decide(refuse('try-again'), calm)).toMatchObject({
      next: 'again',
      costsAttempt: true,
      wait: 'backoff',
    });
    const last = decide(refuse('try-again'), { ...calm, attempts: 3 });
    expect(last).toMatchObject({ next: 'fail', isRemembered: false });
  });

  test('that gives up fails the task and is remembered', () => {
    expect(decide(refuse('give-up'), calm)).toMatchObject({ next: 'fail', isRemembered: true });
  });

  test('that halts leaves the task open without an attempt', () => {
    expect(decide(refuse('halt'), calm)).toMatchObject({ next: 'again', costsAttempt: false });
  });

  test('for a link that had expired is tried again with a fresh one, at no attempt', () => {
    const decision = decide(refuse('give-up', { isLinkDead: true }), { ...calm, isLinkExpired: true });
    expect(decision).toMatchObject({ next: 'again', costsAttempt: false, signAgain: true });
  });

  test.each([
    { isLinkExpired: true, wasSignedAgain: true },
    { isLinkExpired: false, wasSignedAgain: false },
  ])('for a dead link fails where expired is $isLinkExpired and signed again is $wasSignedAgain', (given) => {
    expect(decide(refuse('give-up', { isLinkDead: true }), { ...calm, ...given }).next).toBe('fail');
  });
});

describe('an unknown fate', () => {
  const unknown = { is: 'unknown', cause: 'timeout' } as const;

  test('is asked for where the vendor can be asked, whatever it costs', () => {
    expect(decide(unknown, { ...calm, canAsk: true, callCharge: undefined })).toMatchObject({ next: 'ask' });
  });

  test.each([
    { callCharge: 9n, resends: 0, next: 'resend' },
    { callCharge: 10n, resends: 0, next: 'hold' },
    { callCharge: 0n, resends: maxResends - 1, next: 'resend' },
    { callCharge: 0n, resends: maxResends, next: 'hold' },
    { callCharge: undefined, resends: 0, next: 'hold' },
  ])('of a call that costs $callCharge after $resends resends ends in "$next" below 10', (given) => {
    expect(decide(unknown, { ...calm, ...given }).next).toBe(given.next);
  });
});

describe('delays', () => {
  test('of a backoff stay within a doubling bound and replay from their seed', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.string(), (attempts, seed) => {
        const delay = backoffMs(attempts, seed);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(60_000, 1000 * 2 ** attempts));
        expect(backoffMs(attempts, seed)).toBe(delay);
      }),
    );
  });

  test('between polls grow by about half each time up to a minute', () => {
    expect(pollDelayMs(0, 'job')).toBeGreaterThanOrEqual(950);
    for (let reads = 0; reads < 8; reads += 1) {
      expect(pollDelayMs(reads + 1, 'job')).toBeGreaterThan(pollDelayMs(reads, 'job') * 1.3);
    }
    expect(pollDelayMs(1000, 'job')).toBeLessThanOrEqual(63_000);
  });

  test('before the first poll last for most of what such jobs usually take', () => {
    expect(pollDelayMs(0, 'job', 30_000)).toBeGreaterThanOrEqual(22_800);
    expect(pollDelayMs(0, 'job', 30_000)).toBeLessThanOrEqual(25_200);
    expect(pollDelayMs(1, 'job', 30_000)).toBeLessThan(10_000);
    expect(pollDelayMs(0, 'job', 86_400_000)).toBeLessThanOrEqual(63_000);
  });
});
