/** The items that a person should look at, worst first, as the JSON that the page carries. */
import { type ChangeVerdict, defaultMovedBy, hasMoved, type ItemChange } from '../../domain/change.ts';
import type { DecisionVerdict } from '../../domain/decision.ts';
import type { Segment } from '../../domain/finding.ts';
import type { Policy, Verdict } from '../../domain/policy.ts';
import type { Status } from '../../domain/task.ts';
import type { JudgedItem } from '../judged-item.ts';
import type { ReportService } from '../request.ts';
import { readBucket, readId, readKey } from '../table/address.ts';
import { findHits, type Hit } from './hit.ts';
import { makeMediaLink } from './media-link.ts';
import { makeWorstFirst, type Ranked } from './worst-first.ts';

/** Most items that the page carries; CSV and JSONL have them all. */
export const mostFlagged = 50_000;
/** Most bytes of their JSON, before it is compressed: fewer items are carried where their names are very long. */
export const mostFlaggedBytes = 40_000_000;
const mostHits = 12;
const mostReasons = 20;
/** Segments of a timeline, the highest; the worst items have more. */
const mostBlocks = 60;
/** Segments of the whole page: the worst items have their timelines. */
const mostBlocksOfPage = 150_000;
/** Segments of a long timeline, and of all that the page carries. */
const mostLongBlocks = 2000;
const mostLongBlocksOfPage = 100_000;
const longestKey = 2048;
const longestName = 300;

/** Rule, service, op, label or metric, whether it is a metric, value, begin in ms. */
export type FlaggedHit = readonly [number, string, string, string, 0 | 1, number | string, number | null];

/**
 * What the page's script reads for one item, by position, since there may be 50,000: key (else id), bucket, id (0 where
 * it is bucket/key), kind, bytes, length in ms, verdict, worst status, reasons, hits, further hits, link (0 for none),
 * change since the run before (0 where nothing changed or nothing is known), what a person decided (0 for nothing). The
 * segments of its timeline may follow, and how many there are where it does not hold all.
 */
export type FlaggedItem = readonly [
  key: string,
  bucket: string | 0,
  id: string | 0,
  kind: string | 0,
  sizeBytes: number | null,
  lengthMs: number | null,
  verdict: Verdict | '',
  status: Status | '',
  reasons: readonly string[],
  hits: readonly FlaggedHit[],
  moreHits: number,
  link: string | 0,
  change: FlaggedChange | 0,
  decision: readonly [DecisionVerdict, by: string, at: string, comment: string] | 0,
];

/** `new`, `changed` (content) or `same`; verdict before; op, name, score before and after of what moved most. */
export type FlaggedChange = readonly [
  ItemChange['is'],
  ChangeVerdict | '',
  readonly [string, string, number, number] | 0,
];

/** Op, label, begin and end in ms, score, whether the vendor asks for a look. */
export type TimelineBlock = readonly [string, string, number, number, number, 0 | 1];

interface Entry extends Ranked {
  /** JSON: as text it is small. */
  readonly text: string;
  /** Bytes of the text, or blocks of a timeline. */
  readonly weight: number;
}

export interface Flagged {
  readonly add: (row: JudgedItem, order: number) => void;
  /** How many were flagged, embedded or not. */
  readonly count: () => number;
  /** How many of them a person has decided about. */
  readonly decided: () => number;
  /** How many of them the page carries. */
  readonly carried: () => number;
  /** JSON, worst first: `FlaggedItem`s, those for which there is room with their `TimelineBlock`s, and perhaps their count. */
  readonly list: () => Iterable<string>;
}

/** Memory is bounded by `mostFlaggedBytes` and the blocks of the page, whatever the run holds. */
export function makeFlagged(request: {
  readonly policy: Policy;
  readonly services: readonly ReportService[];
  readonly publicBaseUrl?: string | undefined;
  readonly limit?: number | undefined;
}): Flagged {
  const { policy, services, publicBaseUrl, limit = mostFlagged } = request;
  const worst = makeWorstFirst<Entry>(limit, mostFlaggedBytes);
  const timelines = makeWorstFirst<Entry>(limit, mostBlocksOfPage);
  const longTimelines = makeWorstFirst<Entry>(limit, mostLongBlocksOfPage);
  const isNormal = makeNormalTest(services);
  let [count, decided] = [0, 0];
  return {
    add(row, order) {
      if (row.verdict !== 'block' && row.verdict !== 'review') return;
      count += 1;
      if (row.decision !== undefined) decided += 1;
      const hits = findHits(policy, row);
      const ranked = { rank: (row.verdict === 'block' ? 2 : 0) + (hits[0]?.severity ?? 0), order };
      if (!worst.takes(ranked)) return;
      const text = JSON.stringify(makeItem(row, hits, makeMediaLink(publicBaseUrl, row.item)));
      worst.add({ ...ranked, text, weight: Buffer.byteLength(text) });
      if (!timelines.takes(ranked)) return;
      const segments = listSegments(row, isNormal);
      if (segments.length === 0) return;
      timelines.add({ ...ranked, ...makeTimeline(segments, mostBlocks) });
      if (segments.length <= mostBlocks || !longTimelines.takes(ranked)) return;
      longTimelines.add({ ...ranked, ...makeTimeline(segments, mostLongBlocks) });
    },
    count: () => count,
    decided: () => decided,
    carried: () => worst.count(),
    *list() {
      const kept = [...timelines.list(), ...longTimelines.list()];
      const byOrder = new Map(kept.map((entry) => [entry.order, entry.text]));
      for (const { text, order } of worst.list()) {
        const timeline = byOrder.get(order);
        yield timeline === undefined ? text : `${text.slice(0, -1)},${timeline}]`;
      }
    },
  };
}

