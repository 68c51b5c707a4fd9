/** Turns one row of a manifest into an item, or says what is wrong with it. */
import { z } from 'zod';
import { type Item, kinds, linesOfPart } from '../domain/item.ts';
import { kindOf } from '../domain/kind.ts';
import { hasSecrets, identityUrl, redactLinks, safeUrl } from '../domain/link.ts';
import type { ManifestField } from '../domain/settings.ts';
import type { Columns } from './column.ts';
import type { CsvRecord } from './csv-record.ts';

export type Row =
  | {
      readonly isBroken: false;
      readonly line: number;
      readonly item: Item;
      /** A row that stands for nothing to look at, such as a delete marker. */
      readonly isPassedOver?: boolean | undefined;
      /** A row of our own reports, which lack what may not be seen or is too long. */
      readonly isReported?: boolean | undefined;
    }
  | { readonly isBroken: true; readonly line: number; readonly message: string };

/** A field of ours, or the service that a row of our own reports is about. */
export type RowField = ManifestField | 'service';

/** What stands in a field; `undefined` for nothing. */
export type Cell = (field: RowField) => string | undefined;

/** Where rows lie that do not say so themselves. */
export interface RowHome {
  readonly storage?: string | undefined;
  readonly bucket?: string | undefined;
}

/** What is wrong with a cell; caught by `readCells`. */
export class CellFault extends Error {}

/** Reads a record by its columns. Rows without storage or bucket take those of the source. Never throws. */
export function readRow(record: CsvRecord, columns: Columns, home: RowHome): Row {
  const { line, fields } = record;
  if (fields.length !== columns.width) {
    const found = `found ${fields.length}`;
    return breakRow(
      line,
      `expected ${columns.width} columns, ${found}. Correct the row or quote its fields.`,
    );
  }
  const cell: Cell = (field) => {
    const index = columns.at.get(field);
    const text = index === undefined ? undefined : fields[index];
    if (text === undefined || text.trim() === '') return undefined;
    return field === 'key' && columns.areKeysEncoded ? decodeKey(text) : text;
  };
  return readCells(cell, line, home, columns.isReport);
}

/** Reads a row whose fields are found by `cell`. Never throws but what is none of the row's faults. */
export function readCells(cell: Cell, line: number, home: RowHome, isReported = false): Row {
  try {
    if (isReported) refusePost(cell);
    const item = makeItem(cell, line, home);
    return isReported ? { isBroken: false, line, item, isReported } : { isBroken: false, line, item };
  } catch (error) {
    if (error instanceof CellFault) return breakRow(line, error.message);
    throw error;
  }
}

const runOwn = 'run that pipeline with --only-failed RUN';

/** Of a post, reports hold neither text nor images nor video. */
function refusePost(cell: Cell): void {
  const isPost = cell('kind')?.trim().toLowerCase() === 'post';
  if (!isPost && (cell('key') ?? cell('url')) !== undefined) return;
  throw new CellFault(
    `a post's fields are not in reports: ${runOwn}. Expected a key or url, found neither text nor media.`,
  );
}

/** A link whose query was cut from the report leads to other media, or to none. */
export function breakCutRow(line: number, url: string): Row {
  const found = `Expected a whole link, found "${quote(safeUrl(url))}".`;
  return breakRow(line, `url: cut in the report since it may be signed: ${runOwn}. ${found}`);
}

/** S3 Inventory and S3 Batch write a space as `+`; who writes it as `%20` means a `+` as it is. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.includes('%20') ? text : text.replaceAll('+', '%20'));
  } catch {
    throw new CellFault(`key: expected a URL-encoded key in UTF-8, found "${quote(text)}". Correct it.`);
  }
}

export function breakRow(line: number, message: string): Row {
  return { isBroken: true, line, message };
}

/** AWS, "Naming Amazon S3 objects", read 2026-11-20; other dialects take no longer ones. */
const longestKey = 1024;
/** What browsers and vendors take is far below. */
const longestUrl = 16_384;

