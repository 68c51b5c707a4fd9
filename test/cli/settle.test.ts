import { describe, expect, test } from 'vitest';
import type { FailedRow, HeldRow, TroubleSelection } from '../../src/domain/ledger.ts';
import { speak } from './desk.ts';

const held: HeldRow = {
  reuseKey: '3kQ0VbX4xw1nJ8sYh2mC9d',
  item: 'media/猫.jpg',
  tasks: 1,
  service: 'pai/image-quality',
  account: 'pai-prod',
  pipeline: 'nightly',
  run: '20261120T020000Z-nightly',
  cause: 'read ECONNRESET',
  sentAt: '2026-11-20T02:00:00.000Z',
  units: { 'pai/basic': 1 },
  isAskedAgain: false,
};

const failed: FailedRow = {
  reuseKey: 'AkQ0VbX4xw1nJ8sYh2mC9d',
  item: 'media/\x1b[2Jb.jpg',
  tasks: 2,
  service: 'pai/image-quality',
  account: 'pai-prod',
  pipeline: 'nightly',
  run: '20261120T020000Z-nightly',
  error: { class: 'media-unreadable', code: '400', message: 'not an image' },
  failedAt: '2026-11-20T02:00:00.000Z',
};

describe('held list', () => {
  test('shows each call with its item, cause and units', async () => {
    const { exitCode, out } = await speak('held list', {
      listHeld: async () => [held, { ...held, isAskedAgain: true }],
    });
    expect(exitCode).toBe(0);
    expect(out).toContain(
      '3kQ0VbX4xw1nJ8sYh2mC9d  pai/image-quality  2026-11-20T02:00:00Z  1 pai/basic  media/猫.jpg',
    );
    expect(out).toContain('read ECONNRESET\n');
    expect(out).toContain('read ECONNRESET; the next run asks again\n');
    expect(out).toContain('2 calls held. Settle: mediasweep held resend|forget WHAT.');
  });

  test('says so where nothing is', async () => {
    expect((await speak('held list', { listHeld: async () => [] })).out).toBe('nothing is held.\n');
  });

  test('looks for what is named, and prints one document with --json', async () => {
    const asked: TroubleSelection[] = [];
    const { out } = await speak('held list media/* x --json', {
      listHeld: async (selection) => {
        asked.push(selection);
        return [held];
      },
    });
    expect(asked).toEqual([['media/*', 'x']]);
    expect(JSON.parse(out)).toEqual({ held: [held] });
  });
});

describe('held resend and forget', () => {
  test.each([
    ['held resend --all', undefined, 'resend', '1 held call settled: the next run sends it again.\n'],
    ['held resend a b', ['a', 'b'], 'resend', '1 held call settled: the next run sends it again.\n'],
    ['held forget x', ['x'], 'forget', '1 held call settled: from the next run on it counts as failed.\n'],
    [
      'held forget -- -x',
      ['-x'],
      'forget',
      '1 held call settled: from the next run on it counts as failed.\n',
    ],
    ['held forget x --json', ['x'], 'forget', '{\n  "settled": [\n    "key"\n  ]\n}\n'],
  ])('"%s" settles what it says', async (line, selection, how, out) => {
    const asked: unknown[] = [];
    const spoken = await speak(line, {
      settleHeld: async (...given) => {
        asked.push(given.slice(0, 2));
        return ['key'];
      },
    });
    expect(asked).toEqual([[selection, how]]);
    expect(spoken).toEqual({ exitCode: 0, out, err: '' });
  });

  test.each([
    [
      'held resend',
      'error mediasweep held resend: expected reuse keys, items or patterns, found none. Name some, or say --all.\n',
    ],
    [
      'held forget x --all',
      'error mediasweep held forget: expected words or --all, found both. Leave one of them out.\n',
    ],
    [
      'held resend x y',
      'error mediasweep held resend: nothing that is held matches "x", "y". mediasweep held list shows what is.\n',
    ],
  ])('"%s" is refused, and changes nothing', async (line, err) => {
    expect(await speak(line, { settleHeld: async () => [] })).toEqual({ exitCode: 2, out: '', err });
  });

  test('of all where nothing is held is no mistake', async () => {
    const { exitCode, out } = await speak('held forget --all', { settleHeld: async () => [] });
    expect([exitCode, out]).toEqual([0, 'nothing is held.\n']);
  });
});

describe('failed list', () => {
  test('shows each failure with the vendor’s words, harmless for a terminal, and who is acknowledged', async () => {
    const { exitCode, out } = await speak('failed list', {
      listFailed: async () => [
        failed,
        { ...failed, item: 'media/c.jpg', acknowledgedAt: '2026-11-20T03:00:00.000Z' },
      ],
    });
    expect(exitCode).toBe(0);
    expect(out).toContain('open          media/\\x1b[2Jb.jpg');
    expect(out).toContain('acknowledged  media/c.jpg');
    expect(out).toContain('media-unreadable (400): not an image');
    expect(out).toContain('2 failures remembered, 1 not acknowledged.');
  });

  test('prints one document with --json', async () => {
    const { out } = await speak('failed list --json', { listFailed: async () => [failed] });
    expect(JSON.parse(out)).toEqual({ failed: [failed] });
  });

  test('says so where there is none', async () => {
    expect((await speak('failed list', { listFailed: async () => [] })).out).toBe(
      'no failure is remembered.\n',
    );
  });
});

describe('failed acknowledge', () => {
  test('tells how many are out of the exit code', async () => {
    const { exitCode, out } = await speak('failed acknowledge --all', {
      acknowledgeFailed: async () => ['a', 'b'],
    });
    expect([exitCode, out]).toEqual([
      0,
      '2 failures acknowledged: still reported, no longer in the exit code.\n',
    ]);
  });

  test('of what was acknowledged before is no mistake', async () => {
    const { exitCode, out } = await speak('failed acknowledge x', {
      acknowledgeFailed: async () => [],
      listFailed: async () => [failed],
    });
    expect([exitCode, out]).toEqual([0, 'no failure that is not acknowledged.\n']);
  });

  test('of what did not fail is refused', async () => {
    const spoken = await speak('failed acknowledge x', {
      acknowledgeFailed: async () => [],
      listFailed: async () => [],
    });
    expect(spoken.exitCode).toBe(2);
    expect(spoken.err).toBe(
      'error mediasweep failed acknowledge: no remembered failure matches "x". mediasweep failed list shows what there is.\n',
    );
  });
});