function makeItem(row: JudgedItem, hits: readonly Hit[], link: string | undefined): FlaggedItem {
  const { item, decision } = row;
  const id = clip(readId(item), longestKey);
  const [bucket, key] = [readBucket(item), clip(readKey(item) ?? id, longestKey)];
  return [
    key,
    bucket ?? 0,
    id === (bucket === undefined ? key : `${bucket}/${key}`) ? 0 : id,
    item.kind ?? 0,
    item.sizeBytes ?? null,
    readLength(row) ?? null,
    row.verdict,
    row.status,
    row.reasons.slice(0, mostReasons).map((reason) => clip(reason, longestName)),
    hits.slice(0, mostHits).map(makeHit),
    Math.max(0, hits.length - mostHits),
    link === undefined || link.length > longestKey ? 0 : link,
    makeChange(row),
    decision === undefined
      ? 0
      : [decision.verdict, clip(decision.by, longestName), decision.at, clip(decision.comment, longestName)],
  ];
}

function makeChange({ change, verdict }: JudgedItem): FlaggedChange | 0 {
  if (change === undefined) return 0;
  const { is, verdictBefore = '', movement } = change;
  const hasChanged = is !== 'same' || verdictBefore !== verdict || hasMoved(change, defaultMovedBy);
  if (!hasChanged) return 0;
  const moved = movement && hasMoved(change, defaultMovedBy) ? movement : undefined;
  const { op = '', name = '', before = 0, after = 0 } = moved ?? {};
  return [is, verdictBefore, moved ? [op, clip(name, longestName), before, after] : 0];
}

function makeHit({ rule, service, op, name, isMetric, value, beginMs }: Hit): FlaggedHit {
  const shown = typeof value === 'string' ? clip(value, longestName) : value;
  return [rule, service, op ?? '', clip(name, longestName), isMetric ? 1 : 0, shown, beginMs ?? null];
}

/** The known length of a video, else the end of its last segment. */
function readLength(row: JudgedItem): number | undefined {
  if (row.item.durationSeconds !== undefined) return Math.round(row.item.durationSeconds * 1000);
  const ends = row.tasks.flatMap((task) => (task.finding?.segments ?? []).map((segment) => segment.endMs));
  return ends.length === 0 ? undefined : ends.reduce((a, b) => Math.max(a, b));
}

/** Segments with something special, the highest first. */
function listSegments(row: JudgedItem, isNormal: (service: string, segment: Segment) => boolean) {
  return row.tasks
    .flatMap(({ service, finding }) =>
      (finding?.segments ?? []).filter((segment) => !isNormal(service, segment)),
    )
    .sort((a, b) => b.maxScore - a.maxScore);
}

/** The highest of them in the order of time, and how many there are where some had to go. */
function makeTimeline(segments: readonly Segment[], most: number): Pick<Entry, 'text' | 'weight'> {
  const blocks = segments
    .slice(0, most)
    .sort((a, b) => a.beginMs - b.beginMs)
    .map(
      (segment): TimelineBlock => [
        segment.op,
        clip(segment.label, longestName),
        segment.beginMs,
        segment.endMs,
        segment.maxScore,
        segment.needsReview ? 1 : 0,
      ],
    );
  const count = segments.length > most ? `,${segments.length}` : '';
  return { text: `${JSON.stringify(blocks)}${count}`, weight: blocks.length };
}

function makeNormalTest(services: readonly ReportService[]) {
  const tops = new Map(services.map((service) => [service.name, service.columns.tops]));
  return (service: string, segment: Segment) =>
    (tops.get(service) ?? []).some(
      (top) => (top.op === undefined || top.op === segment.op) && top.normal.includes(segment.label),
    );
}

function clip(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}...`;
}
