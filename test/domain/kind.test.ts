import { describe, expect, it } from 'vitest';
import { extensionOf, kindOf } from '../../src/domain/kind.ts';

describe('extensionOf', () => {
  it.each([
    ['ugc/a.JPG', 'jpg'],
    ['a.tar.gz', 'gz'],
    ['folder.v2/name', ''],
    ['.jpg', ''],
    ['folder/.mp4', ''],
    ['视频/片段.MP4', 'mp4'],
    ['what?.png', 'png'],
    ['a key may hold ? and end in.jpg?x.mp4', 'mp4'],
    ['https://cdn.example/a/b.WebP?e=1&token=x.mp4', 'webp'],
    ['https://cdn.example/a%2Emp4', 'mp4'],
    ['https://cdn.example/a.mp4#t=1.5', 'mp4'],
    ['https://cdn.example', ''],
    ['https://cdn.example/%E4%zz.jpg', 'jpg'],
  ])('of %s is "%s"', (name, extension) => {
    expect(extensionOf(name)).toBe(extension);
  });
});

describe('kindOf', () => {
  it.each([
    ['the kind that the row states goes first', { kind: 'image', text: 'words', key: 'a.mp4' }, 'image'],
    ['text makes a post', { text: 'words', url: 'https://h/a.mp4' }, 'post'],
    ['images make a post', { images: ['https://h/a.jpg'], key: 'a.mp4' }, 'post'],
    ['a video URL makes a post', { videoUrl: 'https://h/a.mp4' }, 'post'],
    ['empty text and no images make none', { text: '', images: [], key: 'a.mp4' }, 'video'],
    [
      'the extension of the URL goes before that of the key',
      { url: 'https://h/a.png', key: 'a.mp4' },
      'image',
    ],
    ['the key tells where the URL does not', { url: 'https://h/fetch?id=1', key: 'a.mp4' }, 'video'],
    ['the extension goes before the type', { key: 'a.mov', contentType: 'image/png' }, 'video'],
    ['the type tells where no extension does', { key: 'a', contentType: 'Image/JPEG; q=1' }, 'image'],
    ['a video type makes a video', { key: 'a.bin', contentType: 'video/mp4' }, 'video'],
    ['a drawing is no image', { key: 'a.svg', contentType: 'image/svg+xml' }, undefined],
    ['a playlist is no video', { key: 'a.m3u8' }, undefined],
    ['an unknown kind is passed over', { kind: 'audio', key: 'a.jpg' }, 'image'],
    ['nothing tells nothing', {}, undefined],
  ])('%s', (_, facts, kind) => {
    expect(kindOf(facts)).toBe(kind);
  });

  it.each([
    'png',
    'jpg',
    'jpeg',
    'bmp',
    'webp',
    'tif',
    'tiff',
    'gif',
  ])('takes %s, which Qiniu names, for an image', (extension) => {
    expect(kindOf({ key: `a.${extension}` })).toBe('image');
  });

  it.each([
    'mp4',
    'flv',
    'mov',
    'avi',
    'wmv',
    'ts',
    'mpg',
  ])('takes %s, which Qiniu names, for a video', (extension) => {
    expect(kindOf({ key: `a.${extension}` })).toBe('video');
  });
});
