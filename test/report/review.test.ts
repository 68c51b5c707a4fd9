/** What a person is asked to look at, and what their decision then does. */
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../src/domain/decision.ts';
import type { ItemRow } from '../../src/domain/ledger.ts';
import { writeReports } from '../../src/report/write-reports.ts';
import { makeFinding, makeItem, makeRequest, makeTask, quality, strict } from './library.ts';

const decision: Decision = { verdict: 'pass', by: 'anna', at: '2026-11-19T09:00:00Z', comment: 'dusk' };

function makeRow(number: number, key: string, iqa: number, rest: Partial<ItemRow> = {}): ItemRow {
  const tasks = [makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: iqa } }) })];
  return { item: makeItem(number, key), content: `content-of-${key}`, tasks, ...rest };
}

const rows = [
  makeRow(1, '=cmd.jpg', 20),
  makeRow(2, 'fine.jpg', 80),
  makeRow(3, 'dusk.jpg', 30, { decision }),
  makeRow(4, 'worse.jpg', 90, { decision: { ...decision, verdict: 'block', comment: '' } }),
  makeRow(5, 'none.mp4', 0, { tasks: [], decision }),
];

async function review(respectsDecisions: boolean, excel = true) {
  const request = makeRequest(rows, {
    services: [quality],
    policy: { ...strict, respectsDecisions },
    reports: { formats: ['csv'], timezone: 'UTC', excel, language: 'en' },
  });
  const { verdicts } = await writeReports(request);
  const read = (name: string) =>
    parse(request.folder.files.get(name) ?? '', { columns: true, bom: true }) as Record<string, string>[];
  return { verdicts, review: read('review.csv'), items: read('items.csv') };
}

describe('review.csv', () => {
  test('has a row for each item that is flagged, with its content, the run, and room for a decision', async () => {
    const { review: list } = await review(false);
    expect(list[0]).toEqual({
      item: 'media/=cmd.jpg',
      bucket: 'media',
      key: "'=cmd.jpg",
      url: '',
      verdict: 'review',
      reasons: 'poor picture',
      decision: '',
      comment: '',
      decided: '',
      decided_by: '',
      decided_at: '',
      decided_comment: '',
      run: '20261120T020000Z-nightly',
      content: 'content-of-=cmd.jpg',
    });
    expect(list).toHaveLength(2);
  });

  test('shows beside the rules’ verdict what was decided before', async () => {
    const { review: list, verdicts } = await review(false);
    expect(list[1]).toMatchObject({
      key: 'dusk.jpg',
      verdict: 'review',
      decision: '',
      decided: 'pass',
      decided_by: 'anna',
      decided_at: '2026-11-19T09:00:00Z',
      decided_comment: 'dusk',
    });
    expect(verdicts).toMatchObject({ review: 2, block: 0, pass: 2 });
  });
});

describe('a decision that is respected', () => {
  test('is the verdict, whatever the rules say, and says whose it is', async () => {
    const { verdicts, items, review: list } = await review(true);
    expect(items.map(({ verdict, reasons }) => [verdict, reasons])).toEqual([
      ['review', 'poor picture'],
      ['pass', ''],
      ['pass', 'decided by anna'],
      ['block', 'decided by anna'],
      ['', ''],
    ]);
    expect(verdicts).toEqual({ pass: 2, incomplete: 0, review: 1, block: 1 });
    expect(list.map(({ key, decided }) => [key, decided])).toEqual([
      ["'=cmd.jpg", ''],
      ['worse.jpg', 'block'],
    ]);
  });
});
