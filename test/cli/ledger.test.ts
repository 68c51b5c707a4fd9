import { expect, test } from 'vitest';
import { speak } from './desk.ts';

const pruned = {
  runs: 2,
  items: 1200,
  tasks: 2400,
  replies: 2390,
  bytesBefore: 5_000_000,
  bytesAfter: 1_000_000,
};

test('prune tells what was taken out and how much room that gave', async () => {
  const asked: number[] = [];
  const pruneLedger = async (keepMs: number) => {
    asked.push(keepMs);
    return pruned;
  };
  const { exitCode, out } = await speak('ledger prune --keep 90d', { pruneLedger });
  expect([exitCode, asked]).toEqual([0, [90 * 86_400_000]]);
  expect(out).toBe('2 runs taken out: 1,200 items, 2,400 tasks, 2,390 raw replies; 5 MB before, 1 MB now.\n');
  expect(JSON.parse((await speak('ledger prune --keep 90d --json', { pruneLedger })).out)).toEqual(pruned);
});

test.each([
  ['ledger prune', 'error required option "--keep <time>" not specified. See: mediasweep ledger --help\n'],
  [
    'ledger prune --keep 90',
    'error option "--keep <time>" argument "90" is invalid: expected a duration such as 25s, 500ms or 2m. See: mediasweep ledger --help\n',
  ],
])('"%s" is refused', async (line, err) => {
  expect(await speak(line)).toEqual({ exitCode: 2, out: '', err });
});

test.each([
  ['ledger restore', undefined, false],
  ['ledger restore x.db --force', 'x.db', true],
])('"%s" restores, and says what is lost', async (line, backup, isForced) => {
  const asked: unknown[] = [];
  const restored = {
    backup: '/s/backups/x.db',
    madeAt: '2026-11-20T02:00:00.000Z',
    aside: '/s/ledger.db.replaced',
  };
  const spoken = await speak(line, {
    restoreLedger: async (...given) => {
      asked.push(given.slice(0, 2));
      return restored;
    },
  });
  expect(asked).toEqual([[backup, isForced]]);
  expect(spoken).toEqual({
    exitCode: 0,
    out: 'restored from /s/backups/x.db.\nwhat was there is /s/ledger.db.replaced now.\nAnswers that came after 2026-11-20T02:00:00Z are not in it: the next run pays for their media again.\n',
    err: '',
  });
  const { out } = await speak(`${line} --json`, { restoreLedger: async () => restored });
  expect(JSON.parse(out)).toEqual(restored);
});
