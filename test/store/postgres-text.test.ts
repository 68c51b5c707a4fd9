/** Text on its way to PostgreSQL and back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeText, spellPattern, unescapeText } from '../../src/store/postgres/text.ts';

/** Texts in which the two characters that are written as two are common. */
const texts = fc.string({
  unit: fc.constantFrom('\0', '\u0001', '\u0002', '*', '?', '[', '.', '\\', 'a', '好', '🎬'),
});

test('any text comes back as it was, and none goes with a NUL', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(escapeText(text)).not.toContain('\0');
      expect(unescapeText(escapeText(text))).toBe(text);
    }),
  );
});

test('texts sort as their bytes do', () => {
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const compare = (left: string, right: string) =>
        Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      expect(compare(escapeText(one), escapeText(other))).toBe(compare(one, other));
    }),
  );
});

test('a word finds itself, whatever is in it, and what it matches as a pattern', () => {
  const finds = (word: string, text: string) => new RegExp(spellPattern(word), 'su').test(escapeText(text));
  fc.assert(
    fc.property(texts, (text) => {
      expect(finds(text, text)).toBe(true);
    }),
  );
  expect(finds('a?c', 'abc')).toBe(true);
  expect(finds('a?c', 'a\0c')).toBe(true);
  expect(finds('a?c', 'a\0\0c')).toBe(false);
  expect(finds('a*', 'a/b\nc')).toBe(true);
  expect(finds('a.c', 'abc')).toBe(false);
  expect(finds('a', 'ab')).toBe(false);
});
