/** Rows of a manifest that are read again, in whatever order they are asked for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvSource } from '../../src/domain/settings.ts';
import { ManifestReader, namePosition } from '../../src/source/reread.ts';
import { openMemoryStorage } from './memory-storage.ts';

const source: CsvSource = {
  form: 'csv',
  path: 's3://main/lists/rows',
  header: true,
  columns: {},
  delimiter: ',',
  encoding: 'utf-8',
  allowPrivateAddresses: false,
};

/** The header is line 1, so that row n stands in line n + 1. */
function at(row: number): Uint8Array {
  const position = Buffer.alloc(8);
  position.writeUInt32BE(row + 1, 4);
  return position;
}

const linkOf = (row: number) => `https://media.example/${row}.jpg?X-Amz-Signature=${row}`;

function openReader(rows: number, isBroken: (row: number) => boolean = () => false) {
  const lines = Array.from({ length: rows }, (_, index) =>
    isBroken(index + 1) ? 'none' : linkOf(index + 1),
  );
  const memory = openMemoryStorage([{ key: 'rows', bytes: Buffer.from(`url\n${lines.join('\n')}\n`) }]);
  let openings = 0;
  const storage = {
    ...memory,
    head: (...given: Parameters<typeof memory.head>) => {
      openings += 1;
      return memory.head(...given);
    },
  };
  const reader = new ManifestReader({ source }, { storage, nowMs: 0 });
  return { reader, openings: () => openings };
}

describe('a manifest that is read again', () => {
  it('answers any rows in any order, several at once', async () => {
    const rows = 1700;
    const question = fc.uniqueArray(fc.integer({ min: 1, max: rows + 50 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.array(question, { maxLength: 6 }), async (questions) => {
        const { reader } = openReader(rows, (row) => row % 7 === 0);
        await Promise.all(
          questions.map(async (asked) => {
            const sorted = asked.toSorted((one, other) => one - other);
            const found = await reader.read(sorted.map(at));
            const there = sorted.filter((row) => row <= rows && row % 7 !== 0);
            expect([...found].map(([name, { url }]) => [name, url])).toEqual(
              there.map((row) => [namePosition(at(row)), linkOf(row)]),
            );
          }),
        );
        await reader.close();
      }),
      { numRuns: 12 },
    );
  });

  it('is read once for shards that go forward, and from its beginning for what lies behind', async () => {
    const { reader, openings } = openReader(3000);
    for (let row = 1; row <= 3000; row += 100) {
      const shard = Array.from({ length: 100 }, (_, index) => at(row + index));
      expect((await reader.read(shard)).size).toBe(100);
    }
    expect(openings()).toBe(1);
    expect((await reader.read([at(50)])).get(namePosition(at(50)))?.url).toBe(linkOf(50));
    expect(openings()).toBe(2);
    expect((await reader.read([at(3001)])).size).toBe(0);
    await reader.close();
  });

  it('tells where it is not there, and is opened again once it is', async () => {
    let isThere = false;
    const memory = openMemoryStorage([{ key: 'rows', bytes: Buffer.from(`url\n${linkOf(1)}\n`) }]);
    const storage = {
      ...memory,
      head: async (...given: Parameters<typeof memory.head>) =>
        isThere ? await memory.head(...given) : undefined,
    };
    const reader = new ManifestReader({ source }, { storage, nowMs: 0 });
    await expect(reader.read([at(1)])).rejects.toMatchObject({
      exitCode: 2,
      message: 's3://main/lists/rows: there is no such object. Correct the path.',
    });
    isThere = true;
    expect((await reader.read([at(1)])).size).toBe(1);
  });
});
