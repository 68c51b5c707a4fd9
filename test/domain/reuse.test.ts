import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Item } from '../../src/domain/item.ts';
import {
  attemptRef,
  canonicalOptions,
  contentIdOf,
  type ReuseParts,
  reuseKeyOf,
} from '../../src/domain/reuse.ts';

function makeItem(item: Partial<Item>): Item {
  return { id: 'row-1', position: new Uint8Array(), kind: 'image', ...item };
}

function makeObject(key: string, item: Partial<Item> = {}): Item {
  return makeItem({ object: { storage: 'main', bucket: 'media', key }, ...item });
}

const facts = { etag: '"d41d8cd9"', sizeBytes: 10 };
const link = 'https://cdn.example/a.jpg';

describe('the identity of content', () => {
  it.each<[string, Item, Item]>([
    ['a renamed object', makeObject('a.jpg', facts), makeObject('b.jpg', facts)],
    ['a copy in another bucket', makeObject('a', facts), makeItem({ bucket: 'x', key: 'b', ...facts })],
    [
      'a quoted and a bare etag',
      makeObject('a', facts),
      makeObject('a', { etag: 'd41d8cd9', sizeBytes: 10 }),
    ],
    ['a URL row of the same etag and size', makeObject('a', facts), makeItem({ url: link, ...facts })],
    [
      'a link signed anew',
      makeItem({ url: `${link}?v=1&X-Amz-Signature=1` }),
      makeItem({ url: `${link}?v=1&X-Amz-Signature=2` }),
    ],
    ['rows with another id', makeItem({ id: 'a', url: link }), makeItem({ id: 'b', url: link })],
    ['an empty etag and none', makeItem({ url: link, etag: '', sizeBytes: 1 }), makeItem({ url: link })],
    ['a row that has object and URL but no etag', makeObject('a', { url: link }), makeItem({ url: link })],
    [
      'a version in either place',
      makeItem({ object: { storage: 'main', bucket: 'media', key: 'a', version: '2' } }),
      makeObject('a', { version: '2' }),
    ],
  ])('is one for %s', (_, a, b) => {
    expect(contentIdOf(a, 'content')).toBe(contentIdOf(b, 'content'));
  });

  it.each<[string, Item, Item]>([
    ['another etag', makeObject('a', facts), makeObject('a', { ...facts, etag: '"0"' })],
    ['a weak etag', makeObject('a', facts), makeObject('a', { ...facts, etag: 'W/"d41d8cd9"' })],
    ['another size', makeObject('a', facts), makeObject('a', { ...facts, sizeBytes: 11 })],
    ['another URL', makeItem({ url: link }), makeItem({ url: `${link}?v=2` })],
    [
      'another version of a URL',
      makeItem({ url: link, version: '1' }),
      makeItem({ url: link, version: '2' }),
    ],
    ['another key without etag', makeObject('a', { sizeBytes: 1 }), makeObject('b', { sizeBytes: 1 })],
    ['another size without etag', makeObject('a', { sizeBytes: 1 }), makeObject('a', { sizeBytes: 2 })],
    [
      'another storage without etag',
      makeObject('a'),
      makeItem({ object: { storage: 'other', bucket: 'media', key: 'a' } }),
    ],
    ['an etag of unknown size', makeObject('a', { etag: '"1"' }), makeObject('b', { etag: '"1"' })],
    ['rows that are known by their id alone', makeItem({ id: 'a' }), makeItem({ id: 'b' })],
    [
      'a slash that stands elsewhere',
      makeItem({ bucket: 'a/b', key: 'c' }),
      makeItem({ bucket: 'a', key: 'b/c' }),
    ],
  ])('differs by %s', (_, a, b) => {
    expect(contentIdOf(a, 'content')).not.toBe(contentIdOf(b, 'content'));
  });

  it('by path goes by the address and version, whatever the content', () => {
    const id = contentIdOf(makeObject('a', facts), 'path');
    expect(contentIdOf(makeObject('a', { etag: '"0"', sizeBytes: 99 }), 'path')).toBe(id);
    expect(contentIdOf(makeObject('a', { ...facts, url: link }), 'path')).toBe(id);
    expect(contentIdOf(makeObject('b', facts), 'path')).not.toBe(id);
    expect(contentIdOf(makeObject('a', { ...facts, version: '2' }), 'path')).not.toBe(id);
  });

  it('by path of a URL goes by the URL without its signature', () => {
    const id = contentIdOf(makeItem({ url: link, ...facts }), 'path');
    expect(contentIdOf(makeItem({ url: `${link}?e=1&token=t` }), 'path')).toBe(id);
    expect(contentIdOf(makeItem({ url: `${link}?v=2` }), 'path')).not.toBe(id);
  });

  describe('of a post', () => {
    const post = makeItem({
      kind: 'post',
      text: 'look',
      title: 'cat',
      images: [`${link}?e=1&token=a`, 'https://cdn.example/b.jpg'],
      videoUrl: 'https://cdn.example/c.mp4?X-Amz-Signature=1',
    });

    it('is the same when its media are signed anew, by content and by path', () => {
      const again = {
        ...post,
        id: 'row-2',
        images: [`${link}?e=2&token=b`, 'https://cdn.example/b.jpg'],
        videoUrl: 'https://cdn.example/c.mp4?X-Amz-Signature=2',
      };
      expect(contentIdOf(again, 'content')).toBe(contentIdOf(post, 'content'));
      expect(contentIdOf(again, 'path')).toBe(contentIdOf(post, 'path'));
    });

    it.each<[string, Partial<Item>]>([
      ['text', { text: 'Look' }],
      ['title', { title: undefined }],
      ['images', { images: [link] }],
      ['order of images', { images: [...(post.images ?? [])].reverse() }],
      ['video', { videoUrl: undefined }],
    ])('differs by its %s', (_, change) => {
      expect(contentIdOf({ ...post, ...change }, 'content')).not.toBe(contentIdOf(post, 'content'));
    });
  });

  it('shows nothing of a link', () => {
    const id = contentIdOf(makeItem({ url: `${link}?token=5ec3e7` }), 'content');
    expect(id).toMatch(/^[\w-]{22}$/);
  });
});

