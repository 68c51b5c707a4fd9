/** The items that a person should look at, worst first, as the JSON that the page carries. */
import type { Segment } from '../../domain/finding.ts';
import type { Policy } from '../../domain/policy.ts';
import type { JudgedItem } from '../judged-item.ts';
import type { ReportService } from '../request.ts';
import { readBucket, readId, readKey } from '../table/address.ts';
import { findHits } from './hit.ts';
import { makeMediaLink } from './media-link.ts';
import { makeWorstFirst, type Ranked } from './worst-first.ts';

/** Most items that the page carries; CSV and JSONL have them all. */
export const mostFlagged = 50_000;
const mostHits = 12;
const mostReasons = 20;
const mostBlocks = 60;
/** Segments of the whole page: the worst items have their timelines. */
const mostBlocksOfPage = 150_000;
const mostCharacters = 2048;

/** What the page's script reads for one item; short names, since there may be 50,000. */
export interface FlaggedItem {
  readonly id: string;
  readonly bucket?: string | undefined;
  /** What the copy button gives: the key, else the id. */
  readonly key: string;
  readonly link?: string | undefined;
  readonly kind?: string | undefined;
  readonly size?: number | undefined;
  readonly lengthMs?: number | undefined;
  readonly verdict: string;
  readonly status: string;
  readonly reasons: readonly string[];
  /** Rule, service, op, label or metric, whether it is a metric, value, begin in ms. */
  readonly hits: readonly (readonly [
    number,
    string,
    string,
    string,
    0 | 1,
    number | string,
    number | null,
  ])[];
  readonly moreHits: number;
}

/** Op, label, begin and end in ms, score, whether the vendor asks for a look. */
export type TimelineBlock = readonly [string, string, number, number, number, 0 | 1];

interface Entry extends Ranked {
  /** JSON of a `FlaggedItem`: as text it is small, and 50,000 of them stay within some tens of megabytes. */
  readonly text: string;
  /** JSON of its `TimelineBlock`s. */
  readonly timeline: string;
  readonly blocks: number;
}

export interface Flagged {
  readonly add: (row: JudgedItem, order: number) => void;
  /** How many were flagged, embedded or not. */
  readonly count: () => number;
  /** JSON objects, worst first: a `FlaggedItem`, with its timeline as `blocks` where there is room. */
  readonly list: () => Iterable<string>;
}

export function makeFlagged(request: {
  readonly policy: Policy;
  readonly services: readonly ReportService[];
  readonly publicBaseUrl?: string | undefined;
  readonly limit?: number | undefined;
}): Flagged {
  const { policy, services, publicBaseUrl } = request;
  const worst = makeWorstFirst<Entry>(request.limit ?? mostFlagged);
  const isNormal = makeNormalTest(services);
  let count = 0;
  return {
    add(row, order) {
      if (row.verdict !== 'block' && row.verdict !== 'review') return;
      count += 1;
      const hits = findHits(policy, row);
      const ranked = { rank: (row.verdict === 'block' ? 2 : 0) + (hits[0]?.severity ?? 0), order };
      if (!worst.takes(ranked)) return;
      const blocks = listBlocks(row, isNormal);
      const item = makeItem(row, hits, makeMediaLink(publicBaseUrl, row.item));
      worst.add({
        ...ranked,
        text: JSON.stringify(item),
        timeline: JSON.stringify(blocks),
        blocks: blocks.length,
      });
    },
    count: () => count,
    *list() {
      let room = mostBlocksOfPage;
      for (const { text, timeline, blocks } of worst.list()) {
        const fits = blocks > 0 && blocks <= room;
        if (fits) room -= blocks;
        yield fits ? `${text.slice(0, -1)},"blocks":${timeline}}` : text;
      }
    },
  };
}

function makeItem(row: JudgedItem, hits: ReturnType<typeof findHits>, link: string | undefined): FlaggedItem {
  const { item } = row;
  const id = clip(readId(item));
  return {
    id,
    bucket: readBucket(item),
    key: clip(readKey(item) ?? id),
    link: link === undefined || link.length > mostCharacters ? undefined : link,
    kind: item.kind,
    size: item.sizeBytes,
    lengthMs: readLength(row),
    verdict: row.verdict,
    status: row.status,
    reasons: row.reasons.slice(0, mostReasons).map(clip),
    hits: hits
      .slice(0, mostHits)
      .map((hit) => [
        hit.rule,
        hit.service,
        hit.op ?? '',
        clip(hit.name),
        hit.isMetric ? 1 : 0,
        typeof hit.value === 'string' ? clip(hit.value) : hit.value,
        hit.beginMs ?? null,
      ]),
    moreHits: Math.max(0, hits.length - mostHits),
  };
}

/** The known length of a video, else the end of its last segment. */
function readLength(row: JudgedItem): number | undefined {
  if (row.item.durationSeconds !== undefined) return Math.round(row.item.durationSeconds * 1000);
  const ends = row.tasks.flatMap((task) => (task.finding?.segments ?? []).map((segment) => segment.endMs));
  return ends.length === 0 ? undefined : ends.reduce((a, b) => Math.max(a, b));
}

/** The highest segments with something special, in the order of time. */
function listBlocks(row: JudgedItem, isNormal: (service: string, segment: Segment) => boolean) {
  return row.tasks
    .flatMap(({ service, finding }) =>
      (finding?.segments ?? []).filter((segment) => !isNormal(service, segment)),
    )
    .sort((a, b) => b.maxScore - a.maxScore)
    .slice(0, mostBlocks)
    .sort((a, b) => a.beginMs - b.beginMs)
    .map(
      (segment): TimelineBlock => [
        segment.op,
        clip(segment.label),
        segment.beginMs,
        segment.endMs,
        segment.maxScore,
        segment.needsReview ? 1 : 0,
      ],
    );
}

function makeNormalTest(services: readonly ReportService[]) {
  const tops = new Map(services.map((service) => [service.name, service.columns.tops]));
  return (service: string, segment: Segment) =>
    (tops.get(service) ?? []).some(
      (top) => (top.op === undefined || top.op === segment.op) && top.normal.includes(segment.label),
    );
}

function clip(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}...`;
}
