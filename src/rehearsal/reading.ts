/** Rules of GET and HEAD of an object: conditions and byte ranges, as RFC 9110 and Amazon's pages have them. */
import { type Refusal, refuse } from './refusal.ts';
import type { StoredObject } from './shelf.ts';

type Headers = Readonly<Record<string, string>>;

/** `If-Match` and `If-None-Match` go before the dates, which count only without them (RFC 9110, 13.2.2). */
export function checkConditions(headers: Headers, object: StoredObject): Refusal | undefined {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  const unmodifiedSince = Date.parse(headers['if-unmodified-since'] ?? '');
  const modifiedSince = Date.parse(headers['if-modified-since'] ?? '');
  if (match !== undefined) {
    if (!listsEtag(match, object.etag))
      return refuse('PreconditionFailed', undefined, { Condition: 'If-Match' });
  } else if (object.lastModifiedMs > unmodifiedSince) {
    return refuse('PreconditionFailed', undefined, { Condition: 'If-Unmodified-Since' });
  }
  if (noneMatch !== undefined) return listsEtag(noneMatch, object.etag) ? refuse('NotModified') : undefined;
  return object.lastModifiedMs <= modifiedSince ? refuse('NotModified') : undefined;
}

/** True where a condition's list has this etag, with or without quotes, or `*`. */
export function listsEtag(list: string, etag: string): boolean {
  const entries = list.split(',').map((entry) =>
    entry
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1'),
  );
  return entries.includes('*') || entries.includes(etag);
}

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly isPartial: boolean;
}

/** One range; several, or anything else that cannot be read, mean the whole object, as at AWS. */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | Refusal {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(' ', '') ?? '');
  const whole = { start: 0, end: sizeBytes, isPartial: false };
  if (match === null || (match[1] === '' && match[2] === '')) return whole;
  const first = match[1] === '' ? undefined : Number(match[1]);
  const last = match[2] === '' ? undefined : Number(match[2]);
  if (first !== undefined && last !== undefined && last < first) return whole;
  const start = first ?? Math.max(0, sizeBytes - (last ?? 0));
  const end = first === undefined ? sizeBytes : Math.min(sizeBytes, (last ?? Number.POSITIVE_INFINITY) + 1);
  if (start < end) return { start, end, isPartial: true };
  const details = { RangeRequested: header ?? '', ActualObjectSize: String(sizeBytes) };
  return refuse('InvalidRange', undefined, details);
}
