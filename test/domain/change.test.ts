/** What is called new, changed, flagged anew and moved between two runs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ComparedItem,
  compareItem,
  hasMoved,
  isFlagged,
  makeChangeTally,
} from '../../src/domain/change.ts';
import { emptyFinding, type Finding } from '../../src/domain/finding.ts';
import { type Policy, verdicts } from '../../src/domain/policy.ts';

const policy: Policy = {
  name: 'strict',
  rules: [
    {
      service: 'quality',
      metric: 'iqa_result',
      is: { comparator: '<', value: 40 },
      verdict: 'review',
      reason: 'poor picture',
    },
  ],
};

function make(finding: Partial<Finding> | undefined, rest: Partial<ComparedItem> = {}): ComparedItem {
  return {
    content: 'c1',
    verdict: 'pass',
    tasks: [
      {
        service: 'quality',
        status: finding ? 'answered' : 'failed',
        reason: '',
        finding: finding && { ...emptyFinding, ...finding },
      },
    ],
    ...rest,
  };
}

const label = (name: string, score: number, reportedScore?: number, op?: string) => ({
  label: name,
  score,
  reportedScore,
  op,
});

describe('an item', () => {
  test('that the earlier run did not have is new, and has no verdict before', () => {
    expect(compareItem(undefined, make({}, { verdict: '' }), policy)).toEqual({ is: 'new', verdict: 'none' });
  });

  test.each([
    ['c1', 'same'],
    ['c2', 'changed'],
  ])('of content c1 that has %s now is %s', (content, is) => {
    expect(compareItem(make({}), make({}, { content }), policy).is).toBe(is);
  });
});

describe('a movement', () => {
  const cases: readonly {
    title: string;
    before: Partial<Finding> | undefined;
    after: Partial<Finding> | undefined;
    movement: unknown;
  }[] = [
    {
      title: 'is of the score that rules see',
      before: { labels: [label('a', 0.25)] },
      after: { labels: [label('a', 0.3, 0.75)] },
      movement: { service: 'quality', name: 'a', before: 0.25, after: 0.75, by: 0.5 },
    },
    {
      title: 'is the widest of all labels',
      before: { labels: [label('a', 0.5), label('b', 0.25)] },
      after: { labels: [label('a', 0.75), label('b', 1)] },
      movement: { service: 'quality', name: 'b', before: 0.25, after: 1, by: 0.75 },
    },
    {
      title: 'of a label that is not seen any more ends at 0',
      before: { labels: [label('a', 0.5)] },
      after: {},
      movement: { service: 'quality', name: 'a', before: 0.5, after: 0, by: 0.5 },
    },
    {
      title: 'keeps labels of different ops apart',
      before: { labels: [label('0', 0.5, undefined, 'pulp')] },
      after: { labels: [label('0', 0.5, undefined, 'pulp'), label('0', 0.25, undefined, 'terror')] },
      movement: { service: 'quality', op: 'terror', name: '0', before: 0, after: 0.25, by: 0.25 },
    },
    {
      title: 'of a metric that a rule asks for is its share of the larger value',
      before: { metrics: { iqa_result: '80', other: 1 } },
      after: { metrics: { iqa_result: 60, other: 100 } },
      movement: { service: 'quality', name: 'iqa_result', before: 80, after: 60, by: 0.25 },
    },
    {
      title: 'needs an answer in both runs',
      before: { labels: [label('a', 1)] },
      after: undefined,
      movement: undefined,
    },
    {
      title: 'is none where nothing moved',
      before: { labels: [label('a', 1)], metrics: { iqa_result: 0 } },
      after: { labels: [label('a', 1)], metrics: { iqa_result: 0 } },
      movement: undefined,
    },
  ];
  test.each(cases)('$title', ({ before, after, movement }) => {
    expect(compareItem(make(before), make(after), policy).movement).toEqual(movement);
  });

  test('counts above the threshold, not at it', () => {
    const change = compareItem(
      make({ labels: [label('a', 0.2)] }),
      make({ labels: [label('a', 0.3)] }),
      policy,
    );
    expect(hasMoved(change, 0.1)).toBe(false);
    expect(hasMoved(change, 0.09)).toBe(true);
  });
});

const verdict = fc.constantFrom(...verdicts, '' as const);
const item = fc.record({
  content: fc.constantFrom('c1', 'c2'),
  verdict,
  score: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
});

test('the counts are those of the changes, whatever their order', () => {
  const pairs = fc.array(fc.tuple(fc.option(item, { nil: undefined }), item), { maxLength: 40 });
  fc.assert(
    fc.property(pairs, (given) => {
      const changes = given.map(([before, after]) => {
        const [from, to] = [before, after].map(
          (one) =>
            one && make({ labels: [label('a', one.score)] }, { content: one.content, verdict: one.verdict }),
        );
        return compareItem(from, to as ComparedItem, policy);
      });
      const [tally, backwards] = [makeChangeTally(0.25), makeChangeTally(0.25)];
      for (const change of changes) tally.add(change);
      for (const change of changes.toReversed()) backwards.add(change);
      const counts = tally.counts();
      const count = (is: (one: (typeof changes)[number], at: number) => boolean) => changes.filter(is).length;
      expect(counts.new).toBe(count(({ is }) => is === 'new'));
      expect(tally.matched()).toBe(given.length - counts.new);
      expect(counts.changed).toBe(count(({ is }) => is === 'changed'));
      expect(counts.verdictChanged).toBe(given.filter(([a, b]) => a && a.verdict !== b.verdict).length);
      expect(counts.verdicts.reduce((sum, one) => sum + one.count, 0)).toBe(counts.verdictChanged);
      expect(counts.verdicts.every(({ from, to }) => from !== to)).toBe(true);
      const flagged = count(({ verdict: now }) => isFlagged(now));
      const before = given.filter(([former]) => isFlagged(former?.verdict ?? '')).length;
      expect(flagged - before).toBe(counts.newlyFlagged - counts.cleared);
      expect({ ...backwards.counts(), verdicts: [] }).toEqual({ ...counts, verdicts: [] });
    }),
  );
});
