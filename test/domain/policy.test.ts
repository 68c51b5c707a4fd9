import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFinding, type Finding, type Label } from '../../src/domain/finding.ts';
import {
  type Comparison,
  type Condition,
  comparators,
  compare,
  formatCondition,
  type JudgedTask,
  judgeItem,
  judgeLabel,
  meets,
  type Policy,
  parseComparison,
  type Rule,
  scoreOf,
} from '../../src/domain/policy.ts';
import { type Status, statuses } from '../../src/domain/task.ts';

const censor = 'qiniu/video-censor';
const quality = 'pai/image-quality';

function over(value: number): Comparison {
  return { comparator: '>=', value };
}

function makeFinding(labels: readonly Label[], metrics: Finding['metrics'] = {}): Finding {
  return { ...emptyFinding, labels, metrics };
}

function makeRule(rule: Partial<Rule>): Rule {
  return { service: censor, verdict: 'review', reason: 'a rule', ...rule };
}

function makePolicy(...rules: readonly Rule[]): Policy {
  return { name: 'test', rules };
}

function makeTask(task: Partial<JudgedTask>): JudgedTask {
  return { service: censor, status: 'answered', reason: '', finding: emptyFinding, ...task };
}

describe('comparisons', () => {
  it.each<[string, Comparison]>([
    ['>= 0.6', { comparator: '>=', value: 0.6 }],
    ['<60', { comparator: '<', value: 60 }],
    [' <=  -1.5 ', { comparator: '<=', value: -1.5 }],
    ['> 1e3', { comparator: '>', value: 1000 }],
    ['== male', { comparator: '==', value: 'male' }],
    ['!= 两个人', { comparator: '!=', value: '两个人' }],
    ['== "07"', { comparator: '==', value: '07' }],
    ["!= ''", { comparator: '!=', value: '' }],
    ['== a b', { comparator: '==', value: 'a b' }],
  ])('reads %j', (text, comparison) => {
    expect(parseComparison(text)).toEqual(comparison);
  });

  it.each([
    '',
    '60',
    '=60',
    '=> 60',
    '>== 60',
    '< ',
    '>',
    '< old',
    '>= "60"',
    '=== 1',
    '!60',
    '60 <',
  ])('takes %j for no comparison', (text) => {
    expect(parseComparison(text)).toBeUndefined();
  });

  it.each<[string, number | string, boolean]>([
    ['< 60', 59.9, true],
    ['< 60', 60, false],
    ['<= 60', 60, true],
    ['> 60', 60, false],
    ['>= 60', 60, true],
    ['== 60', 60, true],
    ['!= 60', 60, false],
    ['< 60', '59.9', true],
    ['== 7', '7.0', true],
    ['== "07"', '07', true],
    ['== "7"', 7, true],
    ['== "07"', 7, false],
    ['== male', 'male', true],
    ['== male', 'Male', false],
    ['!= male', 'female', true],
    ['< 60', 'male', false],
    ['>= 60', 'male', false],
    ['!= 60', 'male', true],
    ['< 60', '', false],
    ['< 60', Number.NaN, false],
  ])('%s holds of %j: %s', (text, value, holds) => {
    expect(compare(parseComparison(text) ?? over(Number.NaN), value)).toBe(holds);
  });

  it('of two numbers split every case between an operator and its opposite', () => {
    const number = fc.double({ noNaN: true });
    const opposites = [
      ['<', '>='],
      ['>', '<='],
      ['==', '!='],
    ] as const;
    fc.assert(
      fc.property(number, number, fc.constantFrom(...opposites), (value, limit, [one, other]) => {
        const [a, b] = [one, other].map((comparator) => compare({ comparator, value: limit }, value));
        expect(a).toBe(!b);
      }),
    );
  });

  it('are read back from their own text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...comparators),
        fc.double({ noNaN: true, min: -1e9 }),
        (comparator, value) => {
          fc.pre(Number.isFinite(value) && !Object.is(value, -0));
          expect(parseComparison(`${comparator} ${value}`)).toEqual({ comparator, value });
        },
      ),
    );
  });
});