function readKey(cell: Cell): string | undefined {
  const key = cell('key');
  if (key === undefined) return undefined;
  refuseSigned(key);
  const bytes = Buffer.byteLength(key);
  if (bytes <= longestKey) return key;
  throw new CellFault(`key: expected at most ${longestKey} bytes, as S3 allows, found ${bytes}. Correct it.`);
}

/**
 * Keys are stored and shown as they are, so a signed link in their column would be, too. An object may well be named like a
 * link, or with a `?`, but none bears the parameters of a signature.
 */
function refuseSigned(key: string): void {
  const query = key.includes('?') ? key.slice(key.indexOf('?')) : '';
  const isLink = /^\s*https?:\/\//i.test(key);
  if (identityUrl(query) === query && !(isLink && hasSecrets(key))) return;
  const found = `found a signed link, "${quoteLink(key)}"`;
  throw new CellFault(`key: expected the key of an object, ${found}. Put it into the column "url".`);
}

/** A field that is stored and shown as it is. */
function readPlain(cell: Cell, field: 'etag' | 'version' | 'content_type'): string | undefined {
  const text = cell(field)?.trim();
  if (text === undefined || !/https?:\/\//i.test(text)) return text;
  throw new CellFault(
    `${field}: expected no link, found "${quoteLink(text)}". Correct the row or the columns.`,
  );
}

/** Buckets are named by letters, digits and some punctuation; what could lead elsewhere in a path or link is none. */
function readBucket(cell: Cell): string | undefined {
  const bucket = cell('bucket')?.trim();
  if (bucket === undefined || (/^[\w.:-]{1,255}$/.test(bucket) && !/^\.+$/.test(bucket))) return bucket;
  throw new CellFault(`bucket: expected the name of a bucket, found "${quoteLink(bucket)}". Correct it.`);
}

function makeItem(cell: Cell, line: number, home: RowHome): Item {
  const key = readKey(cell);
  const url = readUrl(cell, 'url');
  const named = readBucket(cell);
  const bucket = key === undefined ? named : (named ?? home.bucket);
  const version = readPlain(cell, 'version');
  const facts = {
    key,
    url,
    kind: readKind(cell),
    contentType: readPlain(cell, 'content_type'),
    text: cell('text'),
    images: readImages(cell),
    videoUrl: readUrl(cell, 'video_url'),
  };
  if (key === undefined && url === undefined && !facts.text && !facts.images && !facts.videoUrl) {
    throw new CellFault('expected a key, url, text, images or video_url, found none. Fill one of them.');
  }
  const { storage } = home;
  const service = cell('service')?.trim();
  const isStored = storage !== undefined && bucket !== undefined && key !== undefined;
  return {
    id: readId(cell) ?? nameItem(line, bucket, key, url),
    position: encodeLine(line),
    kind: kindOf(facts),
    object: isStored ? { storage, bucket, key, version } : undefined,
    url,
    bucket,
    key,
    version,
    etag: readEtag(cell),
    sizeBytes: readSize(cell),
    lastModified: readDate(cell),
    contentType: facts.contentType,
    title: cell('title'),
    text: facts.text,
    images: facts.images,
    videoUrl: facts.videoUrl,
    durationSeconds: readDuration(cell),
    ...(service !== undefined && { onlyServices: [service] }),
  };
}

/** An id is stored and shown, so one that is a link keeps no signature. */
function readId(cell: Cell): string | undefined {
  const id = cell('id')?.trim();
  if (id === undefined) return undefined;
  const identity = identityUrl(id);
  return /^https?:/i.test(id) ? safeUrl(identity) : identity;
}

/** By what an item without an id of its own is known: DESIGN's order, the line standing for the row. */
function nameItem(line: number, bucket?: string, key?: string, url?: string): string {
  if (key !== undefined) return bucket === undefined ? key : `${bucket}/${key}`;
  return url === undefined ? `row-${line}` : safeUrl(identityUrl(url));
}

/** Eight bytes, big-endian. */
function encodeLine(line: number): Uint8Array {
  const position = Buffer.allocUnsafe(8);
  position.writeUInt32BE(Math.floor(line / linesOfPart), 0);
  position.writeUInt32BE(line % linesOfPart, 4);
  return position;
}

function readUrl(cell: Cell, field: 'url' | 'video_url'): string | undefined {
  const url = cell(field)?.trim();
  if (url !== undefined && url.length > longestUrl) {
    throw new CellFault(
      `${field}: expected at most ${longestUrl} characters, found ${url.length}. Correct it.`,
    );
  }
  if (url !== undefined && !isWebUrl(url)) {
    throw new CellFault(`${field}: expected an http or https URL, found "${quoteLink(url)}". Correct it.`);
  }
  return url;
}

function isWebUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

function readKind(cell: Cell): Item['kind'] {
  const text = cell('kind')?.trim();
  if (text === undefined) return undefined;
  const kind = kinds.find((known) => known === text.toLowerCase());
  if (kind !== undefined) return kind;
  throw new CellFault(
    `kind: expected ${kinds.join(', ')}, found "${quote(text)}". Correct it or leave it empty.`,
  );
}

const imageList = z.array(z.string().trim().min(1)).max(10_000);

function readImages(cell: Cell): readonly string[] | undefined {
  const text = cell('images')?.trim();
  if (text === undefined) return undefined;
  const images = text.startsWith('[') ? parseImages(text) : text.split(/\s+/);
  const wrong = images.find((image) => !isWebUrl(image));
  if (wrong !== undefined) {
    const found = `found "${quoteLink(wrong)}"`;
    throw new CellFault(`images: expected http or https URLs, ${found}. Correct it.`);
  }
  return images.length === 0 ? undefined : images;
}

function parseImages(text: string): readonly string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const images = imageList.safeParse(json);
  if (images.success) return images.data;
  throw new CellFault('images: expected a JSON array of URLs, or URLs between white space. Correct it.');
}

