import { describe, expect, it } from 'vitest';
import { basisOf, settleUsage, type Usage } from '../../src/domain/usage.ts';

const estimated: Usage = {
  units: { 'v/a': 10, 'v/b': 10 },
  basis: 'estimated',
  assumptions: ['10 min long'],
};

describe('settling usage', () => {
  it('raises an estimate to what the answer proves, SKU by SKU: the others stay estimates', () => {
    const settled = settleUsage(estimated, { 'v/a': 12, 'v/b': 3 }, false);
    expect(settled).toEqual({ ...estimated, units: { 'v/a': 12, 'v/b': 10 }, proved: ['v/a'] });
    expect([basisOf(settled, 'v/a'), basisOf(settled, 'v/b')]).toEqual(['observed', 'estimated']);
  });

  it('assumes nothing any more where all is proved', () => {
    expect(settleUsage(estimated, { 'v/a': 12, 'v/b': 11 }, false)).toEqual({
      units: { 'v/a': 12, 'v/b': 11 },
      basis: 'observed',
    });
  });

  it('never lowers an estimate where frames without a finding may be missing', () => {
    expect(settleUsage(estimated, { 'v/a': 3, 'v/b': 10 }, false)).toBe(estimated);
  });

  it('takes the answer at its word where the account returns empty frames', () => {
    expect(settleUsage(estimated, { 'v/a': 3 }, true)).toEqual({
      ...estimated,
      units: { 'v/a': 3, 'v/b': 10 },
      proved: ['v/a'],
    });
  });

  it('leaves units known before the call as they are', () => {
    const known: Usage = { units: { 'v/a': 1 }, basis: 'observed' };
    expect(settleUsage(known, { 'v/a': 9 }, true)).toBe(known);
  });

  it('keeps the estimate where the answer proves nothing', () => {
    expect(settleUsage(estimated, undefined, true)).toBe(estimated);
  });

  it('counts a SKU that only the answer names', () => {
    expect(settleUsage(estimated, { 'v/c': 2 }, false).units).toEqual({ 'v/a': 10, 'v/b': 10, 'v/c': 2 });
  });
});
