/** Lists a bucket page by page, and stops rather than believe a server whose listing cannot be right. */
import type { Item, SourcePage } from '../domain/item.ts';
import { kindOf } from '../domain/kind.ts';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import type { BucketSource } from '../domain/settings.ts';
import type { ListedObject, ListPage, ObjectStorage } from '../domain/storage.ts';
import type { Selection } from './select.ts';

/** Where a listing stands: the prefix by its place in their sorted row, and the last key that was yielded. */
interface Place {
  readonly prefix: number;
  readonly key: string;
}

/**
 * Lists every prefix one after another in the order of UTF-8 bytes, so that keys come sorted and each comes once.
 * A page's checkpoint lets a later session go on after its last key.
 *
 * @throws Stop with exit 3 where the server breaks the order, repeats a token, or cuts a page without a way on
 */
export async function* listBucket(
  source: BucketSource,
  selection: Selection,
  storage: ObjectStorage,
  checkpoint?: string,
): AsyncGenerator<SourcePage> {
  const prefixes = sortPrefixes(source.prefixes);
  const begin = readPlace(checkpoint, prefixes.length);
  for (let index = begin.prefix; index < prefixes.length; index += 1) {
    const after = index === begin.prefix ? begin.key : '';
    let last = after;
    for await (const page of listPrefix(source, prefixes[index] ?? '', after, storage)) {
      last = page.objects.at(-1)?.key ?? last;
      const isLast = !page.isTruncated && index === prefixes.length - 1;
      yield makePage(source, selection, page.objects, { prefix: index, key: last }, isLast);
    }
  }
}

/** Sorted by UTF-8 bytes; a prefix inside another is left out, because the other lists its keys already. */
export function sortPrefixes(prefixes: readonly string[]): readonly string[] {
  const sorted = [...prefixes].sort(compareKeys);
  const kept: string[] = [];
  for (const prefix of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}

async function* listPrefix(
  source: BucketSource,
  prefix: string,
  after: string,
  storage: ObjectStorage,
): AsyncGenerator<ListPage> {
  const { bucket } = source;
  const tokens = new Set<string>();
  let last = after;
  let token: string | undefined;
  do {
    const startAfter = after === '' || token !== undefined ? {} : { startAfter: after };
    const page = await storage.list({ storage: source.storage, bucket, prefix, token, ...startAfter });
    last = checkOrder(source, prefix, last, page.objects);
    checkTruncation(source, page, tokens, last);
    yield page;
    token = page.isTruncated ? page.nextToken : undefined;
  } while (token !== undefined);
}

function checkOrder(
  source: BucketSource,
  prefix: string,
  after: string,
  objects: readonly ListedObject[],
): string {
  let last = after;
  for (const { key } of objects) {
    if (!key.startsWith(prefix)) {
      throw distrust(source, `expected keys that begin with "${prefix}", found "${key}"`);
    }
    if (last !== '' && compareKeys(last, key) >= 0) {
      throw distrust(source, `expected a key after "${last}" in the order of UTF-8 bytes, found "${key}"`);
    }
    last = key;
  }
  return last;
}

function checkTruncation(source: BucketSource, page: ListPage, tokens: Set<string>, last: string): void {
  if (!page.isTruncated) return;
  const place = last === '' ? 'at the beginning' : `after "${last}"`;
  if (page.nextToken === undefined || page.nextToken === '') {
    throw distrust(source, `expected a continuation token ${place}, found a truncated page without one`);
  }
  if (page.objects.length === 0) {
    throw distrust(source, `expected keys ${place}, found an empty page that says more follow`);
  }
  if (tokens.has(page.nextToken)) {
    throw distrust(source, `expected a new continuation token ${place}, found one that was given before`);
  }
  tokens.add(page.nextToken);
}

function distrust(source: BucketSource, fault: string): Stop {
  const where = `storage "${source.storage}": listing bucket "${source.bucket}"`;
  const action = 'The listing would not be complete; run again, and report it to whoever runs the server.';
  return new Stop(exitCodes.halted, `${where}: the server's listing is faulty: ${fault}. ${action}`);
}

function makePage(
  source: BucketSource,
  selection: Selection,
  objects: readonly ListedObject[],
  place: Place,
  isLast: boolean,
): SourcePage {
  const items: Item[] = [];
  for (const object of objects) {
    const item = isMarker(object) ? undefined : makeItem(source, object);
    if (item && selection.isPathSelected(item) && selection.isSelected(item)) items.push(item);
  }
  const checkpoint = JSON.stringify([place.prefix, place.key]);
  return { items, unselected: objects.length - items.length, broken: [], checkpoint, isLast };
}

/** An empty object whose key ends in `/` stands for a folder in file browsers; it is no media. */
function isMarker(object: ListedObject): boolean {
  return object.sizeBytes === 0 && object.key.endsWith('/');
}

function makeItem({ storage, bucket }: BucketSource, object: ListedObject): Item {
  const { key } = object;
  return {
    id: `${bucket}/${key}`,
    position: Buffer.from(key, 'utf8'),
    kind: kindOf({ key }),
    object: { storage, bucket, key },
    bucket,
    key,
    etag: object.etag,
    sizeBytes: object.sizeBytes,
    lastModified: object.lastModified,
  };
}

/** By UTF-8 bytes: JavaScript's own order puts characters beyond the first 65,536 before some of those within. */
function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}

function readPlace(checkpoint: string | undefined, prefixes: number): Place {
  if (checkpoint === undefined) return { prefix: 0, key: '' };
  let place: unknown;
  try {
    place = JSON.parse(checkpoint);
  } catch {
    place = undefined;
  }
  const [prefix, key]: readonly unknown[] = Array.isArray(place) ? place : [];
  if (typeof prefix === 'number' && prefix >= 0 && prefix < prefixes && typeof key === 'string') {
    return { prefix, key };
  }
  throw wrongUse(
    `checkpoint "${checkpoint}": expected a prefix of this pipeline and a key. Start a new run.`,
  );
}
