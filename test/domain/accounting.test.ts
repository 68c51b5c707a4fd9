import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Accounts, checkAccounts } from '../../src/domain/accounting.ts';

const ends = ['notApplicable', 'answered', 'reused', 'skipped', 'failed', 'held', 'overCap', 'open'] as const;

const nothing: Accounts = {
  items: 0,
  services: 3,
  notApplicable: 0,
  answered: 0,
  reused: 0,
  skipped: 0,
  failed: 0,
  held: 0,
  overCap: 0,
  open: 0,
};

describe('the accounting identity', () => {
  it('holds of nothing', () => {
    expect(checkAccounts(nothing)).toEqual({ isBalanced: true, expected: 0, found: 0 });
  });

  it('holds where every item and service came to one end', () => {
    const ended = fc.array(fc.constantFrom(...ends), { maxLength: 60 });
    fc.assert(
      fc.property(ended, fc.integer({ min: 1, max: 5 }), (found, services) => {
        const whole = found.slice(0, found.length - (found.length % services));
        const counts = Object.fromEntries(
          ends.map((end) => [end, whole.filter((one) => one === end).length]),
        );
        const accounts = { ...nothing, ...counts, services, items: whole.length / services };
        expect(checkAccounts(accounts)).toEqual({
          isBalanced: true,
          expected: whole.length,
          found: whole.length,
        });
      }),
    );
  });

  it.each(ends)('is broken by one task too many or too few in %s', (end) => {
    const full = { ...nothing, items: 8, services: 1, ...Object.fromEntries(ends.map((one) => [one, 1])) };
    expect(checkAccounts({ ...full, [end]: 2 })).toEqual({ isBalanced: false, expected: 8, found: 9 });
    expect(checkAccounts({ ...full, [end]: 0 })).toEqual({ isBalanced: false, expected: 8, found: 7 });
  });
});
