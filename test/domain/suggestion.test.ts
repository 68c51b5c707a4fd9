/** Suggestions for misspelt words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countEdits, findClosest, suggest } from '../../src/domain/suggestion.ts';

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', '', 3],
  ['abc', 'abd', 1],
  ['abc', 'acb', 1],
  ['abc', 'abcd', 1],
  ['kitten', 'sitting', 3],
])('from %j to %j it takes %i edits', (from, to, edits) => {
  expect(countEdits(from, to)).toBe(edits);
});

test('edits are the same both ways, none only between equals, and never more than the longer word', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (one, two) => {
      const edits = countEdits(one, two);
      expect(edits).toBe(countEdits(two, one));
      expect(edits === 0).toBe(one === two);
      expect(edits).toBeLessThanOrEqual(Math.max(one.length, two.length));
      expect(edits).toBeGreaterThanOrEqual(Math.abs(one.length - two.length));
    }),
  );
});

test.each([
  ['qiniu/video-censer', ['pai/video-quality', 'qiniu/video-censor'], 'qiniu/video-censor'],
  ['Select', ['select', 'source'], 'select'],
  ['acces', ['access', 'about'], 'access'],
  ['zzz', ['access', 'about'], undefined],
  ['a', ['b'], undefined],
  ['anything', [], undefined],
])('%s is taken for one of %j: %s', (word, candidates, closest) => {
  expect(findClosest(word, candidates)).toBe(closest);
});

test('a suggestion is a question, or nothing', () => {
  expect(suggest('acces', ['access'])).toBe(' Did you mean "access"?');
  expect(suggest('zzz', ['access'])).toBe('');
});

test('a service without its vendor is found by its last part', () => {
  expect(suggest('image-quality', ['pai/image-labels', 'pai/image-quality'])).toBe(
    ' Did you mean "pai/image-quality"?',
  );
});
