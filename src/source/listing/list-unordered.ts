/** Lists a bucket whose server orders keys in a way of its own: by its tokens alone, from the beginning, order not asked for. */
import type { BucketSource } from '../../domain/settings.ts';
import type { ListPage } from '../../domain/storage.ts';
import type { Listed, ListingParts } from './list-objects.ts';
import { checkPrefix, checkTruncation, ListingFault } from './list-page.ts';
import type { Place } from './place.ts';

/** Nothing is known of what was yielded: every key counts from the beginning again, and again in a later session. */
const place: Place = { open: [], next: 0, isUnordered: true };

/**
 * Every object under the prefixes as the server orders them. What an earlier listing yielded comes again: the first page
 * is marked, so that counts begin anew.
 *
 * @throws ListingFault for a key beside the prefix or twice on a page, a token that was given before, a page that is
 * empty but not the last, or not the last but without a token
 */
export async function* listUnordered({ storage, source, prefixes }: ListingParts): AsyncGenerator<Listed> {
  let anew: Listed['anew'] = 'first';
  for (const [index, prefix] of prefixes.entries()) {
    const tokens = new TokenWatch();
    for (let token: string | undefined, isOver = false; !isOver; ) {
      const page = await storage.list(ask(source, prefix, token));
      checkPage(prefix, page, tokens);
      token = page.nextToken;
      isOver = !page.isTruncated;
      const { objects } = page;
      yield { objects, place, isLast: isOver && index === prefixes.length - 1, anew };
      anew = 'later';
    }
  }
}

function ask({ storage, bucket }: BucketSource, prefix: string, token: string | undefined) {
  return { storage, bucket, prefix, token };
}

function checkPage(prefix: string, page: ListPage, tokens: TokenWatch): void {
  const keys = new Set<string>();
  for (const { key } of page.objects) {
    checkPrefix(prefix, key);
    if (keys.has(key)) throw new ListingFault(`expected every key once, found "${key}" twice on a page`);
    keys.add(key);
  }
  const last = page.objects.at(-1)?.key ?? '';
  checkTruncation(page, undefined, last);
  if (page.isTruncated && tokens.isRepeated(page.nextToken ?? '')) {
    throw new ListingFault(
      `expected a new continuation token after "${last}", found one that was given before`,
    );
  }
}

/**
 * Notices tokens that go round in a circle, however long, and remembers one of them: the one whose number is the last
 * power of two (R. P. Brent, "An improved Monte Carlo factorization algorithm", BIT 20, 1980).
 */
class TokenWatch {
  #kept: string | undefined;
  #seen = 0;
  #until = 1;

  isRepeated(token: string): boolean {
    if (token === this.#kept) return true;
    this.#seen += 1;
    if (this.#seen < this.#until) return false;
    this.#kept = token;
    this.#until *= 2;
    return false;
  }
}
