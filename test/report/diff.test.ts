/** Two runs compared item by item, whatever the order of their sources. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ItemRow } from '../../src/domain/ledger.ts';
import { diffRuns, differenceColumns } from '../../src/report/diff.ts';
import { makeCsvStream, makeJsonStream } from '../../src/report/row-stream.ts';
import {
  makeBill,
  makeFinding,
  makeItem,
  makeLedger,
  makeRun,
  makeTask,
  quality,
  strict,
} from './library.ts';
import { makeSink } from './memory-sink.ts';

interface Given {
  readonly key: string;
  readonly iqa: number;
  readonly content: string;
}

function makeRows(given: readonly Given[]): readonly ItemRow[] {
  return given.map(({ key, iqa, content }, index) => ({
    item: makeItem(index, key),
    content,
    tasks: [makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: iqa } }) })],
  }));
}

async function diff(
  before: readonly Given[],
  after: readonly Given[],
  { movedBy = 0.1, show = 10, listing = 'complete' as 'complete' | 'partial' } = {},
) {
  const [earlier, later] = [makeRows(before), makeRows(after)];
  const sides = {
    earlier: makeRun(earlier, [quality], { id: '20261119T020000Z-nightly' }),
    later: makeRun(later, [quality], { listing }),
  };
  const pick = (run: string) => (run === sides.earlier.id ? earlier : later);
  const [first, second] = [makeLedger(earlier), makeLedger(later)];
  const ledger = {
    readItems: (run: string, from: Uint8Array | undefined, limit: number) =>
      (pick(run) === earlier ? first : second).readItems(run, from, limit),
    readNamed: async (run: string, ids: readonly string[]) =>
      pick(run).filter(({ item }) => ids.includes(item.id)),
    readBill: async (run: string) => [makeBill({ charge: run === sides.earlier.id ? 2_000n : 1_000n })],
  };
  const [csv, json] = [makeSink(), makeSink()];
  const diffed = await diffRuns({
    ledger,
    before: { run: sides.earlier, policy: strict },
    after: { run: sides.later, policy: strict },
    prices: { currency: 'CNY', timezone: 'UTC', skus: new Map() },
    movedBy,
    show,
    streams: [
      makeCsvStream(csv, differenceColumns, 'exact'),
      makeJsonStream(json, differenceColumns, 'differences'),
    ],
  });
  const rows = parse(csv.text(), { columns: true }) as Record<string, string>[];
  return { ...diffed, rows, document: JSON.parse(json.text()) };
}

const at = (key: string, iqa = 80, content = `c-${key}`): Given => ({ key, iqa, content });

describe('two runs', () => {
  test('differ in what is new, changed, judged otherwise, moved and gone', async () => {
    const before = [at('a.jpg'), at('b.jpg'), at('c.jpg', 30), at('d.jpg'), at('e.jpg', 20)];
    const after = [at('f.jpg'), at('c.jpg', 50), at('b.jpg', 80, 'x'), at('a.jpg', 60), at('d.jpg', 79)];
    const { change, rows, worst, document } = await diff(before, after);
    expect(change).toMatchObject({
      new: 1,
      changed: 1,
      gone: 1,
      verdictChanged: 1,
      cleared: 1,
      scoreMoved: 2,
    });
    expect(
      rows.map((row) => [row['key'], row['change'], row['verdict_before'], row['verdict'], row['score']]),
    ).toEqual([
      ['f.jpg', 'new', '', 'pass', ''],
      ['c.jpg', 'same', 'review', 'pass', '50'],
      ['b.jpg', 'changed', 'pass', 'pass', ''],
      ['a.jpg', 'same', 'pass', 'pass', '60'],
      ['e.jpg', 'gone', 'review', '', ''],
    ]);
    expect(worst.map(({ item }) => item.id)).toEqual(['media/c.jpg', 'media/a.jpg']);
    expect(document).toMatchObject({
      before: '20261119T020000Z-nightly',
      after: '20261120T020000Z-nightly',
      change: { previous: '20261119T020000Z-nightly', charge: { before: '0.000002', after: '0.000001' } },
    });
    expect(document.differences).toHaveLength(rows.length);
  });

  test('of which the later was not listed to its end do not say what is gone', async () => {
    const { change, rows } = await diff([at('a.jpg'), at('b.jpg')], [at('a.jpg')], { listing: 'partial' });
    expect(change.gone).toBeNull();
    expect(rows).toEqual([]);
  });
});

const items = fc.uniqueArray(
  fc.record({
    key: fc.integer({ min: 0, max: 30 }).map((number) => `${number}.jpg`),
    iqa: fc.constantFrom(20, 39, 60, 80),
    content: fc.constantFrom('x', 'y'),
  }),
  { selector: ({ key }) => key, maxLength: 25 },
);

test('every item of either run is alike, or stands in exactly one row', async () => {
  await fc.assert(
    fc.asyncProperty(items, items, async (before, after) => {
      const { change, rows } = await diff(before, after);
      const keys = rows.map((row) => row['key']);
      expect(new Set(keys).size).toBe(keys.length);
      const [earlier, later] = [before, after].map((side) => new Map(side.map((one) => [one.key, one])));
      for (const key of new Set([...before, ...after].map((one) => one.key))) {
        const [one, other] = [earlier?.get(key), later?.get(key)];
        const isAlike = one?.content === other?.content && one?.iqa === other?.iqa;
        expect(keys.includes(key)).toBe(!isAlike);
      }
      expect(change.new).toBe(after.filter(({ key }) => !earlier?.has(key)).length);
      expect(change.gone).toBe(before.filter(({ key }) => !later?.has(key)).length);
      const back = await diff(after, before);
      expect([back.change.new, back.change.gone]).toEqual([change.gone, change.new]);
      expect(back.change.verdictChanged).toBe(change.verdictChanged);
      expect(back.change.scoreMoved).toBe(change.scoreMoved);
    }),
    { numRuns: 60 },
  );
});

test('a run compared with itself has no difference', async () => {
  const rows = Array.from({ length: 1100 }, (_, index) => at(`${index}.jpg`, index % 100));
  const { change, rows: differences } = await diff(rows, rows);
  expect(differences).toEqual([]);
  expect(change).toMatchObject({ new: 0, changed: 0, gone: 0, verdictChanged: 0, scoreMoved: 0 });
});
