/** A review.csv that comes back from people: what their spreadsheets and their fingers did to it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { guardFormula } from '../../src/report/table/csv.ts';
import { readReviewFile } from '../../src/source/review-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-review-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const [one, other, third] = ['AAAAAAAAAAAAAAAAAAAA_1', '-AAAAAAAAAAAAAAAAAAA_2', 'AAAAAAAAAAAAAAAAAAAA-3'];

async function read(text: string | Uint8Array, name = 'review.csv') {
  const path = join(folder, name);
  await writeFile(path, text);
  return await readReviewFile(path, Readable.from([]));
}

/** What a Chinese Excel writes as "CSV"; Node can read GB18030, and not write it. */
const gb18030: Readonly<Record<string, readonly number[]>> = {
  通: [0xcd, 0xa8],
  过: [0xb9, 0xfd],
  猫: [0xc3, 0xa8],
};

function encodeGb(text: string): Uint8Array {
  return Uint8Array.from(Array.from(text).flatMap((sign) => gb18030[sign] ?? [sign.charCodeAt(0)]));
}

const plain = `item,decision,comment,run,content\r\nmedia/猫.jpg,通过,ok,r,${one}\r\nb,,,r,${other}\r\n`;
const expected = {
  decisions: [{ content: one, verdict: 'pass', comment: 'ok', item: 'media/猫.jpg', run: 'r' }],
  blank: 1,
  faults: [],
};

describe('a review file', () => {
  const utf16 = Buffer.from(`\uFEFF${plain.replaceAll(',', '\t')}`, 'utf16le');
  test.each([
    ['as it was written', plain],
    ['with a byte order mark', `\uFEFF${plain}`],
    ['with semicolons, and Unix line ends', plain.replaceAll(',', ';').replaceAll('\r\n', '\n')],
    ['as "Unicode text" of a spreadsheet', utf16],
    ['as UTF-16 the other way round', Buffer.from(utf16).swap16()],
    ['as the CSV of a Chinese spreadsheet', encodeGb(plain)],
    ['with every field in quotes', plain.replaceAll(/[^,\r\n]+/g, '"$&"')],
    [
      'with its columns moved about, named in capitals, and others between them',
      `CONTENT,mine, Decision ,Run,Comment,Item\r\n${one},x,通过,r,ok,media/猫.jpg\r\n${other},x,,r,,b\r\n`,
    ],
  ])('is understood %s', async (_, text) => {
    expect(await read(text)).toEqual(expected);
  });

  test('is read from standard input', async () => {
    expect(await readReviewFile('-', Readable.from([Buffer.from(plain)]))).toEqual(expected);
  });

  test('takes an earlier decision back with clear', async () => {
    const { decisions } = await read(`content,decision\n${one},clear\n${third},BLOCK\n`);
    expect(decisions).toEqual([
      { content: one, comment: '', item: '', run: '' },
      { content: third, verdict: 'block', comment: '', item: '', run: '' },
    ]);
  });

  test('names the line of each row that says nothing that could be stored, and reads the others', async () => {
    const { decisions, blank, faults } = await read(
      [
        'decision,content',
        `pass,${one}`,
        `okay,${other}`,
        'block,1.2E+21',
        `pass,${one}`,
        `block,${one}`,
        `pass,"${third}`,
        '',
      ].join('\n'),
    );
    expect(decisions.map(({ content }) => content)).toEqual([one]);
    expect(blank).toBe(1);
    expect(faults).toEqual([
      {
        line: 3,
        message:
          'decision: expected pass, review, block or clear (通过, 复审, 屏蔽, 撤销), or nothing, found "okay".',
      },
      {
        line: 4,
        message:
          'content: expected the 22 characters that review.csv had here, found "1.2E+21". Copy them from there.',
      },
      {
        line: 6,
        message: 'decision: line 2 decides pass for the same content, this one block. Decide one way.',
      },
      { line: 7, message: expect.stringContaining('a quoted field that nothing closes') },
    ]);
  });

  test.each([
    [
      'items.csv',
      'item,verdict\na,pass\n',
      'expected a header line with the columns content and decision, found "item,verdict"',
    ],
    ['empty.csv', '', 'expected a header line with the columns content and decision, found ""'],
    [
      'picture.csv',
      Uint8Array.from([0x81, 0x20, 0xff]),
      'expected text in UTF-8, UTF-16 or GB18030, found other bytes',
    ],
  ])('%s is refused', async (name, text, message) => {
    await expect(read(text, name)).rejects.toThrow(message);
  });

  test('that is not there is refused', async () => {
    await expect(readReviewFile(join(folder, 'gone.csv'), Readable.from([]))).rejects.toThrow(
      /gone\.csv: cannot be read: .*Check the path and its rights\./,
    );
  });
});

const content = fc.stringMatching(/^[\w-]{22}$/);
const words = fc.constantFrom('pass', 'review', 'block');
const rows = fc.uniqueArray(
  fc.record({
    content,
    word: words,
    item: fc.string({ unit: 'grapheme' }),
    comment: fc.string({ unit: 'grapheme' }),
  }),
  { selector: (row) => row.content, maxLength: 20 },
);

test('what people decide comes through guards, quotes and delimiters as they wrote it', async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom(',', ';', '\t'),
      fc.boolean(),
      async (given, delimiter, isWide) => {
        const records = given.map((row) => [row.content, row.word, row.item, row.comment].map(guardFormula));
        const text = stringify([['content', 'decision', 'item', 'comment'], ...records], {
          delimiter,
          quoted_match: /[\r\n]/,
        });
        const { decisions, faults } = await read(
          isWide ? Buffer.from(`\uFEFF${text}`, 'utf16le') : `\uFEFF${text}`,
        );
        expect(faults).toEqual([]);
        expect(decisions.map(({ content: id, verdict }) => [id, verdict])).toEqual(
          given.map((row) => [row.content, row.word]),
        );
        const comments = given
          .filter(({ comment }) => !comment.startsWith("'"))
          .map((row) => row.comment.trim());
        expect(decisions.map((row) => row.comment)).toEqual(expect.arrayContaining(comments));
      },
    ),
    { numRuns: 60 },
  );
});
