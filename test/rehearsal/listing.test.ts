/** Listing held against the plainest way to say the same: sort all keys, filter, roll up, cut. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listObjects, type ListingRequest, readListing } from '../../src/rehearsal/listing.ts';
import { isRefusal } from '../../src/rehearsal/refusal.ts';
import { openShelf, type StoredObject } from '../../src/rehearsal/shelf.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';

const whole: ListingRequest = {
  prefix: '',
  delimiter: '',
  startAfter: '',
  maxKeys: 1000,
  isUrlEncoded: false,
};
const compareBytes = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));

async function shelve(keys: readonly string[]): Promise<readonly StoredObject[]> {
  const shelf = await openShelf(makeMemoryVault());
  await shelf.addBucket('media', 0);
  for (const key of keys) await shelf.put('media', key, Buffer.of(1), { lastModifiedMs: 0 });
  return shelf.listObjects('media');
}

/** All pages one after the other: keys and common prefixes as they came. */
function listAll(
  objects: readonly StoredObject[],
  request: ListingRequest,
): { names: string[]; pages: number } {
  const names: string[] = [];
  let token: string | undefined;
  let pages = 0;
  do {
    const page = listObjects('media', objects, { ...request, token });
    if (isRefusal(page)) throw new Error(page.message);
    const keys = (page['Contents'] as { Key: string }[]).map((object) => object.Key);
    const prefixes = (page['CommonPrefixes'] as { Prefix: string }[]).map((entry) => entry.Prefix);
    expect(page['KeyCount']).toBe(keys.length + prefixes.length);
    names.push(...[...keys, ...prefixes].toSorted(compareBytes));
    token = page['NextContinuationToken'] as string | undefined;
    expect(page['IsTruncated']).toBe(token !== undefined);
    pages += 1;
  } while (token !== undefined && pages < 1000);
  return { names, pages };
}

function expectNames(keys: readonly string[], { prefix, delimiter, startAfter }: ListingRequest): string[] {
  const rolled = keys
    .filter((key) => key.startsWith(prefix) && (startAfter === '' || compareBytes(key, startAfter) > 0))
    .map((key) => {
      const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      return cut < 0 ? key : key.slice(0, cut + delimiter.length);
    });
  return [...new Set(rolled)].toSorted(compareBytes);
}

const part = fc.constantFrom('a', 'b', '/', '//', '+', '%', ' ', '好', '😀', '\uffee', '\u0001', 'é');
const text = (most: number): fc.Arbitrary<string> =>
  fc.array(part, { maxLength: most }).map((parts) => parts.join(''));

it('pages of any size bring what sorting, filtering and rolling up all keys bring', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(
        text(5).filter((key) => key !== ''),
        { maxLength: 40 },
      ),
      text(2),
      fc.constantFrom('', '/', '//', '好', 'a'),
      text(3),
      fc.integer({ min: 1, max: 12 }),
      async (keys, prefix, delimiter, startAfter, maxKeys) => {
        const request = { ...whole, prefix, delimiter, startAfter, maxKeys };
        const expected = expectNames(keys, request);
        const { names, pages } = listAll(await shelve(keys), request);
        expect(names).toEqual(expected);
        expect(pages).toBe(Math.max(1, Math.ceil(expected.length / maxKeys)));
      },
    ),
    { numRuns: 300 },
  );
});

it('no keys asked for is an empty page that ends the listing', async () => {
  const page = listObjects('media', await shelve(['a', 'b']), { ...whole, maxKeys: 0 });
  expect(page).toMatchObject({
    KeyCount: 0,
    IsTruncated: false,
    Contents: [],
    NextContinuationToken: undefined,
  });
});

it('url encoding covers keys, prefixes, delimiter and start', async () => {
  const page = listObjects('media', await shelve(['好 +/a', '好 %']), {
    ...whole,
    prefix: '好 ',
    delimiter: '/',
    startAfter: '好 ',
    isUrlEncoded: true,
  });
  expect(page).toMatchObject({
    Prefix: '%E5%A5%BD%20',
    StartAfter: '%E5%A5%BD%20',
    Delimiter: '/',
    EncodingType: 'url',
    Contents: [{ Key: '%E5%A5%BD%20%25' }],
    CommonPrefixes: [{ Prefix: '%E5%A5%BD%20%2B/' }],
  });
});

it.each<[Record<string, string>, string, string]>([
  [{}, 'NotImplemented', 'Only list-type=2 is implemented.'],
  [{ 'list-type': '1' }, 'NotImplemented', 'Only list-type=2 is implemented.'],
  [
    { 'list-type': '2', 'max-keys': 'x' },
    'InvalidArgument',
    'Provided max-keys not an integer or within integer range',
  ],
  [
    { 'list-type': '2', 'max-keys': '-1' },
    'InvalidArgument',
    'Provided max-keys not an integer or within integer range',
  ],
  [
    { 'list-type': '2', 'encoding-type': 'xml' },
    'InvalidArgument',
    'Invalid Encoding Method specified in Request',
  ],
])('%j is refused as %s', (query, refused, message) => {
  expect(readListing(new Map(Object.entries(query)))).toEqual({ refused, message, details: {} });
});

it.each([
  [undefined, undefined, 1000],
  ['5', undefined, 5],
  ['5000', undefined, 1000],
  ['50', 7, 7],
  [undefined, 7, 7],
])('max-keys %j under the cap %j lists %d at a time', (maxKeys, cap, expected) => {
  const query = new Map(
    Object.entries({ 'list-type': '2', ...(maxKeys === undefined ? {} : { 'max-keys': maxKeys }) }),
  );
  expect(readListing(query, cap)).toMatchObject({ maxKeys: expected });
});

it('a token that is none of ours is refused', async () => {
  const objects = await shelve(['a']);
  for (const token of ['', 'x', Buffer.from('key:').toString('base64url')]) {
    const page = listObjects('media', objects, { ...whole, token });
    expect(isRefusal(page) && page.message).toBe('The continuation token provided is incorrect');
  }
});
