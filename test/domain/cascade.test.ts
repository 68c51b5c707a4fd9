import { describe, expect, it, test } from 'vitest';
import {
  decideWhen,
  isSparedByWhen,
  lacksAnswer,
  sortByWhen,
  withAwaited,
} from '../../src/domain/cascade.ts';
import { emptyFinding } from '../../src/domain/finding.ts';
import type { Condition } from '../../src/domain/policy.ts';
import { taskStates } from '../../src/domain/task.ts';

const when: Condition = {
  service: 'cheap',
  metric: 'quality',
  is: { comparator: '<', value: 60 },
};
const score = (quality: number) => ({ ...emptyFinding, metrics: { quality } });

describe('a task with a condition', () => {
  it.each([
    ['goes where the answer meets it', 'answered', score(59), { next: 'go' }],
    ['goes by a reused answer all the same', 'reused', score(59), { next: 'go' }],
    [
      'is skipped where it does not hold',
      'answered',
      score(60),
      { next: 'skip', reason: 'when: cheap quality < 60 does not hold' },
    ],
    [
      'is skipped where the answer names no such metric',
      'answered',
      emptyFinding,
      { next: 'skip', reason: 'when: cheap quality < 60 does not hold' },
    ],
    [
      'is skipped where the other failed',
      'failed',
      undefined,
      { next: 'skip', reason: 'when: cheap has no answer (failed)' },
    ],
    [
      'is skipped where the other is held',
      'held',
      undefined,
      { next: 'skip', reason: 'when: cheap has no answer (held)' },
    ],
    [
      'is skipped where the other is over a cap',
      'over-cap',
      undefined,
      { next: 'skip', reason: 'when: cheap has no answer (over-cap)' },
    ],
    ['waits while the other is at the vendor', 'accepted', undefined, { next: 'wait' }],
    ['waits while the other waits itself', 'pending', undefined, { next: 'wait' }],
  ] as const)('%s', (_, state, finding, step) => {
    expect(decideWhen(when, { state, finding })).toEqual(step);
  });

  it('is skipped where the other service does not apply', () => {
    expect(decideWhen(when, undefined)).toEqual({ next: 'skip', reason: 'when: cheap does not apply' });
  });

  it('goes, waits or is skipped in every state', () => {
    const steps = taskStates.map((state) => decideWhen(when, { state, finding: score(1) }).next);
    expect(new Set(steps)).toEqual(new Set(['go', 'wait', 'skip']));
  });
});

describe('reasons', () => {
  const reasonOf = (state: 'answered' | 'failed') => {
    const step = decideWhen(when, { state, finding: state === 'answered' ? score(99) : undefined });
    return step.next === 'skip' ? step.reason : '';
  };

  it('tell what was saved from what only lacks an answer', () => {
    expect([isSparedByWhen(reasonOf('answered')), lacksAnswer(reasonOf('answered'))]).toEqual([true, false]);
    expect([isSparedByWhen(reasonOf('failed')), lacksAnswer(reasonOf('failed'))]).toEqual([false, true]);
  });

  it('of other kinds are neither', () => {
    for (const reason of ['', 'fit: 120 MB, at most 100 MB', 'no link', 'when: cheap does not apply']) {
      expect([isSparedByWhen(reason), lacksAnswer(reason)]).toEqual([false, false]);
    }
  });
});

describe('the order of services', () => {
  const use = (name: string, service?: string) => ({
    name,
    ...(service !== undefined && { when: { service } }),
  });

  test('puts each behind the one it waits for, and leaves circles out', () => {
    const services = [use('c', 'b'), use('a'), use('b', 'a'), use('d'), use('x', 'y'), use('y', 'x')];
    expect(sortByWhen(services).map(({ name }) => name)).toEqual(['a', 'd', 'b', 'c']);
  });

  test('names what is waited for, directly or by way of others', () => {
    const services = [use('c', 'b'), use('a'), use('b', 'a'), use('d')];
    expect(withAwaited(services, ['c'])).toEqual(['c', 'b', 'a']);
    expect(withAwaited(services, ['d'])).toEqual(['d']);
  });
});
