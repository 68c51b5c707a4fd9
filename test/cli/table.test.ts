import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makePlain } from '../../src/cli/print/plain.ts';
import { clipText, displayWidth, formatTable, padText, wrapText } from '../../src/cli/print/table.ts';

const words = fc.string({ unit: fc.constantFrom('a', ' ', '图', '片', '😀', 'é', '-', 'ｗ'), maxLength: 40 });

describe('tables', () => {
  test('align Chinese by the columns that a terminal gives it', () => {
    const rows = [
      ['图片/猫.jpg', '1'],
      ['ab.jpg', '20'],
    ];
    expect(formatTable([{ title: '' }, { title: '', isRight: true }], rows)).toEqual([
      '图片/猫.jpg   1',
      'ab.jpg       20',
    ]);
  });

  test('of any text have their last column at the same place', () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 8 }), (cells) => {
        const lines = formatTable(
          [{ title: 'name' }, { title: 'x' }],
          cells.map((cell) => [cell, '|']),
        );
        const places = lines.slice(1).map((line) => displayWidth(line.slice(0, line.lastIndexOf('|'))));
        expect(new Set(places).size).toBe(1);
      }),
    );
  });

  test('ignore colours when they count', () => {
    const lines = formatTable(
      [{ title: '' }, { title: '' }],
      [
        ['\x1b[31mred\x1b[39m', '|'],
        ['white', '|'],
      ],
    );
    expect(lines).toEqual(['\x1b[31mred\x1b[39m    |', 'white  |']);
  });

  test('hold cells of several lines', () => {
    const lines = formatTable([{ title: 'a' }, { title: 'b' }, { title: 'c' }], [['1', 'x\ny', '2']]);
    expect(lines).toEqual(['a  b  c', '1  x  2', '   y']);
  });

  test('wrap their last column in a terminal', () => {
    const rows = [['key', 'one two three four five six seven eight nine ten']];
    expect(formatTable([{ title: '' }, { title: '' }], rows, 40)).toEqual([
      'key  one two three four five six seven',
      '     eight nine ten',
    ]);
  });

  test('set their last column below where too little is left for it', () => {
    const rows = [['a'.repeat(30), 'one two three four five six seven']];
    expect(formatTable([{ title: 'name' }, { title: 'about' }], rows, 40)).toEqual([
      'name',
      'a'.repeat(30),
      '      one two three four five six seven',
    ]);
  });
});

describe('texts', () => {
  test('are wrapped at spaces to the width, all words in order', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 5, max: 30 }), (given, width) => {
        const text = given.trim();
        const lines = wrapText(text, width);
        const longest = Math.max(...text.split(' ').map((word) => displayWidth(word)));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, longest));
        const split = (all: string) => all.split(' ').filter((word) => word !== '');
        expect(split(lines.join(' '))).toEqual(split(text));
      }),
    );
  });

  test('keep their indent, and have what follows indented', () => {
    expect(wrapText('  one two three', 9, '    ')).toEqual(['  one two', '    three']);
  });

  test('are cut to the width, never through a character', () => {
    expect(clipText('图片图片图片', 8)).toBe('图片...');
    expect(clipText('图片图片', 8)).toBe('图片图片');
    fc.assert(
      fc.property(words, fc.integer({ min: 3, max: 30 }), (text, width) => {
        expect(displayWidth(clipText(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('are padded on the side that is asked for', () => {
    expect([padText('图', 4), padText('图', 4, true), padText('wide', 2)]).toEqual(['图  ', '  图', 'wide']);
  });

  test.each([
    ['an escape sequence', '\x1b[2Jx', '\\x1b[2Jx'],
    ['line breaks and tabs', 'a\r\n\tb', 'a\\x0d\\n\\tb'],
    ['what turns the direction of writing', 'gpj.\u202eexe', 'gpj.\\u202eexe'],
    ['C1 controls', '\u009bm', '\\x9bm'],
  ])('of strangers show %s instead of obeying it', (_, text, shown) => {
    expect(makePlain(text)).toBe(shown);
  });

  test('of strangers stay as they are otherwise', () => {
    expect(makePlain('图片/猫 😀+é.jpg')).toBe('图片/猫 😀+é.jpg');
  });
});
