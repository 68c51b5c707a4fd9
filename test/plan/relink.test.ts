/** Tasks of the ledger that get the links of their rows back, and rows that are not theirs any more. */
import { describe, expect, test } from 'vitest';
import type { Item } from '../../src/domain/item.ts';
import { safeUrl } from '../../src/domain/link.ts';
import { contentIdOf } from '../../src/domain/reuse.ts';
import type { Task } from '../../src/domain/task.ts';
import { makeKeys } from '../../src/plan/plan-tasks.ts';
import { makeRelinker } from '../../src/plan/relink.ts';
import { useToy } from '../support/toy-run.ts';

const use = useToy('toy/image');
const pipeline = {
  services: [use],
  reuse: { by: 'content' },
  source: { form: 'csv', path: '/lists/links.csv' },
} as unknown as Parameters<typeof makeRelinker>[0];

function plan(row: Item): Task {
  const reuseKey = makeKeys(pipeline)(use, row, contentIdOf(row, 'content'));
  const { url } = row;
  const item = { ...row, url: url && safeUrl(url), isUrlCut: true };
  return {
    id: 7,
    item,
    service: use.name,
    reuseKey,
    usage: { units: {}, basis: 'estimated' },
    attempts: 0,
    resends: 0,
  } as unknown as Task;
}

const position = Buffer.from('0000000000000005', 'hex');
const row: Item = { id: 'a', position, kind: 'image', url: 'https://m.example/a.jpg?X-Amz-Signature=1' };

describe('a task of a row', () => {
  test('gets its link, with whatever signature it bears by now, and keeps its own name', () => {
    const relink = makeRelinker(pipeline);
    const task = plan(row);
    const signedAnew = { ...row, url: 'https://m.example/a.jpg?X-Amz-Signature=2' };
    const stored = { ...task, item: { ...task.item, id: 'a#2', durationSeconds: 3 } };
    expect(relink(stored, signedAnew)).toEqual({
      ...task,
      item: { ...signedAnew, id: 'a#2', durationSeconds: 3 },
    });
  });

  test.each([
    ['is gone', undefined, 'no such row'],
    ['is another item', { ...row, id: 'b', url: 'https://m.example/b.jpg' }, '"b"'],
    ['leads to other media', { ...row, url: 'https://m.example/b.jpg' }, 'a row of that id with other media'],
  ])('whose row %s is refused, with its place', (_, other, found) => {
    expect(() => makeRelinker(pipeline)(plan(row), other)).toThrow(
      `/lists/links.csv:5: expected item "a", as the run was planned, found ${found}. The manifest has changed, or is another one here: put the one of the run in its place.`,
    );
  });

  test('of a post is held to its whole text', () => {
    const post: Item = { id: 'p', position, kind: 'post', text: 'see https://m.example/?token=1' };
    const task = plan(post);
    const stored = { ...task, item: { ...task.item, text: 'see https://m.example/' } };
    expect(makeRelinker(pipeline)(stored, post).item.text).toBe(post.text);
    expect(() => makeRelinker(pipeline)(stored, { ...post, text: 'see https://m.example/?token=2' })).toThrow(
      'with other media',
    );
  });
});