function readEtag(cell: Cell): string | undefined {
  const etag = readPlain(cell, 'etag')?.replace(/^W\//, '').replaceAll('"', '');
  return etag === '' ? undefined : etag;
}

function readSize(cell: Cell): number | undefined {
  const text = cell('size')?.trim();
  if (text === undefined) return undefined;
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw new CellFault(`size: expected a whole number of bytes, found "${quote(text)}". Correct it.`);
}

/** 115 days: what is beyond is in milliseconds, or no length that a price could be computed of. */
const mostSeconds = 10_000_000;

function readDuration(cell: Cell): number | undefined {
  const text = cell('duration')?.trim();
  if (text === undefined) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= mostSeconds) return seconds;
  throw new CellFault(
    `duration: expected seconds such as 12.5, up to ${mostSeconds}, found "${quote(text)}". Correct it.`,
  );
}

const isoDate = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** A time without a zone is UTC: the zone of the machine that happens to run us must not matter. */
function readDate(cell: Cell): string | undefined {
  const text = cell('last_modified')?.trim();
  if (text === undefined) return undefined;
  const [, day, time = '00:00', zone = 'Z'] = isoDate.exec(text) ?? [];
  const colon = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const date = new Date(`${day}T${time}${colon}`);
  // A day such as 2026-02-30 would roll over into the next month.
  if (day !== undefined && isDay(day) && !Number.isNaN(date.getTime())) return date.toISOString();
  const found = `found "${quote(text)}"`;
  throw new CellFault(
    `last_modified: expected an ISO 8601 time such as 2026-11-20T02:00:00Z, ${found}. Correct it.`,
  );
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** As much of a cell as a message can show: a link that stands in the wrong column may be signed too. */
function quote(text: string): string {
  const open = redactLinks(text.slice(0, 2000));
  return open.length > 100 ? `${open.slice(0, 100)}...` : open;
}

/** What is no link shows no more than its beginning: what follows `?`, `&` or `=` may be a signature all the same. */
function quoteLink(text: string): string {
  return quote(safeUrl(text.split(/[?&#=]/, 1)[0] ?? ''));
}
