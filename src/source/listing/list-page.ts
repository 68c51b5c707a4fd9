/** One page of a listing, believed only if it can be right. */
import type { BucketSource } from '../../domain/settings.ts';
import type { ListPage, ListRequest, ObjectStorage } from '../../domain/storage.ts';
import { compareKeys } from '../../domain/key-order.ts';

/** What a server's listing cannot be; what was listed before it stands. */
export class ListingFault extends Error {}

/** Keys in another order than that of UTF-8 bytes; the server may list them all the same. */
export class OrderFault extends ListingFault {}

/** The key that a range ends at did not come where another listing had found it: the order is another, or the key is gone. */
export class BorderFault extends OrderFault {
  /** The key that was expected, and the one that came in its place, which lies behind it. */
  readonly border: string;
  readonly found: string;

  constructor(border: string, found: string, after: string) {
    super(
      `expected key "${border}" next after "${after}", where another listing had found it, found "${found}"`,
    );
    this.border = border;
    this.found = found;
  }
}

export interface PageRequest {
  readonly prefix: string;
  /** The last key before this page; empty at the beginning. */
  readonly after: string;
  readonly token?: string | undefined;
}

/**
 * Asks for the page behind a key or a token.
 *
 * @throws ListingFault where the page breaks the order of UTF-8 bytes, repeats its token, is empty but not the last, or
 * is not the last but has no token. A token of an earlier page brings keys again, and so breaks the order.
 */
export async function listPage(
  storage: Pick<ObjectStorage, 'list'>,
  { storage: name, bucket }: BucketSource,
  { prefix, after, token }: PageRequest,
): Promise<ListPage> {
  const from = after === '' || token !== undefined ? {} : { startAfter: after };
  const request: ListRequest = { storage: name, bucket, prefix, token, ...from };
  const page = await storage.list(request);
  const last = checkOrder(prefix, after, page);
  checkTruncation(page, token, last);
  return page;
}

function checkOrder(prefix: string, after: string, page: ListPage): string {
  let last = after;
  for (const { key } of page.objects) {
    checkPrefix(prefix, key);
    if (last !== '' && compareKeys(last, key) >= 0) {
      throw new OrderFault(`expected a key after "${last}" in the order of UTF-8 bytes, found "${key}"`);
    }
    last = key;
  }
  return last;
}

export function checkPrefix(prefix: string, key: string): void {
  if (key.startsWith(prefix)) return;
  throw new ListingFault(`expected keys that begin with "${prefix}", found "${key}"`);
}

export function checkTruncation(page: ListPage, token: string | undefined, last: string): void {
  if (!page.isTruncated) return;
  const place = last === '' ? 'at the beginning' : `after "${last}"`;
  if (page.nextToken === undefined || page.nextToken === '') {
    throw new ListingFault(`expected a continuation token ${place}, found a truncated page without one`);
  }
  if (page.objects.length === 0) {
    throw new ListingFault(`expected keys ${place}, found an empty page that says more follow`);
  }
  if (page.nextToken === token) {
    throw new ListingFault(`expected a new continuation token ${place}, found one that was given before`);
  }
}
