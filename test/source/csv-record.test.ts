import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvPiece, readCsvRecords } from '../../src/source/csv-record.ts';

async function readPieces(bytes: Buffer, chunkBytes: number): Promise<readonly CsvPiece[]> {
  async function* cutChunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const pieces: CsvPiece[] = [];
  for await (const batch of readCsvRecords(cutChunks(), ',')) pieces.push(...batch);
  return pieces;
}

const text = fc
  .array(fc.constantFrom('a', 'b', '"', '"', '""', ',', '\n', '\n', '\r\n', '猫', ' '), { maxLength: 40 })
  .map((parts) => parts.join(''));

describe('reading CSV records', () => {
  it('finds the same pieces wherever the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (content, chunkBytes, hasMark) => {
          const bytes = Buffer.from(`${hasMark ? '\ufeff' : ''}${content}`);
          expect(await readPieces(bytes, chunkBytes)).toEqual(await readPieces(bytes, bytes.length + 1));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads back what was written with every field in quotes, with its lines', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', '猫'), maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(field, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        async (rows) => {
          let line = 1;
          let content = '';
          const expected = rows.map((fields) => {
            const row = `${fields.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')}\n`;
            const piece = { form: 'record', record: { line, fields } };
            content += row;
            line += row.split('\n').length - 1;
            return piece;
          });
          expect(await readPieces(Buffer.from(content), 5)).toEqual(expected);
        },
      ),
    );
  });

  it('names each broken line once, and the lines only rise', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const pieces = await readPieces(Buffer.from(content), 1000);
        const lines = pieces.map((piece) => (piece.form === 'record' ? piece.record.line : piece.line));
        expect(lines).toEqual([...new Set(lines)].sort((left, right) => left - right));
        expect(Math.max(0, ...lines)).toBeLessThanOrEqual(content.split('\n').length);
      }),
    );
  });
});
