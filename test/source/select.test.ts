import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Item } from '../../src/domain/item.ts';
import type { SelectSettings } from '../../src/domain/settings.ts';
import { makeSelection } from '../../src/source/select.ts';

const nowMs = Date.parse('2026-11-20T00:00:00Z');

function isSelected(select: Partial<SelectSettings>, facts: Partial<Item>): boolean {
  const rules = makeSelection({ include: [], exclude: [], kinds: [], ...select }, nowMs);
  const item = { id: 'i', position: new Uint8Array(), ...facts };
  return rules.isPathSelected(item) && rules.isSelected(item);
}

test('** selects every key there is', () => {
  const parts = fc.constantFrom(
    '.',
    '..',
    '/',
    '//',
    'a',
    '\n',
    '\\',
    '.jpg',
    '猫',
    '!',
    '{',
    '\u{F8FF}',
    ' ',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(parts).map((all) => all.join('')),
      ),
      (key) => {
        expect(isSelected({ include: ['**'] }, { key })).toBe(true);
        expect(isSelected({ exclude: ['**'] }, { key })).toBe(false);
      },
    ),
  );
});

describe('select', () => {
  it.each<[string, boolean, Partial<SelectSettings>, Partial<Item>]>([
    ['takes everything by default', true, {}, { key: 'a.txt' }],
    ['takes a key at the root by **/', true, { include: ['**/*.{jpg,mp4}'] }, { key: 'a.mp4' }],
    ['takes a deep key by **/', true, { include: ['**/*.{jpg,mp4}'] }, { key: 'x/y/a.jpg' }],
    ['leaves other endings', false, { include: ['**/*.{jpg,mp4}'] }, { key: 'x/a.png' }],
    ['keeps * within a folder', false, { include: ['x/*.jpg'] }, { key: 'x/y/a.jpg' }],
    ['takes names that begin with a dot', true, { include: ['**/*.jpg'] }, { key: '.hidden/.a.jpg' }],
    ['minds the case', false, { include: ['**/*.jpg'] }, { key: 'a.JPG' }],
    ['takes keys with line breaks', true, { include: ['**/*.jpg'] }, { key: 'a\nb/c\nd.jpg' }],
    ['takes a part ..', true, { include: ['**'] }, { key: '../x.mp4' }],
    ['takes a part .. by ending', true, { include: ['**/*.mp4'] }, { key: '../x.mp4' }],
    ['takes a part . by ending', true, { include: ['**/*.mp4'] }, { key: 'a/./b.mp4' }],
    ['takes a part .. by *', true, { include: ['a/*/b.mp4'] }, { key: 'a/../b.mp4' }],
    ['takes a part .. that is named', true, { include: ['../*.mp4'] }, { key: '../x.mp4' }],
    ['leaves what is not in the part that is named', false, { include: ['../*.mp4'] }, { key: 'x.mp4' }],
    ['takes a glob from ./ on', true, { include: ['./x/*'] }, { key: 'x/a' }],
    ['takes dots alone', true, { include: ['**/*'] }, { key: '..' }],
    ['leaves out a part ..', false, { exclude: ['**/*.mp4'] }, { key: '../../x.mp4' }],
    ['takes a slash at the beginning', true, { include: ['**'] }, { key: '//x.mp4' }],
    ['takes keys in any script', true, { include: ['视频/**'] }, { key: '视频/😀 +%.mp4' }],
    ['takes a backslash as it is', true, { include: ['a*.jpg'] }, { key: 'a\\b.jpg' }],
    ['leaves what is excluded', false, { exclude: ['**/thumbs/**'] }, { key: 'x/thumbs/a.jpg' }],
    ['exclude wins over include', false, { include: ['**'], exclude: ['*.jpg'] }, { key: 'a.jpg' }],
    ['sees the path of a URL', true, { include: ['x/*.jpg'] }, { url: 'https://h.example/x/a.jpg?y=1' }],
    ['sees the path of a URL decoded', true, { include: ['图/*.jpg'] }, { url: 'https://h/%E5%9B%BE/a.jpg' }],
    ['sees the key before the URL', false, { include: ['x/*'] }, { key: 'y/a', url: 'https://h/x/a' }],
    ['takes a post without a path where nothing is included', true, { exclude: ['**'] }, { text: 'words' }],
    ['leaves a post without a path where something is', false, { include: ['**'] }, { text: 'words' }],
    ['takes the kinds named', true, { kinds: ['image', 'post'] }, { kind: 'post' }],
    ['leaves other kinds', false, { kinds: ['image'] }, { kind: 'video' }],
    ['leaves unknown kinds where kinds are named', false, { kinds: ['image'] }, {}],
    ['takes the smallest size', true, { minSizeBytes: 10 }, { sizeBytes: 10 }],
    ['leaves one byte less', false, { minSizeBytes: 10 }, { sizeBytes: 9 }],
    ['takes the largest size', true, { maxSizeBytes: 10 }, { sizeBytes: 10 }],
    ['leaves one byte more', false, { maxSizeBytes: 10 }, { sizeBytes: 11 }],
    ['takes an unknown size', true, { minSizeBytes: 1, maxSizeBytes: 10 }, {}],
    [
      'takes from the instant on',
      true,
      { modifiedAfter: '2026-01-01T00:00:00Z' },
      { lastModified: '2026-01-01T00:00:00.000Z' },
    ],
    [
      'leaves before the instant',
      false,
      { modifiedAfter: '2026-01-01T00:00:00Z' },
      { lastModified: '2025-12-31T23:59:59.999Z' },
    ],
    [
      'takes within the time',
      true,
      { modifiedWithinMs: 3_600_000 },
      { lastModified: '2026-11-19T23:00:00Z' },
    ],
    [
      'leaves before the time',
      false,
      { modifiedWithinMs: 3_600_000 },
      { lastModified: '2026-11-19T22:59:59Z' },
    ],
    ['takes an unknown date', true, { modifiedAfter: '2026-01-01T00:00:00Z' }, {}],
  ])('%s: %s', (_, expected, select, item) => {
    expect(isSelected(select, item)).toBe(expected);
  });
});
