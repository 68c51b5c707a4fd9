/** How writes of single rows are put together on their way to PostgreSQL. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Batch, WaitingWrites } from '../../src/store/postgres/row-write.ts';
import { spellLists } from '../../src/store/postgres/wide.ts';

const addTask = 'INSERT INTO tasks (id,run) VALUES (?,?)';
const moveTask = 'UPDATE tasks SET state = ?, tries = tries + ? WHERE id = ?';
const dropAttempt = 'DELETE FROM attempts WHERE id = ?';
const closeAttempt = 'UPDATE attempts SET state = ? WHERE id = ?';
const count = `INSERT INTO task_counts VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (run, service, state, reason) DO UPDATE SET count = task_counts.count + excluded.count`;
const breakRow = 'INSERT INTO broken VALUES (?, ?, ?)';

function spell({ sql, spell: spellBatch, rows }: Batch): readonly [string, number] {
  const types = Array.from(sql.matchAll(/\?/g), () => 'bigint');
  return [spellBatch(spellLists(types)).replaceAll(/\s+/g, ' '), rows.length];
}

test('rows of one statement go as one', () => {
  const waiting = new WaitingWrites();
  for (const id of [1, 2, 3]) {
    expect(waiting.add(addTask, [id, 7])).toBe(true);
    expect(waiting.add(moveTask, ['intent', 1, id])).toBe(true);
    expect(waiting.add(count, [7, 0, 'planned', `${id}`, 1])).toBe(true);
    expect(waiting.add(dropAttempt, [id])).toBe(true);
    expect(waiting.add(breakRow, [7, id, 'is broken'])).toBe(true);
  }
  expect(waiting.take().map(spell)).toEqual([
    ['INSERT INTO tasks (id,run) SELECT q.p1,q.p2 FROM unnest($1::bigint[], $2::bigint[]) AS q(p1, p2)', 3],
    [
      'UPDATE tasks SET state = q.p1, tries = tries + q.p2 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS q(p1, p2, p3) WHERE tasks.id = q.p3',
      3,
    ],
    [
      'INSERT INTO task_counts SELECT q.p1, q.p2, q.p3, q.p4, q.p5 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS q(p1, p2, p3, p4, p5) ON CONFLICT (run, service, state, reason) DO UPDATE SET count = task_counts.count + excluded.count',
      3,
    ],
    ['DELETE FROM attempts USING unnest($1::bigint[]) AS q(p1) WHERE attempts.id = q.p1', 3],
    [
      'INSERT INTO broken SELECT q.p1, q.p2, q.p3 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS q(p1, p2, p3)',
      3,
    ],
  ]);
  expect(waiting.take()).toEqual([]);
});

test.each([
  'UPDATE tasks SET state = ? WHERE run = ?',
  'UPDATE runs SET plan = ? WHERE id = ?',
  'UPDATE tasks SET state = ? WHERE id = ? AND run = ?',
  'UPDATE runs SET pruned_ms = ? WHERE seq IN LIST(?)',
  'DELETE FROM broken WHERE run = ?',
  'INSERT INTO writers VALUES (?, ?, now()) ON CONFLICT (id) DO UPDATE SET commits = excluded.commits',
])('"%s" goes by itself', (sql) => {
  expect(new WaitingWrites().add(sql, [1, 2, 3])).toBe(false);
});

test('what concerns one row keeps its order, and no row stands twice in one statement', () => {
  const statements = [addTask, moveTask, closeAttempt, dropAttempt] as const;
  const writes = fc.array(fc.tuple(fc.constantFrom(...statements), fc.nat(5)), { maxLength: 60 });
  fc.assert(
    fc.property(writes, (given) => {
      const waiting = new WaitingWrites();
      const rows = given.map(([sql, id], place) => {
        if (sql === addTask) return { sql, id, values: [id, place] };
        if (sql === moveTask) return { sql, id, values: ['planned', place, id] };
        return { sql, id, values: sql === closeAttempt ? [`${place}`, id] : [id] };
      });
      for (const { sql, values } of rows) waiting.add(sql, values);
      expect(waiting.count).toBe(given.length);
      const batches = waiting.take();
      const idOf = (sql: string, values: readonly unknown[]) => (sql === addTask ? values[0] : values.at(-1));
      for (const { sql, rows: sent } of batches) {
        expect(new Set(sent.map((values) => idOf(sql, values))).size).toBe(sent.length);
      }
      const sent = batches.flatMap(({ sql, rows: some }) => some.map((values) => ({ sql, values })));
      expect(sent).toHaveLength(given.length);
      for (const table of ['tasks', 'attempts']) {
        for (const id of [0, 1, 2, 3, 4, 5]) {
          const ofRow = ({ sql, values }: { readonly sql: string; readonly values: readonly unknown[] }) =>
            sql.includes(table) && idOf(sql, values) === id;
          expect(sent.filter(ofRow).map(({ values }) => values)).toEqual(
            rows.filter(ofRow).map(({ values }) => values),
          );
        }
      }
    }),
  );
});
