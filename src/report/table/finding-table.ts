/** `findings.csv`, one row for each label of a task, and `segments.csv`, one for each label of a segment. */
import type { Label, Segment } from '../../domain/finding.ts';
import type { Item } from '../../domain/item.ts';
import type { ItemRow } from '../../domain/ledger.ts';
import { judgeLabel, type Policy, type Verdict } from '../../domain/policy.ts';
import { addressColumns } from './address.ts';
import { type Column, liftColumns } from './column.ts';

export interface LabelRow {
  readonly item: Item;
  readonly service: string;
  readonly label: Label;
  /** What the policy says of this label alone. */
  readonly verdict: Verdict;
}

export interface SegmentRow {
  readonly item: Item;
  readonly service: string;
  readonly segment: Segment;
}

export const findingColumns: readonly Column<LabelRow>[] = [
  ...liftColumns(addressColumns, (row: LabelRow) => row.item),
  { name: 'service', kind: 'text', read: (row) => row.service },
  { name: 'op', kind: 'text', read: (row) => row.label.op },
  { name: 'label', kind: 'text', read: (row) => row.label.label },
  { name: 'score', kind: 'number', read: (row) => row.label.score },
  { name: 'reported_score', kind: 'number', read: (row) => row.label.reportedScore },
  { name: 'begin_ms', kind: 'number', read: (row) => row.label.beginMs },
  { name: 'end_ms', kind: 'number', read: (row) => row.label.endMs },
  { name: 'segments', kind: 'number', read: (row) => row.label.segments },
  { name: 'needs_review', kind: 'boolean', read: (row) => row.label.needsReview },
  { name: 'verdict', kind: 'text', read: (row) => row.verdict },
];

export const segmentColumns: readonly Column<SegmentRow>[] = [
  ...liftColumns(addressColumns, (row: SegmentRow) => row.item),
  { name: 'service', kind: 'text', read: (row) => row.service },
  { name: 'op', kind: 'text', read: (row) => row.segment.op },
  { name: 'begin_ms', kind: 'number', read: (row) => row.segment.beginMs },
  { name: 'end_ms', kind: 'number', read: (row) => row.segment.endMs },
  { name: 'label', kind: 'text', read: (row) => row.segment.label },
  { name: 'max_score', kind: 'number', read: (row) => row.segment.maxScore },
  { name: 'cuts', kind: 'number', read: (row) => row.segment.cuts },
  { name: 'needs_review', kind: 'boolean', read: (row) => row.segment.needsReview },
];

/** The labels of all tasks of an item, in the order of the tasks. */
export function listLabels(policy: Policy, row: ItemRow): readonly LabelRow[] {
  return row.tasks.flatMap(({ service, finding }) =>
    (finding?.labels ?? []).map((label) => ({
      item: row.item,
      service,
      label,
      verdict: judgeLabel(policy, service, label),
    })),
  );
}

/** The segments of all tasks of an item, in the order of the tasks. */
export function listSegments(row: ItemRow): readonly SegmentRow[] {
  return row.tasks.flatMap(({ service, finding }) =>
    (finding?.segments ?? []).map((segment) => ({ item: row.item, service, segment })),
  );
}