describe('canonical options', () => {
  const label = z.strictObject({ label: z.string(), score: z.number().default(0.5) });
  const shape = z.strictObject({
    tag_top_k: z.number().int().min(1).max(10).default(5).describe('how many labels'),
    save: z.strictObject({ bucket: z.string(), prefix: z.string().default('') }).optional(),
    vframe: z.strictObject({ mode: z.number().default(1), interval: z.number().default(5) }).prefault({}),
    ops: z.array(z.strictObject({ op: z.string(), labels: z.array(label).default([]) })).optional(),
    lists: z.array(z.string()).default(['a', 'b']),
    mixed: z
      .discriminatedUnion('is', [
        z.strictObject({ is: z.literal('a'), n: z.number().default(1) }),
        z.strictObject({ is: z.literal('b'), n: z.number().default(2) }),
      ])
      .optional(),
    maybe: z
      .strictObject({ n: z.number().default(1), at: z.string() })
      .nullable()
      .optional(),
    anything: z.custom<number>((value) => typeof value === 'number').optional(),
    named: label.meta({ id: 'a named shape' }).optional(),
  });

  it.each<[unknown, string]>([
    [{}, '{}'],
    [undefined, '{}'],
    [{ tag_top_k: 5 }, '{}'],
    [{ tag_top_k: 6 }, '{"tag_top_k":6}'],
    [{ vframe: { mode: 1, interval: 5 } }, '{}'],
    [{ vframe: { interval: 9, mode: 1 } }, '{"vframe":{"interval":9}}'],
    [{ vframe: { interval: 9, mode: 0 } }, '{"vframe":{"interval":9,"mode":0}}'],
    [{ save: { prefix: '', bucket: 'b' } }, '{"save":{"bucket":"b"}}'],
    [{ save: undefined }, '{}'],
    [{ ops: [{ op: 'pulp', labels: [] }, { op: 'terror' }] }, '{"ops":[{"op":"pulp"},{"op":"terror"}]}'],
    [
      { ops: [{ labels: [{ score: 0.5, label: 'x' }], op: 'pulp' }] },
      '{"ops":[{"labels":[{"label":"x"}],"op":"pulp"}]}',
    ],
    [{ lists: ['a', 'b'] }, '{}'],
    [{ lists: ['b', 'a'] }, '{"lists":["b","a"]}'],
    [{ mixed: { is: 'b', n: 2 } }, '{"mixed":{"is":"b"}}'],
    [{ mixed: { is: 'b', n: 1 } }, '{"mixed":{"is":"b","n":1}}'],
    [{ maybe: null }, '{"maybe":null}'],
    [{ maybe: { n: 1, at: 'x' } }, '{"maybe":{"at":"x"}}'],
    [{ anything: 3 }, '{"anything":3}'],
    [{ named: { label: 'x', score: 0.5 } }, '{"named":{"label":"x"}}'],
  ])('of %j are %s', (options, canonical) => {
    expect(canonicalOptions(shape, options)).toBe(canonical);
  });

  it('are the same whether a default is written out or filled in', () => {
    const written = { vframe: { interval: 5 }, ops: [{ op: 'pulp' }], mixed: { is: 'a' } };
    expect(canonicalOptions(shape, shape.parse(written))).toBe(canonicalOptions(shape, written));
  });

  it('do not depend on the order of keys, and differ where an option does', () => {
    const loose = z.record(z.string(), z.json());
    const value = fc.oneof(fc.integer(), fc.string(), fc.boolean());
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), (options) => {
        const reversed = Object.fromEntries(Object.entries(options).reverse());
        expect(canonicalOptions(loose, reversed)).toBe(canonicalOptions(loose, options));
        expect(canonicalOptions(loose, { ...options, other: null })).not.toBe(
          canonicalOptions(loose, options),
        );
      }),
    );
  });
});

