/** Lists a bucket page by page, and stops rather than believe a server whose listing cannot be right. */
import type { Item, SourcePage } from '../domain/item.ts';
import { kindOf } from '../domain/kind.ts';
import { type Log, silentLog } from '../domain/log.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { BucketSource } from '../domain/settings.ts';
import type { ListedObject, ObjectStorage } from '../domain/storage.ts';
import { compareKeys } from '../domain/key-order.ts';
import { type Listed, listObjects } from './listing/list-objects.ts';
import { ListingFault } from './listing/list-page.ts';
import { readPlace, writePlace } from './listing/place.ts';
import { isKindHidden, makeKindReader } from './content-type.ts';
import type { Selection } from './select.ts';

export interface BucketTools {
  readonly selection: Selection;
  readonly storage: Pick<ObjectStorage, 'list' | 'head'>;
  readonly log?: Log | undefined;
}

/**
 * Lists every key under the prefixes once: in the order of UTF-8 bytes where one listing goes on at a time, by ranges
 * whose pages mingle where several do, and as the server has them where it orders keys in a way of its own: everything
 * comes anew then. A page's checkpoint lets a later session list what was not yielded.
 *
 * @throws Stop with exit 3 where the server repeats a token, or cuts a page without a way on
 */
export async function* listBucket(
  source: BucketSource,
  { selection, storage, log = silentLog }: BucketTools,
  checkpoint?: string,
): AsyncGenerator<SourcePage> {
  const prefixes = sortPrefixes(source.prefixes);
  const place = readPlace(checkpoint, prefixes.length);
  const readKind = makeKindReader(storage, log);
  try {
    for await (const listed of listObjects({ source, prefixes, storage, log }, place)) {
      yield await makePage(source, selection, listed, readKind);
    }
  } catch (error) {
    throw error instanceof ListingFault ? distrust(source, error.message) : error;
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

function distrust(source: BucketSource, fault: string): Stop {
  const where = `storage "${source.storage}": listing bucket "${source.bucket}"`;
  const action =
    'The listing would not be complete, and running again brings the same: use an S3 Inventory or another manifest of the bucket as the source, or have the server mended.';
  return new Stop(exitCodes.halted, `${where}: the server's listing is faulty: ${fault}. ${action}`);
}

async function makePage(
  source: BucketSource,
  selection: Selection,
  { objects, place, isLast, anew }: Listed,
  readKind: (item: Item) => Promise<Item>,
): Promise<SourcePage> {
  const wanted: Promise<Item>[] = [];
  for (const object of objects) {
    const item = isMarker(object) ? undefined : makeItem(source, object);
    if (item === undefined || !selection.isPathSelected(item) || !selection.mayBeSelected(item)) continue;
    wanted.push(selection.wantsMedia && isKindHidden(item) ? readKind(item) : Promise.resolve(item));
  }
  const items = (await Promise.all(wanted)).filter((item) => selection.isSelected(item));
  return {
    items,
    unselected: objects.length - items.length,
    broken: [],
    checkpoint: writePlace(place),
    isLast,
    ...(anew && { anew }),
  };
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