describe('conditions', () => {
  const answer = makeFinding(
    [
      { op: 'politician', label: 'someone', score: 0.5, reportedScore: 0.9 },
      { op: 'pulp', label: '2', score: 0.95, reportedScore: 0.1 },
      { op: 'pulp', label: '0', score: 0.2 },
    ],
    { duration: 9.5, camera: 'still' },
  );

  it.each<[string, Partial<Condition>, boolean]>([
    ['nothing but the service', {}, true],
    ['an op that is there', { op: 'pulp' }, true],
    ['an op that is not there', { op: 'terror' }, false],
    ['a label', { labels: ['2'] }, true],
    ['any of several labels', { labels: ['1', '2'] }, true],
    ['a label that is not there', { labels: ['1'] }, false],
    ['a label of another op', { op: 'politician', labels: ['2'] }, false],
    ['a score of the op', { op: 'pulp', score: over(0.95) }, true],
    ['the vendor score where it is larger', { op: 'politician', score: over(0.9) }, true],
    ['our own score where it is larger', { op: 'pulp', labels: ['2'], score: over(0.9) }, true],
    ['a score that only another label has', { op: 'pulp', labels: ['0'], score: over(0.9) }, false],
    ['a metric', { metric: 'duration', is: { comparator: '<', value: 10 } }, true],
    ['a metric that compares otherwise', { metric: 'duration', is: { comparator: '>', value: 10 } }, false],
    ['a metric as text', { metric: 'camera', is: { comparator: '==', value: 'still' } }, true],
    ['a metric that is there', { metric: 'camera' }, true],
    ['a metric that is not there', { metric: 'faces', is: { comparator: '!=', value: 1 } }, false],
    ['a name that every object has', { metric: 'toString' }, false],
    ['label and metric', { op: 'pulp', metric: 'duration', is: { comparator: '<', value: 10 } }, true],
    ['label without metric', { op: 'pulp', metric: 'duration', is: { comparator: '>', value: 10 } }, false],
    ['metric without label', { op: 'terror', metric: 'camera' }, false],
    ['a comparison with no metric', { is: { comparator: '<', value: 10 } }, false],
  ])('that ask for %s are met: %j %s', (_, condition, isMet) => {
    expect(meets({ service: censor, ...condition }, answer)).toBe(isMet);
  });

  it('see the larger of the two scores', () => {
    expect(scoreOf({ label: 'a', score: 0.4, reportedScore: 0.6 })).toBe(0.6);
    expect(scoreOf({ label: 'a', score: 0.6, reportedScore: 0.4 })).toBe(0.6);
    expect(scoreOf({ label: 'a', score: -1 })).toBe(-1);
  });

  it.each<[string, Condition]>([
    [
      'qiniu/video-censor politician >= 0.6',
      { service: censor, op: 'politician', score: { comparator: '>=', value: 0.6 } },
    ],
    [
      'qiniu/video-censor pulp 0|1 >= 0.9',
      { service: censor, op: 'pulp', labels: ['0', '1'], score: over(0.9) },
    ],
    [
      'pai/image-quality iqa_result < 40',
      { service: quality, metric: 'iqa_result', is: { comparator: '<', value: 40 } },
    ],
    ['pai/image-quality', { service: quality }],
  ])('have their own text: %s', (text, condition) => {
    expect(formatCondition(condition)).toBe(text);
    expect(formatCondition(condition, 'block')).toBe(`${text}: block`);
  });
});

