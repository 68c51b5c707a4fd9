/** Where an item lies, as every table gives it: never a link that carries a signature, token or credential. */
import type { Item } from '../../domain/item.ts';
import { safeUrl } from '../../domain/link.ts';
import type { Column } from './column.ts';

/** The item's id; where the id is a link, what may be shown of it. */
export function readId(item: Item): string {
  return /^https?:/i.test(item.id) ? safeUrl(item.id) : item.id;
}

export function readBucket(item: Item): string | undefined {
  return item.object?.bucket ?? item.bucket;
}

export function readKey(item: Item): string | undefined {
  return item.object?.key ?? item.key;
}

/** The row's own URL, cut; items of a bucket have none. */
export function readUrl(item: Item): string | undefined {
  return item.url === undefined ? undefined : safeUrl(item.url);
}

/** `item,bucket,key,url`: the beginning of every table of items, tasks, labels and segments. */
export const addressColumns: readonly Column<Item>[] = [
  { name: 'item', kind: 'text', read: readId },
  { name: 'bucket', kind: 'text', read: readBucket },
  { name: 'key', kind: 'text', read: readKey },
  { name: 'url', kind: 'text', read: readUrl },
];