describe('reuse keys', () => {
  const parts: ReuseParts = {
    contentId: 'c',
    service: 'pai/image-quality',
    options: '{}',
    model: '',
    title: 't',
    scope: 's',
  };

  it('are 22 characters that fit into a file name', () => {
    expect(reuseKeyOf(parts)).toMatch(/^[\w-]{22}$/);
    expect(reuseKeyOf({ ...parts })).toBe(reuseKeyOf(parts));
  });

  it.each<[string, Partial<ReuseParts>]>([
    ['content', { contentId: 'd' }],
    ['service', { service: 'pai/face-age' }],
    ['options', { options: '{"a":1}' }],
    ['model', { model: 'mine' }],
    ['title', { title: 'u' }],
    ['no title', { title: undefined }],
    ['an empty title', { title: '' }],
    ['scope', { scope: 'z' }],
    ['no scope', { scope: undefined }],
  ])('differ by %s', (_, change) => {
    expect(reuseKeyOf({ ...parts, ...change })).not.toBe(reuseKeyOf(parts));
  });

  it('never mistake one part for another', () => {
    const five = fc.tuple(fc.string(), fc.string(), fc.string(), fc.string(), fc.option(fc.string()));
    const keyOf = ([contentId, service, options, model, title]: [
      string,
      string,
      string,
      string,
      string | null,
    ]) => reuseKeyOf({ contentId, service, options, model, title: title ?? undefined });
    fc.assert(
      fc.property(five, five, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    expect(keyOf(['a', 'bc', '', '', null])).not.toBe(keyOf(['ab', 'c', '', '', null]));
  });

  it('do not change from one version to the next, or everything would be paid for again', () => {
    expect(reuseKeyOf(parts)).toBe('xNcoX2OG_AkOfOHose6n1M');
    expect(contentIdOf(makeObject('a', facts), 'content')).toBe('zJHWcnBRYTHvsrIopzuBZ3');
    expect(attemptRef('qiniu-prod', 'key', 1)).toBe('0d8700468d11b6a522439e4f59be4f0c');
  });
});

describe('references of attempts', () => {
  it('are 32 hex digits of account, key and number', () => {
    const ref = attemptRef('qiniu-prod', 'key', 1);
    expect(ref).toMatch(/^[\da-f]{32}$/);
    const others = [
      attemptRef('qiniu-prod', 'key', 2),
      attemptRef('qiniu-prod', 'kez', 1),
      attemptRef('qiniu-test', 'key', 1),
      attemptRef('qiniu-prodkey', '', 1),
    ];
    expect(new Set([ref, ...others]).size).toBe(5);
  });
});
