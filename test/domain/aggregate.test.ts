import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OpReading, type SegmentReading, aggregateOps } from '../../src/domain/aggregate.ts';

const cutOf = (label: string, score: number, needsReview = false) => ({
  labels: [{ label, score, needsReview }],
});
const segmentOf = (
  beginMs: number,
  labels: SegmentReading['labels'],
  cuts: SegmentReading['cuts'] = [],
): SegmentReading => ({ beginMs, endMs: beginMs + 1000, labels, cuts });
const opOf = (labels: OpReading['labels'], segments: OpReading['segments']): OpReading => ({
  op: 'politician',
  labels,
  segments,
});

describe('a segment', () => {
  it('has the larger of its own score and its cuts for a label', () => {
    const own = segmentOf(0, [{ label: 'a', score: 0.9 }], [cutOf('a', 0.4)]);
    const cuts = segmentOf(5000, [{ label: 'a', score: 0.2 }], [cutOf('a', 0.4), cutOf('a', 0.6)]);
    const { segments } = aggregateOps([opOf([], [own, cuts])]);
    expect(segments.map((one) => one.maxScore)).toEqual([0.9, 0.6]);
  });

  it('has the union of its own and its cuts labels, several of them', () => {
    const { segments } = aggregateOps([
      opOf([], [segmentOf(0, [{ label: 'a', score: 0.9 }], [cutOf('b', 0.5), cutOf('c', 0.7)])]),
    ]);
    expect(segments.map((one) => [one.label, one.maxScore, one.cuts])).toEqual([
      ['a', 0.9, 0],
      ['b', 0.5, 1],
      ['c', 0.7, 1],
    ]);
  });

  it('counts a cut that shows a label twice once, with the larger score', () => {
    const twice = {
      labels: [
        { label: 'a', score: 0.5, needsReview: true },
        { label: 'a', score: 0.8, needsReview: false },
      ],
    };
    const { segments } = aggregateOps([opOf([], [segmentOf(0, [], [twice])])]);
    expect(segments).toEqual([
      { op: 'politician', beginMs: 0, endMs: 1000, label: 'a', maxScore: 0.8, cuts: 1, needsReview: true },
    ]);
  });

  it('needs review if any of its cuts with that label says so, and for that label only', () => {
    const { segments } = aggregateOps([
      opOf([], [segmentOf(0, [], [cutOf('a', 0.9), cutOf('a', 0.4, true), cutOf('b', 0.3)])]),
    ]);
    expect(segments.map((one) => [one.label, one.needsReview])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });

  it('stands in time order whatever the order of the answer', () => {
    const { segments } = aggregateOps([
      opOf([], [segmentOf(9000, [{ label: 'a', score: 0.1 }]), segmentOf(0, [{ label: 'a', score: 0.2 }])]),
    ]);
    expect(segments.map((one) => one.beginMs)).toEqual([0, 9000]);
  });
});

describe('a label', () => {
  it('has the maximum over its segments and the times of the first segment that reached it', () => {
    const { labels } = aggregateOps([
      opOf(
        [],
        [
          segmentOf(0, [{ label: 'a', score: 0.3 }]),
          segmentOf(8000, [{ label: 'a', score: 0.7 }]),
          segmentOf(4000, [], [cutOf('a', 0.7)]),
        ],
      ),
    ]);
    expect(labels).toEqual([
      {
        op: 'politician',
        label: 'a',
        score: 0.7,
        beginMs: 4000,
        endMs: 5000,
        segments: 3,
        needsReview: false,
      },
    ]);
  });

  it('keeps the score of the op level beside its own, even where it is larger', () => {
    const { labels } = aggregateOps([
      opOf([{ label: 'a', score: 0.9 }], [segmentOf(0, [{ label: 'a', score: 0.6 }])]),
    ]);
    expect(labels[0]).toMatchObject({ score: 0.6, reportedScore: 0.9 });
  });

  it('that only the op level knows has that score, no times and no segments', () => {
    const { labels, segments } = aggregateOps([opOf([{ label: 'a', score: 0.9 }], [])]);
    expect(segments).toEqual([]);
    expect(labels).toEqual([
      { op: 'politician', label: 'a', score: 0.9, reportedScore: 0.9, segments: 0, needsReview: false },
    ]);
  });

  it('has no reported score where only segments know it', () => {
    const { labels } = aggregateOps([opOf([], [segmentOf(0, [{ label: 'a', score: 0.6 }])])]);
    expect(labels[0]).not.toHaveProperty('reportedScore');
  });

  it('of one name under two ops stays two labels', () => {
    const { labels } = aggregateOps([
      { op: 'pulp', labels: [], segments: [segmentOf(0, [{ label: '0', score: 0.1 }])] },
      { op: 'terror', labels: [], segments: [segmentOf(0, [{ label: '0', score: 0.9 }])] },
    ]);
    expect(labels.map((one) => [one.op, one.label, one.score])).toEqual([
      ['pulp', '0', 0.1],
      ['terror', '0', 0.9],
    ]);
  });

  it('named like a property of every object is a label like others', () => {
    const { labels } = aggregateOps([opOf([], [segmentOf(0, [{ label: '__proto__', score: 0.6 }])])]);
    expect(labels.map((one) => [one.label, one.score])).toEqual([['__proto__', 0.6]]);
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const score = fc.double({ min: 0, max: 1, noNaN: true });
const scored = fc.record({ label: name, score });
const cut = fc.record({ labels: fc.array(fc.record({ label: name, score, needsReview: fc.boolean() })) });
const segment = fc
  .record({ beginMs: fc.nat(5), length: fc.nat(3), labels: fc.array(scored), cuts: fc.array(cut) })
  .map(({ beginMs, length, labels, cuts }) => ({ beginMs, endMs: beginMs + length, labels, cuts }));
const reading = fc.record({
  op: fc.constant('politician'),
  labels: fc.array(scored),
  segments: fc.array(segment, { maxLength: 6 }),
});

describe('for any answer', () => {
  it('a score is the maximum over all segments and cuts that show the label', () => {
    fc.assert(
      fc.property(reading, (given) => {
        for (const label of aggregateOps([given]).labels) {
          const shown = given.segments
            .flatMap((one) => [...one.labels, ...one.cuts.flatMap((frame) => frame.labels)])
            .filter((one) => one.label === label.label)
            .map((one) => one.score);
          const reported = given.labels.filter((one) => one.label === label.label).map((one) => one.score);
          expect(label.score).toBe(Math.max(...(shown.length > 0 ? shown : reported)));
          expect(label.reportedScore).toBe(reported.length > 0 ? Math.max(...reported) : undefined);
        }
      }),
    );
  });

  it('begin and end are of the earliest segment that has the score, and segments counts them all', () => {
    fc.assert(
      fc.property(reading, (given) => {
        const { labels, segments } = aggregateOps([given]);
        for (const label of labels) {
          const own = segments.filter((one) => one.label === label.label);
          const reached = own.filter((one) => one.maxScore === label.score).map((one) => one.beginMs);
          expect(label.segments).toBe(own.length);
          expect(label.beginMs).toBe(own.length > 0 ? Math.min(...reached) : undefined);
          expect(label.needsReview).toBe(own.some((one) => one.needsReview));
        }
      }),
    );
  });

  it('the order of segments does not matter to scores', () => {
    fc.assert(
      fc.property(reading, (given) => {
        const scoresOf = (one: OpReading) =>
          aggregateOps([one])
            .labels.map((label) => `${label.label} ${label.score} ${label.beginMs}`)
            .sort();
        expect(scoresOf({ ...given, segments: given.segments.toReversed() })).toEqual(scoresOf(given));
      }),
    );
  });
});
