/** What is gathered in bounded memory: the worst items, their evidence, histograms, links. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FlaggedItem, makeFlagged, type TimelineBlock } from '../../src/report/gather/flagged.ts';
import { findHits } from '../../src/report/gather/hit.ts';
import { makeMeasureHistogram, makeScoreHistogram } from '../../src/report/gather/histogram.ts';
import { makeMediaLink } from '../../src/report/gather/media-link.ts';
import { cutPlace, makePlaces } from '../../src/report/gather/place.ts';
import { makeWorstFirst } from '../../src/report/gather/worst-first.ts';
import { judgeRow } from '../../src/report/judged-item.ts';
import { censor, makeFinding, makeItem, makeTask, quality, strict } from './library.ts';

describe('the worst first', () => {
  test('are the same as those of a whole sort, for any entries and any bound', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 })),
        fc.integer({ min: 1, max: 12 }),
        (ranks, limit) => {
          const entries = ranks.map((rank, order) => ({ rank, order }));
          const worst = makeWorstFirst<{ rank: number; order: number }>(limit);
          for (const entry of entries) worst.add(entry);
          const sorted = entries.toSorted((a, b) => b.rank - a.rank || a.order - b.order);
          expect(worst.list()).toEqual(sorted.slice(0, limit));
        },
      ),
    );
  });

  test('are the longest beginning of a whole sort that fits the room, whatever the order in which they come', () => {
    const entry = fc.record({ rank: fc.integer({ min: 0, max: 9 }), weight: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(
        fc.array(entry),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 12 }),
        (given, room, limit) => {
          const entries = given.map((one, order) => ({ ...one, order }));
          const worst = makeWorstFirst<(typeof entries)[number]>(limit, room);
          for (const one of entries) worst.add(one);
          const sorted = entries.toSorted((a, b) => b.rank - a.rank || a.order - b.order);
          let taken = 0;
          const end = sorted.findIndex((one, index) => (taken += one.weight) > room || index >= limit);
          expect(worst.list()).toEqual(end < 0 ? sorted : sorted.slice(0, end));
          expect(worst.count()).toBe(worst.list().length);
        },
      ),
    );
  });
});

describe('histograms', () => {
  test('of scores count every score in its bin, and 1 in the last', () => {
    const histogram = makeScoreHistogram();
    for (const score of [0, 0.6, 0.649, 1, 1.2, -1, Number.NaN]) histogram.add(score);
    expect(histogram.count()).toBe(6);
    const full = histogram.bars().filter((bar) => bar.count > 0);
    expect(full).toEqual([
      { from: 0, to: 0.05, count: 2 },
      { from: 0.6, to: 0.65, count: 2 },
      { from: 0.95, to: 1, count: 2 },
    ]);
  });

  test('of measures hold any values in at most 32 adjacent bars, whatever their order', () => {
    const value = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 100 }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (values) => {
        const [one, other] = [makeMeasureHistogram(), makeMeasureHistogram()];
        for (const found of values) one.add(found);
        for (const found of values.toReversed()) other.add(found);
        const bars = one.bars();
        expect(bars).toEqual(other.bars());
        expect(bars.length).toBeLessThanOrEqual(32);
        expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(values.length);
        expect(bars[0]?.from).toBeLessThanOrEqual(Math.min(...values));
        expect(bars.at(-1)?.to).toBeGreaterThan(Math.max(...values));
      }),
    );
  });

  test('of measures leave out what is no number of this world', () => {
    const histogram = makeMeasureHistogram();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300]) histogram.add(value);
    expect(histogram.bars()).toEqual([]);
  });
});

describe('evidence', () => {
  test('names the labels and metrics that matched a rule, block first, by the score that rules see', () => {
    const row = {
      item: makeItem(1, 'a.mp4'),
      tasks: [
        makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: 10 } }) }),
        makeTask(censor, {
          finding: makeFinding({
            labels: [
              { op: 'politician', label: 'A', score: 0.2, reportedScore: 0.8 },
              { op: 'politician', label: 'B', score: 0.5 },
              { op: 'pulp', label: '0', score: 0.91, beginMs: 4000 },
            ],
          }),
        }),
      ],
    };
    expect(
      findHits(strict, row).map(({ rule, name, value, isMetric }) => [rule, name, value, isMetric]),
    ).toEqual([
      [2, '0', 0.91, false],
      [0, 'A', 0.8, false],
      [1, 'iqa_result', 10, true],
    ]);
  });

  test('of a rule that asks for nothing but an answer is empty', () => {
    const policy = {
      name: 'x',
      rules: [{ service: quality.name, verdict: 'review' as const, reason: 'any' }],
    };
    const row = { item: makeItem(1, 'a.jpg'), tasks: [makeTask(quality, { finding: makeFinding({}) })] };
    expect(findHits(policy, row)).toEqual([]);
  });
});

describe('flagged items', () => {
  const flag = (number: number, score: number, op = 'politician', label = 'A') =>
    judgeRow(strict, {
      item: makeItem(number, `${number}.mp4`),
      tasks: [makeTask(censor, { finding: makeFinding({ labels: [{ op, label, score }] }) })],
    });

  test('beyond the bound are counted and left out, the worst stay', () => {
    const flagged = makeFlagged({ policy: strict, services: [censor], limit: 3 });
    [0.6, 0.9, 0.7, 0.1, 0.8].forEach((score, index) => flagged.add(flag(index, score), index));
    flagged.add(flag(5, 0.9, 'pulp', '0'), 5);
    expect(flagged.count()).toBe(5);
    expect(flagged.carried()).toBe(3);
    const keys = [...flagged.list()].map((text) => (JSON.parse(text) as FlaggedItem)[0]);
    expect(keys).toEqual(['5.mp4', '1.mp4', '4.mp4']);
  });

  test('carry their timeline without the normal labels, the highest 60 segments in the order of time', () => {
    const segments = Array.from({ length: 100 }, (_, index) => ({
      op: 'pulp',
      label: index % 2 === 0 ? '0' : '2',
      beginMs: (100 - index) * 1000,
      endMs: (100 - index) * 1000,
      maxScore: 0.95,
      cuts: 1,
      needsReview: false,
    }));
    const flagged = makeFlagged({ policy: strict, services: [censor] });
    const labels = [{ op: 'pulp', label: '0', score: 0.95 }];
    const task = makeTask(censor, { finding: makeFinding({ labels, segments }) });
    flagged.add(judgeRow(strict, { item: makeItem(1, 'a.mp4'), tasks: [task] }), 0);
    const [text] = [...flagged.list()];
    const item = JSON.parse(text ?? '') as FlaggedItem;
    const blocks = item.at(-1) as unknown as readonly TimelineBlock[];
    expect(blocks).toHaveLength(50);
    expect(new Set(blocks.map((block) => block[1]))).toEqual(new Set(['0']));
    expect(blocks.map((block) => block[2])).toEqual(
      blocks.map((block) => block[2]).toSorted((a, b) => Number(a) - Number(b)),
    );
    expect(item[5]).toBe(100_000);
  });

  test('carry up to 2,000 segments of the worst, 60 of those for which there is no more room, and always say how many there are', () => {
    const film = (number: number, score: number, segments: number) => {
      const label = { op: 'pulp', label: '0', score };
      const task = makeTask(censor, {
        finding: makeFinding({
          labels: [label],
          segments: Array.from({ length: segments }, (_, index) => ({
            op: 'pulp',
            label: '0',
            beginMs: index * 1000,
            endMs: index * 1000 + 900,
            maxScore: 0.5 + index / 10_000,
            cuts: 1,
            needsReview: false,
          })),
        }),
      });
      return judgeRow(strict, { item: makeItem(number, `${number}.mp4`), tasks: [task] });
    };
    const flagged = makeFlagged({ policy: strict, services: [censor] });
    for (let index = 0; index < 60; index += 1) flagged.add(film(index, 0.91 + index / 1000, 1900), index);
    flagged.add(film(60, 0.99, 2500), 60);
    flagged.add(film(61, 0.9, 60), 61);
    const timelines = [...flagged.list()].map((text) => {
      const [blocks, ...rest] = (JSON.parse(text) as readonly unknown[]).slice(14);
      return [(blocks as readonly TimelineBlock[]).length, ...rest];
    });
    expect(timelines[0]).toEqual([2000, 2500]);
    const held = (blocks: number) => timelines.filter(([length]) => length === blocks);
    expect(held(1900)).toHaveLength(51);
    expect(held(60)).toEqual([...Array.from({ length: 9 }, () => [60, 1900]), [60]]);
    // What goes of a timeline is the lowest of it.
    const [last] = [...flagged.list()].slice(-2);
    const lows = (JSON.parse(last ?? '') as readonly unknown[])[14] as readonly TimelineBlock[];
    expect(Math.min(...lows.map((block) => block[2]))).toBe(1_840_000);
  });
});

describe('places', () => {
  test.each([
    ['media/ugc/a/b.jpg', 1, 'media/'],
    ['media/ugc/a/b.jpg', 2, 'media/ugc/'],
    ['media/ugc/a/b.jpg', 9, 'media/ugc/a/'],
    ['media/b.jpg', 2, 'media/'],
    ['b.jpg', 1, ''],
    ['https://cdn.example/ugc/a.jpg', 1, 'https://cdn.example/'],
    ['https://cdn.example/ugc/a.jpg', 2, 'https://cdn.example/ugc/'],
    ['//a//b', 2, '//'],
  ])('%s cut at %i is %s', (path, depth, expected) => {
    expect(cutPlace(path, depth)).toBe(expected);
  });

  const judge = (number: number, key: string, score = 0) =>
    judgeRow(strict, {
      item: makeItem(number, key),
      tasks: [
        makeTask(censor, { finding: makeFinding({ labels: [{ op: 'politician', label: 'A', score }] }) }),
      ],
    });

  test('are counted at the first depth that divides them, most flagged first', () => {
    const places = makePlaces();
    const keys = [
      ['a/b/1', 0],
      ['a/c/2', 0.9],
      ['a/c/3', 0],
    ] as const;
    keys.forEach(([key, score], index) => places.add(judge(index, key, score)));
    expect(places.depth()).toBe(3);
    expect(places.list().map(({ place, verdicts }) => [place, verdicts.review, verdicts.pass])).toEqual([
      ['media/a/c/', 1, 1],
      ['media/a/b/', 0, 1],
    ]);
  });

  test('are none where all items lie in one folder', () => {
    const places = makePlaces();
    for (const number of [1, 2, 3]) places.add(judge(number, `a/${number}`));
    expect([places.depth(), places.list()]).toEqual([0, []]);
  });

  test('beyond the first 300 are counted together', () => {
    const places = makePlaces();
    for (let number = 0; number < 310; number += 1) places.add(judge(number, `${number}/x`));
    expect([places.list().length, places.unlisted()]).toEqual([300, 10]);
  });
});

describe('media links', () => {
  const base = 'https://cdn.example/library';
  test.each([
    [
      'a key below the base URL',
      makeItem(1, '用户/a b+c?#.jpg'),
      'https://cdn.example/library/%E7%94%A8%E6%88%B7/a%20b%2Bc%3F%23.jpg',
    ],
    ['nothing for a key that a browser would resolve', makeItem(1, 'a/../../b.jpg'), undefined],
    [
      'a row’s own URL on the same origin',
      makeItem(1, 'a.jpg', { url: 'https://cdn.example/x.jpg' }),
      'https://cdn.example/x.jpg',
    ],
    ['nothing for a URL elsewhere', makeItem(1, 'a.jpg', { url: 'https://evil.example/x.jpg' }), undefined],
    ['nothing for a script', makeItem(1, 'a.jpg', { url: 'javascript:alert(1)' }), undefined],
    [
      'nothing for a link with a token',
      makeItem(1, 'a.jpg', { url: 'https://cdn.example/x?e=1&token=t' }),
      undefined,
    ],
    ['nothing for half a character', makeItem(1, '\uD800.jpg'), undefined],
  ])('are %s', (_, item, expected) => {
    expect(makeMediaLink(base, item)).toBe(expected);
  });

  test.each([
    'javascript:alert(1)',
    'ftp://cdn.example',
    'nonsense',
    undefined,
  ])('are not made under %s', (publicBaseUrl) => {
    expect(makeMediaLink(publicBaseUrl, makeItem(1, 'a.jpg'))).toBeUndefined();
  });
});
