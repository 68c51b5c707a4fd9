/** Objects read out of a listing's XML: the same as any reader of XML would find, or none at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanListing } from '../../src/wire/s3-contents.ts';

const object = (key: string, more = '') =>
  `<Contents><Key>${key}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>7</Size>${more}</Contents>`;
const page = (contents: string) =>
  `<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>media</Name>${contents}<IsTruncated>false</IsTruncated></ListBucketResult>`;

describe('scanning a listing', () => {
  it('takes the objects out and leaves the rest', () => {
    const owner = '<Owner><ID>x</ID><DisplayName>Key</DisplayName></Owner>';
    expect(scanListing(page(object('a&amp;b') + object('c', owner)))).toEqual({
      objects: [
        { key: 'a&b', sizeBytes: 7, etag: '"e1"', lastModified: '2026-11-01T00:00:00.000Z' },
        { key: 'c', sizeBytes: 7, etag: '"e1"', lastModified: '2026-11-01T00:00:00.000Z' },
      ],
      rest: page(''),
    });
  });

  it('reads back every key that was escaped in any of the ways of XML', () => {
    const escapes = [
      (character: string) => `&#${character.codePointAt(0)};`,
      (character: string) => `&#x${character.codePointAt(0)?.toString(16)};`,
      (character: string) =>
        ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' })[character] ?? character,
    ] as const;
    const character = fc.constantFrom(
      'a',
      ' ',
      '&',
      '<',
      '>',
      '"',
      "'",
      ';',
      '#',
      'amp;',
      '\r',
      '\t',
      '猫',
      '😀',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(character, fc.constantFrom(0, 1, 2)), { minLength: 1 }), (parts) => {
        const written = parts.flatMap(([text, how]) => Array.from(text).map((one) => escapes[how]?.(one)));
        const [found] = scanListing(page(object(written.join(''))))?.objects ?? [];
        expect(found?.key).toBe(parts.map(([text]) => text).join(''));
      }),
    );
  });

  it('keeps spaces around a key, and words that look like entities but are none', () => {
    expect(scanListing(page(object('  a &nbsp; &#x110000; ')))?.objects[0]?.key).toBe(
      '  a &nbsp; &#x110000; ',
    );
  });

  it.each([
    ['in whole seconds', '2026-11-01T08:00:00+08:00', '2026-11-01T00:00:00.000Z'],
    ['that is none', 'yesterday', undefined],
  ])('writes a time %s as we do', (_, written, expected) => {
    const xml = page(object('a').replace('2026-11-01T00:00:00.000Z', written));
    expect(scanListing(xml)?.objects[0]?.lastModified).toBe(expected);
  });

  it.each([
    ['no listing', '<Error><Code>NoSuchBucket</Code></Error>'],
    ['a web page', '<html><Contents></html>'],
    ['text in CDATA', page(object('<![CDATA[a<b]]>'))],
    ['a comment', page(`<!-- ${object('a')} -->`)],
    ['an attribute', page(object('a') + object('b').replace('<Contents>', '<Contents x="1">'))],
    ['an object without a size', page(object('a').replace('<Size>7</Size>', ''))],
    ['a size that is no number', page(object('a').replace('>7<', '>seven<'))],
    ['an object that does not end', page(object('a').replace('</Contents>', ''))],
    ['a key that does not end', page(object('a').replace('</Key>', ''))],
  ])('leaves %s to the SDK', (_, xml) => {
    expect(scanListing(xml)).toBeUndefined();
  });
});
