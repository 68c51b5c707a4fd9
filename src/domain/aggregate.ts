/** Maxima of a video answer: from cut frames and segments to one score per segment label and one per label. */
import type { Finding, Label, Segment } from './finding.ts';

/** A label with its score, as one level of an answer gives it. */
export interface ScoredLabel {
  readonly label: string;
  readonly score: number;
}

/** One cut frame of a segment. The same label may stand in it several times (two faces of one person). */
export interface CutReading {
  readonly labels: readonly (ScoredLabel & { readonly needsReview: boolean })[];
}

export interface SegmentReading {
  readonly beginMs: number;
  readonly endMs: number;
  readonly labels: readonly ScoredLabel[];
  readonly cuts: readonly CutReading[];
}

/** What an answer says of one op: its own labels, and its segments in any order. */
export interface OpReading {
  readonly op: string;
  readonly labels: readonly ScoredLabel[];
  readonly segments: readonly SegmentReading[];
}

/**
 * Aggregates the ops of an answer. Per segment and label, `maxScore` is the larger of the segment's own score and the
 * maximum over its cuts, `cuts` counts the cuts that show the label, and `needsReview` is true if one of them says so.
 * Per label, `score` is the maximum over all segments, with the times of the first segment that reached it; the
 * vendor's op-level score is kept as `reportedScore`. A label that only the op level knows has that score, no times
 * and no segments. Segments come out in time order, labels in the order of their first appearance.
 */
export function aggregateOps(ops: readonly OpReading[]): Pick<Finding, 'labels' | 'segments'> {
  const parts = ops.map(aggregateOp);
  return {
    labels: parts.flatMap((part) => part.labels),
    segments: parts.flatMap((part) => part.segments),
  };
}

function aggregateOp(reading: OpReading): { labels: readonly Label[]; segments: readonly Segment[] } {
  const ordered = reading.segments.toSorted((a, b) => a.beginMs - b.beginMs || a.endMs - b.endMs);
  const segments = ordered.flatMap((segment) => aggregateSegment(reading.op, segment));
  const reported = maximise(reading.labels);
  const shown = groupByLabel(segments);
  const names = new Set([...reported.keys(), ...shown.keys()]);
  const labels = [...names].map((name) =>
    aggregateLabel(reading.op, name, reported.get(name), shown.get(name) ?? []),
  );
  return { labels, segments };
}

function aggregateSegment(op: string, segment: SegmentReading): Segment[] {
  const inCuts = segment.cuts.map((cut) => maximise(cut.labels));
  const scores = maximise([...segment.labels, ...segment.cuts.flatMap((cut) => cut.labels)]);
  const inReview = new Set(
    segment.cuts.flatMap((cut) => cut.labels.filter((one) => one.needsReview).map((one) => one.label)),
  );
  return [...scores].map(([label, maxScore]) => ({
    op,
    beginMs: segment.beginMs,
    endMs: segment.endMs,
    label,
    maxScore,
    cuts: inCuts.filter((cut) => cut.has(label)).length,
    needsReview: inReview.has(label),
  }));
}

/** `segments` are those with this label, in time order. */
function aggregateLabel(
  op: string,
  label: string,
  reportedScore: number | undefined,
  segments: readonly Segment[],
): Label {
  let first: Segment | undefined;
  for (const segment of segments) {
    if (first === undefined || segment.maxScore > first.maxScore) first = segment;
  }
  return {
    op,
    label,
    score: first?.maxScore ?? reportedScore ?? 0,
    ...(reportedScore === undefined ? {} : { reportedScore }),
    ...(first === undefined ? {} : { beginMs: first.beginMs, endMs: first.endMs }),
    segments: segments.length,
    needsReview: segments.some((segment) => segment.needsReview),
  };
}

function groupByLabel(segments: readonly Segment[]): ReadonlyMap<string, readonly Segment[]> {
  const groups = new Map<string, Segment[]>();
  for (const segment of segments) {
    const group = groups.get(segment.label);
    if (group) group.push(segment);
    else groups.set(segment.label, [segment]);
  }
  return groups;
}

/** The largest score of each label, in the order of first appearance. */
function maximise(labels: readonly ScoredLabel[]): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (const { label, score } of labels) {
    const known = scores.get(label);
    if (known === undefined || score > known) scores.set(label, score);
  }
  return scores;
}
