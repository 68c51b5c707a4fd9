import { describe, expect, test } from 'vitest';
import { type CapStand, concerns, findTightest, isPassed, listCaps } from '../../src/domain/caps.ts';
import type { ServiceUse } from '../../src/domain/settings.ts';

const use = (name: string, isLoopback = false, month?: bigint) =>
  ({
    account: { name, isLoopback, ...(month !== undefined && { caps: { month } }) },
  }) as unknown as ServiceUse;

const stand = (name: string, spent: bigint, reserved: bigint, limit: bigint, sku?: string): CapStand => ({
  name,
  scope: 'run',
  isLoopback: false,
  spent,
  reserved,
  limit,
  sku,
});

describe('the caps of a pipeline', () => {
  test('are none where none is written', () => {
    expect(listCaps({ services: [use('a')] })).toEqual([]);
  });

  test('are those of the run, of its units, of its month, and of each account once', () => {
    const caps = { run: 1n, month: 2n, units: { 'pai/basic': 3 } };
    const found = listCaps({ caps, services: [use('a', false, 4n), use('a', false, 4n), use('b')] });
    expect(found.map(({ name, scope, limit, sku, account }) => [name, scope, limit, sku ?? account])).toEqual(
      [
        ['caps.run', 'run', 1n, undefined],
        ['caps.units.pai/basic', 'run', 3n, 'pai/basic'],
        ['caps.month', 'pipeline', 2n, undefined],
        ['accounts.a.caps.month', 'account', 4n, 'a'],
      ],
    );
  });

  test('bound stand-ins apart from the real world', () => {
    const found = listCaps({ caps: { run: 1n }, services: [use('a'), use('played', true)] });
    expect(found.map(({ name }) => name)).toEqual(['caps.run', 'caps.run (stand-ins)']);
    expect(found.map((cap) => concerns(cap, { name: 'played', isLoopback: true }))).toEqual([false, true]);
    expect(listCaps({ caps: { run: 1n }, services: [use('played', true)] }).map(({ name }) => name)).toEqual([
      'caps.run',
    ]);
  });
});

test.each([
  [4n, 6n, 10n, false],
  [10n, 0n, 10n, false],
  [4n, 7n, 10n, true],
  [0n, 0n, 0n, false],
])('%i spent + %i reserved of %i: passed is %s', (spent, reserved, limit, passed) => {
  expect(isPassed(stand('caps.run', spent, reserved, limit))).toBe(passed);
});

test('the tightest cap is the one on money of which the greatest share is used', () => {
  const units = stand('units', 9n, 0n, 10n, 'pai/basic');
  const run = stand('run', 40n, 11n, 100n);
  const month = stand('month', 500n, 0n, 1000n);
  expect(findTightest([])).toBeUndefined();
  expect(findTightest([units])?.name).toBe('units');
  expect(findTightest([units, month, run])?.name).toBe('run');
  expect(findTightest([units, run, stand('none', 0n, 0n, 0n)])?.name).toBe('run');
});
