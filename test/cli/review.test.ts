/** What `review` asks of the program, and what it prints. */
import { describe, expect, test } from 'vitest';
import type { ReviewImport } from '../../src/cli/spine.ts';
import type { DecisionRow } from '../../src/domain/decision.ts';
import { speak } from './desk.ts';

const imported: ReviewImport = {
  by: 'anna',
  stored: 12,
  unchanged: 2,
  blank: 431,
  verdicts: { pass: 9, review: 0, block: 5, clear: 0 },
  faults: [],
};

const row: DecisionRow = {
  verdict: 'block',
  by: 'anna',
  at: '2026-11-20T09:00:00.000Z',
  comment: 'a flag\x07',
  content: 'AAAAAAAAAAAAAAAAAAAAAA',
  item: 'media/猫.jpg',
  run: 'r',
};

describe('review import', () => {
  test('says what was stored, and by whom', async () => {
    const asked: unknown[] = [];
    const { exitCode, out } = await speak('review import reports/review.csv --by anna', {
      importReview: async (path, by) => {
        asked.push(path, by);
        return imported;
      },
    });
    expect(asked).toEqual(['reports/review.csv', 'anna']);
    expect([exitCode, out]).toEqual([
      0,
      '12 decisions of anna stored (5 block, 9 pass); 2 known already; 431 rows without one\n',
    ]);
  });

  test('says so where nothing was decided', async () => {
    const verdicts = { pass: 0, review: 0, block: 0, clear: 0 };
    const { out } = await speak('review import a.csv', {
      importReview: async () => ({ ...imported, stored: 0, unchanged: 0, verdicts }),
    });
    expect(out).toBe('no decision found; 431 rows without one\n');
  });

  test('names the rows that were not understood, and exits 1', async () => {
    const faults = Array.from({ length: 22 }, (_, index) => ({ line: index + 2, message: 'what?' }));
    const { exitCode, out, err } = await speak('review import a.csv', {
      importReview: async () => ({ ...imported, faults }),
    });
    expect(exitCode).toBe(1);
    expect(out).toContain('; 22 rows not understood\n');
    expect(err.split('\n').slice(0, 2)).toEqual(['a.csv:2: what?', 'a.csv:3: what?']);
    expect(err).toContain('... and 2 more\n');
  });

  test('prints one document with --json', async () => {
    const { out, err } = await speak('review import a.csv --json', {
      importReview: async () => ({ ...imported, faults: [{ line: 2, message: 'what?' }] }),
    });
    expect(JSON.parse(out)).toEqual({ ...imported, faults: [{ line: 2, message: 'what?' }] });
    expect(err).toBe('');
  });
});

describe('review list', () => {
  test('shows each decision with who and when, and its comment below', async () => {
    const { out } = await speak('review list', { listDecisions: async () => [row, { ...row, comment: '' }] });
    expect(out).toBe(`decision  at                    by    item
block     2026-11-20T09:00:00Z  anna  media/猫.jpg
                                      a flag\\x07
block     2026-11-20T09:00:00Z  anna  media/猫.jpg
`);
  });

  test('says so where there is none, and prints one document with --json', async () => {
    expect((await speak('review list', { listDecisions: async () => [] })).out).toBe(
      'nothing is decided. See: mediasweep review --help\n',
    );
    const { out } = await speak('review list media/* --json', {
      listDecisions: async (selection) => (selection?.[0] === 'media/*' ? [row] : []),
    });
    expect(JSON.parse(out)).toEqual({ decisions: [row] });
  });
});