describe('the verdict of an item', () => {
  const hit = makeFinding([{ op: 'pulp', label: '1', score: 0.9 }]);

  it('is empty where no service applies', () => {
    expect(judgeItem(makePolicy(makeRule({})), [])).toEqual({ verdict: '', reasons: [] });
  });

  it('is pass where no rule matches', () => {
    expect(judgeItem(makePolicy(), [makeTask({ finding: hit })])).toEqual({ verdict: 'pass', reasons: [] });
  });

  it('is the worst of all matching rules, with their reasons worst first and none twice', () => {
    const policy = makePolicy(
      makeRule({ op: 'pulp', verdict: 'pass', reason: 'seen' }),
      makeRule({ op: 'pulp', verdict: 'review', reason: 'look' }),
      makeRule({ op: 'terror', verdict: 'block', reason: 'not matched' }),
      makeRule({ op: 'pulp', verdict: 'block', reason: 'bad' }),
      makeRule({ op: 'pulp', labels: ['1'], verdict: 'review', reason: 'look' }),
    );
    expect(judgeItem(policy, [makeTask({ finding: hit })])).toEqual({
      verdict: 'block',
      reasons: ['bad', 'look', 'seen'],
    });
  });

  it('looks only at findings of the service that a rule names', () => {
    const policy = makePolicy(makeRule({ service: 'second-look' }));
    expect(judgeItem(policy, [makeTask({ finding: hit })]).verdict).toBe('pass');
    expect(judgeItem(policy, [makeTask({ finding: hit, service: 'second-look' })]).verdict).toBe('review');
  });

  it.each<[Status, string, string]>([
    ['answered', '', 'pass'],
    ['reused', '', 'pass'],
    ['skipped', 'fit: 30 MB, at most 20 MB', 'incomplete'],
    ['skipped', 'when', 'pass'],
    ['failed', 'media-unreadable', 'incomplete'],
    ['held', '', 'incomplete'],
    ['over-cap', '', 'incomplete'],
    ['open', '', 'incomplete'],
  ])('with a task that is %s (%j) beside a clean one is %s', (status, reason, verdict) => {
    const tasks = [makeTask({}), makeTask({ service: quality, status, reason, finding: undefined })];
    expect(judgeItem(makePolicy(makeRule({ op: 'pulp' })), tasks)).toEqual({ verdict, reasons: [] });
  });

  it('stays block although another task failed', () => {
    const tasks = [makeTask({ finding: hit }), makeTask({ status: 'failed', finding: undefined })];
    expect(judgeItem(makePolicy(makeRule({ verdict: 'block' })), tasks).verdict).toBe('block');
  });

  it('is not made milder by a rule that says pass', () => {
    const tasks = [makeTask({ finding: hit }), makeTask({ status: 'open', finding: undefined })];
    expect(judgeItem(makePolicy(makeRule({ verdict: 'pass' })), tasks).verdict).toBe('incomplete');
  });

  it('never becomes milder by one more rule or one more task', () => {
    const order = ['', 'pass', 'incomplete', 'review', 'block'];
    const rule = fc.record({
      op: fc.constantFrom('pulp', 'terror'),
      verdict: fc.constantFrom('pass', 'review', 'block'),
    });
    const rules = fc.array(
      rule.map((one) => makeRule(one as Partial<Rule>)),
      { minLength: 1 },
    );
    const task = fc.record({
      status: fc.constantFrom(...statuses),
      finding: fc.constantFrom(hit, emptyFinding),
    });
    const tasks = fc.array(task.map(makeTask), { minLength: 1 });
    fc.assert(
      fc.property(rules, tasks, (someRules, someTasks) => {
        const all = order.indexOf(judgeItem(makePolicy(...someRules), someTasks).verdict);
        const fewerRules = judgeItem(makePolicy(...someRules.slice(1)), someTasks).verdict;
        const fewerTasks = judgeItem(makePolicy(...someRules), someTasks.slice(1)).verdict;
        expect(all).toBeGreaterThanOrEqual(order.indexOf(fewerRules));
        expect(all).toBeGreaterThanOrEqual(order.indexOf(fewerTasks));
      }),
    );
  });
});

describe('the verdict of a label', () => {
  const policy = makePolicy(
    makeRule({ op: 'pulp', labels: ['1'], score: over(0.6), verdict: 'review' }),
    makeRule({ op: 'pulp', labels: ['1'], score: over(0.9), verdict: 'block' }),
    makeRule({ op: 'pulp', metric: 'duration', verdict: 'block' }),
    makeRule({ verdict: 'block' }),
  );

  it.each([
    ['the worst rule that it matches', censor, 0.95, 'block'],
    ['a milder rule', censor, 0.7, 'review'],
    ['no rule', censor, 0.2, 'pass'],
    ['another service', quality, 0.95, 'pass'],
  ])('is that of %s', (_, service, score, verdict) => {
    expect(judgeLabel(policy, service, { op: 'pulp', label: '1', score })).toBe(verdict);
  });

  it('goes by the larger of the two scores', () => {
    const label: Label = { op: 'pulp', label: '1', score: 0.1, reportedScore: 0.95 };
    expect(judgeLabel(policy, censor, label)).toBe('block');
  });
});
