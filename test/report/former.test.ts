/** The difference to the run before, as a run's reports give it. */
import { expect, test } from 'vitest';
import type { ItemRow } from '../../src/domain/ledger.ts';
import { writeReports } from '../../src/report/write-reports.ts';
import {
  makeBill,
  makeFinding,
  makeItem,
  makeLedger,
  makeRequest,
  makeRun,
  makeTask,
  quality,
  strict,
} from './library.ts';

function makeRow(number: number, key: string, iqa: number, content = `c-${key}`): ItemRow {
  const task = makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: iqa } }) });
  return { item: makeItem(number, key), content, tasks: [task] };
}

/** `a` stays, `b` becomes poor, `c` has other content, `d` is gone, `e` is new, poor, and stands before all others. */
const before = [
  makeRow(1, 'a.jpg', 80),
  makeRow(2, 'b.jpg', 80),
  makeRow(3, 'c.jpg', 30),
  makeRow(4, 'd.jpg', 10),
];
const after = [
  makeRow(1, 'e.jpg', 10),
  makeRow(2, 'c.jpg', 80, 'another'),
  makeRow(3, 'b.jpg', 20),
  makeRow(4, 'a.jpg', 79),
];
const earlier = makeRun(before, [quality], {
  id: '20261119T020000Z-nightly',
  startedAt: '2026-11-19T02:00:00Z',
});

function makeCompared(rest: Parameters<typeof makeRequest>[1] = {}) {
  const ledger = {
    ...makeLedger(after),
    readNamed: async (_run: string, ids: readonly string[]) =>
      before.filter(({ item }) => ids.includes(item.id)),
    readBill: async (run: string) => [
      makeBill({ charge: run === earlier.id ? 2_000_000_000n : 1_500_000_000n }),
    ],
  };
  const services = [quality];
  return makeRequest(after, { services, ledger, previous: { run: earlier, policy: strict }, ...rest });
}

const change = {
  previous: '20261119T020000Z-nightly',
  previousStartedAt: '2026-11-19T02:00:00Z',
  new: 1,
  changed: 1,
  gone: 1,
  verdictChanged: 2,
  verdicts: [
    { from: 'review', to: 'pass', count: 1 },
    { from: 'pass', to: 'review', count: 1 },
  ],
  newlyFlagged: 2,
  cleared: 1,
  scoreMoved: 2,
  movedBy: 0.1,
  charge: { before: '2', after: '1.5', currency: 'CNY', complete: true },
};

test('summary.json holds what changed since the run before, whatever the order of the two sources', async () => {
  const request = makeCompared();
  const { summary } = await writeReports(request);
  expect(summary.change).toEqual(change);
  expect(JSON.parse(request.folder.files.get('summary.json') ?? '')).toMatchObject({ change });
});

test('what is gone is not known of a run that was not listed to its end', async () => {
  const run = makeRun(after, [quality], { listing: 'partial' });
  const { summary } = await writeReports(makeCompared({ run }));
  expect(summary.change).toEqual({ ...change, gone: null });
});

test('the run before is judged by its own policy', async () => {
  const previous = { run: earlier, policy: { name: 'none', rules: [] } };
  const { summary } = await writeReports(makeCompared({ previous }));
  expect(summary.change?.verdicts).toEqual([{ from: 'pass', to: 'review', count: 1 }]);
});

test('without a run before there is no change', async () => {
  const { summary } = await writeReports(makeCompared({ previous: undefined }));
  expect(summary).not.toHaveProperty('change');
});
