/** Which verdicts another policy would flip, and how the flips leave. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Flip } from '../../src/domain/change.ts';
import type { ItemRow } from '../../src/domain/ledger.ts';
import { judgeItem, type Policy, type Rule } from '../../src/domain/policy.ts';
import { flipColumns, judgeRun } from '../../src/report/judge.ts';
import { makeCsvStream, makeJsonStream, type RowStream } from '../../src/report/row-stream.ts';
import { censor, makeFinding, makeItem, makeLedger, makeTask, quality, strict } from './library.ts';
import { makeSink } from './memory-sink.ts';

const run = '20261120T020000Z-nightly';

function makeRule(rule: Partial<Rule> & Pick<Rule, 'verdict'>): Rule {
  return { service: censor.name, op: 'pulp', labels: ['0'], reason: `${rule.verdict} of pulp`, ...rule };
}

function makeRow(number: number, score: number, rest: Partial<ItemRow['tasks'][number]> = {}): ItemRow {
  const finding = makeFinding({ labels: [{ op: 'pulp', label: '0', score }] });
  return { item: makeItem(number, `${number}.mp4`), tasks: [makeTask(censor, { finding, ...rest })] };
}

function judge(
  rows: readonly ItemRow[],
  other: Policy,
  { policy = strict, show = 10, streams = [] as readonly RowStream<Flip>[] } = {},
) {
  return judgeRun({ ledger: makeLedger(rows), run, policy, other, streams, show });
}

const milder: Policy = {
  name: 'milder',
  rules: [makeRule({ verdict: 'review', score: { comparator: '>=', value: 0.5 } })],
};

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s ends it between two pages, with nothing but the rows that were found', async (signal, exitCode) => {
  const rows = Array.from({ length: 1203 }, (_, index) => makeRow(index, 0.55));
  const stop = new AbortController();
  const sink = makeSink();
  const stream = makeCsvStream(sink, flipColumns, 'exact');
  const stopping: RowStream<Flip> = {
    ...stream,
    write: async (found) => {
      await stream.write(found);
      stop.abort(signal);
    },
  };
  const judging = judgeRun({
    ledger: makeLedger(rows),
    run,
    policy: strict,
    other: milder,
    streams: [stopping],
    show: 1,
    stop: stop.signal,
  });
  await expect(judging).rejects.toMatchObject({ exitCode, message: 'interrupted before the last item.' });
  expect(sink.text().trimEnd().split('\r\n')).toHaveLength(201);
});

describe('flips', () => {
  const rows = [makeRow(1, 0.95), makeRow(2, 0.55), makeRow(3, 0.1), makeRow(4, 0.6, { status: 'failed' })];

  test('go both ways, are counted by their verdicts, and carry the rule and score of the graver one', async () => {
    const { items, flips, verdicts, worst } = await judge(rows, milder);
    expect({ items, flips }).toEqual({ items: 4, flips: 3 });
    expect(verdicts).toEqual([
      { from: 'block', to: 'review', count: 1 },
      { from: 'pass', to: 'review', count: 1 },
      { from: 'incomplete', to: 'review', count: 1 },
    ]);
    expect(worst.map(({ item, from, evidence }) => [item.id, from, evidence?.rule, evidence?.value])).toEqual(
      [
        ['media/1.mp4', 'block', 'pornography', 0.95],
        ['media/4.mp4', 'incomplete', 'review of pulp', 0.6],
        ['media/2.mp4', 'pass', 'review of pulp', 0.55],
      ],
    );
  });

  test('are none under the same policy, and from none where there are no rules', async () => {
    expect(await judge(rows, strict)).toMatchObject({ flips: 0, verdicts: [], worst: [] });
    const { verdicts } = await judge(rows, { name: 'none', rules: [] });
    expect(verdicts).toEqual([{ from: 'block', to: 'pass', count: 1 }]);
  });

  test('of an item that no service applies to do not exist', async () => {
    expect(await judge([{ item: makeItem(1, 'a.jpg'), tasks: [] }], milder)).toMatchObject({
      items: 1,
      flips: 0,
    });
  });

  test('of which only so many are kept leave whole, in source order, as CSV and as one JSON document', async () => {
    const many = Array.from({ length: 1203 }, (_, index) => makeRow(index, (index % 100) / 100));
    const [csv, json] = [makeSink(), makeSink()];
    const streams = [makeCsvStream(csv, flipColumns, 'exact'), makeJsonStream(json, flipColumns, 'flips')];
    const { flips, worst, verdicts } = await judge(many, milder, { show: 2, streams });
    expect(worst).toHaveLength(2);
    const rows = parse(csv.text(), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(flips);
    expect(rows.map((row) => Number(row['key']?.replace('.mp4', '')))).toEqual(
      rows.map((row) => Number(row['key']?.replace('.mp4', ''))).toSorted((a, b) => a - b),
    );
    expect(rows[0]).toEqual({
      item: 'media/50.mp4',
      bucket: 'media',
      key: '50.mp4',
      url: '',
      from: 'pass',
      to: 'review',
      rule: 'review of pulp',
      service: 'qiniu/video-censor',
      op: 'pulp',
      label: '0',
      score: '0.5',
    });
    const document = JSON.parse(json.text());
    expect(document).toMatchObject({
      run,
      policies: { from: 'strict', to: 'milder' },
      items: 1203,
      verdicts,
    });
    expect(document.flips).toHaveLength(flips);
  });

  test('of none are an empty list, and a table with a head', async () => {
    const [csv, json] = [makeSink(), makeSink()];
    const streams = [makeCsvStream(csv, flipColumns, 'people'), makeJsonStream(json, flipColumns, 'flips')];
    await judge([], milder, { streams });
    expect(JSON.parse(json.text())).toMatchObject({ flips: [], items: 0, verdicts: [] });
    expect(csv.text()).toMatch(/^\uFEFFitem,bucket,key,url,from,to,rule,service,op,label,score\r\n$/);
  });
});

const rule = fc
  .record({
    value: fc.integer({ min: 0, max: 10 }),
    verdict: fc.constantFrom('pass', 'review', 'block' as const),
    isMetric: fc.boolean(),
  })
  .map(({ value, verdict, isMetric }): Rule => {
    const comparison = { comparator: '>=', value: value / 10 } as const;
    return isMetric
      ? {
          service: quality.name,
          metric: 'iqa_result',
          is: comparison,
          verdict: verdict as Rule['verdict'],
          reason: 'm',
        }
      : makeRule({ verdict: verdict as Rule['verdict'], score: comparison });
  });

test('what flips is what the two policies judge differently, and back again is as much', async () => {
  const policy = fc.array(rule, { maxLength: 4 }).map((rules): Policy => ({ name: 'some', rules }));
  const scores = fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(policy, policy, scores, async (one, other, given) => {
      const rows = given.map((score, index) => {
        const row = makeRow(index, score / 10);
        const finding = makeFinding({ metrics: { iqa_result: (10 - score) / 10 } });
        return { ...row, tasks: [...row.tasks, makeTask(quality, { finding })] };
      });
      const expected = rows.filter(
        (row) => judgeItem(one, row.tasks).verdict !== judgeItem(other, row.tasks).verdict,
      );
      const there = await judge(rows, other, { policy: one, show: 100 });
      const back = await judge(rows, one, { policy: other, show: 100 });
      expect(there.flips).toBe(expected.length);
      expect(new Set(there.worst.map(({ item }) => item.id))).toEqual(
        new Set(expected.map(({ item }) => item.id)),
      );
      expect(back.verdicts.reduce((sum, { count }) => sum + count, 0)).toBe(there.flips);
      for (const { from, to, evidence } of there.worst) expect([from, to, evidence]).not.toContain(undefined);
    }),
  );
});
