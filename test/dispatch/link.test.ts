/** Links that vendors fetch media by: every key arrives as it is, and private ones are signed as their vendor says. */
import { describe, expect, it } from 'vitest';
import { explainNoLink, makeLinker } from '../../src/dispatch/link.ts';
import type { Item } from '../../src/domain/item.ts';
import type { AccessSettings, Account } from '../../src/domain/settings.ts';
import { qiniu } from '../../src/vendors/qiniu/index.ts';
import { strangeKeys } from '../support/strange-keys.ts';

const refuse = () => Promise.reject(new Error('nothing of a storage is asked for'));
const storage = { sign: refuse, head: refuse, read: refuse };
const clock = { now: () => 1_451_487_600_999 };
/** The link, where one could be made. */
const linkTo = async (made: ReturnType<ReturnType<typeof makeLinker>>) => {
  const link = await made;
  if (!link || 'trouble' in link) throw new Error('no link was made');
  return link;
};
const makeItem = (facts: Partial<Item>): Item => ({
  id: 'i',
  position: new Uint8Array(),
  kind: 'image',
  ...facts,
});
const account: Account = {
  name: 'qiniu-prod',
  vendor: qiniu,
  endpoint: 'https://ai.example',
  credentials: { accessKey: 'MY_ACCESS_KEY', secretKey: 'MY_SECRET_KEY' },
  limits: { concurrency: 1, perSecond: 1, maxOpenJobs: 1 },
  billing: {},
  booking: { refused: 'free', modelFailed: 'billed', failedJob: 'billed' },
  assume: {},
  returnsEmptyFrames: false,
  isLoopback: false,
};
const access = {
  mode: 'qiniu-private',
  baseUrl: 'http://78re52.com1.z0.glb.clouddn.com/',
  account,
  expiresInSeconds: 3600,
} as const;

describe('a public link', () => {
  const link = makeLinker({ mode: 'public', baseUrl: 'https://cdn.example/media/' }, storage, clock);

  it.each(strangeKeys)('to %j leads to that key and nothing else', async (key) => {
    const signed = await linkTo(link(makeItem({ key })));
    const url = new URL(signed.url);
    expect(decodeURIComponent(url.pathname)).toBe(`/media/${key}`);
    expect([url.origin, url.search, url.hash]).toEqual(['https://cdn.example', '', '']);
    expect(signed.url).toMatch(/^[\x21-\x7e]+$/);
    expect(signed.expiresAt).toBeUndefined();
  });
});

describe('a key that no URL can carry', () => {
  const modes: readonly AccessSettings[] = [
    { mode: 'public', baseUrl: 'https://cdn.example/' },
    { mode: 'presigned', expiresInSeconds: 60 },
  ];

  it.each(modes)('has no link by access $mode, since that would lead to another object', (access) => {
    for (const key of ['a/../b.jpg', './b.jpg', '..', 'a/./b.jpg', 'a/..']) {
      expect(explainNoLink(makeItem({ key, object: { storage: 's', bucket: 'b', key } }), access)).toBe(
        'no-link: a part of its key is "." or "..", which readers of URLs take out: the link would lead to another object',
      );
    }
    for (const key of ['..jpg', 'a/..b', 'a/b..', '.hidden/c.jpg', '...']) {
      expect(
        explainNoLink(makeItem({ key, object: { storage: 's', bucket: 'b', key } }), access),
      ).toBeUndefined();
    }
  });

  it('goes inside the call all the same', () => {
    const object = { storage: 's', bucket: 'b', key: 'a/../b.jpg' };
    expect(explainNoLink(makeItem({ key: object.key, object }), { mode: 'inline' })).toBeUndefined();
  });
});

describe('a private link of Qiniu', () => {
  it('is the one of the published example', async () => {
    const signed = await makeLinker(access, storage, { now: () => 1_451_487_600_999 })(
      makeItem({ key: 'resource/flower.jpg' }),
    );
    expect(signed).toEqual({
      url: 'http://78re52.com1.z0.glb.clouddn.com/resource/flower.jpg?e=1451491200&token=MY_ACCESS_KEY:438dd8pXocjYuF-6dTcKMtETB2g=',
      expiresAt: 1_451_491_200_000,
    });
  });

  it.each(strangeKeys)('to %j leads to that key, its token last', async (key) => {
    const signed = await linkTo(makeLinker(access, storage, clock)(makeItem({ key })));
    const url = new URL(signed.url);
    expect(decodeURIComponent(url.pathname)).toBe(`/${key}`);
    expect(url.search).toMatch(/^\?e=1451491200&token=MY_ACCESS_KEY:[\w-]{27}=$/);
  });

  it('is made for rows with a key, and a row with a URL keeps that', async () => {
    expect(explainNoLink(makeItem({ key: 'a' }), access)).toBeUndefined();
    expect(explainNoLink(makeItem({}), access)).toMatch(/^no-link: /);
    const link = makeLinker(access, storage, clock);
    expect(await link(makeItem({ key: 'a', url: 'https://h/a.jpg' }))).toEqual({ url: 'https://h/a.jpg' });
  });
});
