import { describe, expect, test } from 'vitest';
import { conclude, type Ending } from '../../src/domain/conclude.ts';

const counts = {
  items: 10,
  services: 1,
  notApplicable: 0,
  answered: 10,
  reused: 0,
  skipped: 0,
  failed: 0,
  held: 0,
  overCap: 0,
  open: 0,
  unselected: 0,
  broken: 0,
};
const good: Ending = {
  counts,
  verdicts: { pass: 8, incomplete: 0, review: 1, block: 1 },
  isBalanced: true,
  expected: 10,
  found: 10,
  halts: [],
};

describe('a run', () => {
  test.each<{ name: string; ending: Partial<Ending>; exitCode: number; state: string; why: string }>([
    { name: 'that did everything', ending: {}, exitCode: 0, state: 'finished', why: 'finished' },
    {
      name: 'with failures and held tasks',
      ending: { counts: { ...counts, failed: 1, held: 2 } },
      exitCode: 1,
      state: 'finished',
      why: 'finished with 1 failure and 2 held tasks',
    },
    {
      name: 'that a deadline cut short',
      ending: { counts: { ...counts, answered: 8, open: 2, failed: 1 }, deadline: '--until 06:00' },
      exitCode: 4,
      state: 'stopped',
      why: 'stopped at --until 06:00. Run again to go on.',
    },
    {
      name: 'that a deadline cut short after a cap',
      ending: { counts: { ...counts, answered: 7, overCap: 3 }, deadline: 'deadlines.run (8 h 00 min)' },
      exitCode: 4,
      state: 'stopped',
      why: 'stopped at the cap, 3 tasks over it; stopped at deadlines.run (8 h 00 min). Run again to go on.',
    },
    {
      name: 'that its canary stopped',
      ending: {
        counts: { ...counts, answered: 1, failed: 1, open: 8 },
        canaryStop: 'stopped by the canary of 2 items: 1 of 2 tasks failed',
      },
      exitCode: 4,
      state: 'stopped',
      why: 'stopped by the canary of 2 items: 1 of 2 tasks failed',
    },
    {
      name: 'that came to the end of its plan',
      ending: { counts: { ...counts, answered: 9, overCap: 1 }, fullCaps: ['plan.pai/basic'] },
      exitCode: 4,
      state: 'stopped',
      why: 'stopped at the cap (plan.pai/basic), 1 task over it. Allow for more with --plan FILE --tolerance SHARE, or a new plan, and run again to go on.',
    },
    {
      name: 'whose failures are acknowledged in part',
      ending: { counts: { ...counts, failed: 3 }, acknowledged: 2 },
      exitCode: 1,
      state: 'finished',
      why: 'finished with 1 failure, 2 acknowledged failures besides',
    },
    {
      name: 'whose failures are all acknowledged',
      ending: { counts: { ...counts, failed: 1 }, acknowledged: 1 },
      exitCode: 0,
      state: 'finished',
      why: 'finished with 1 acknowledged failure',
    },
    {
      name: 'with flagged items under --fail-on review',
      ending: { failOn: 'review' },
      exitCode: 5,
      state: 'finished',
      why: 'finished, and 2 items flagged (--fail-on review)',
    },
    {
      name: 'with flagged items under --fail-on block',
      ending: { failOn: 'block' },
      exitCode: 5,
      state: 'finished',
      why: 'finished, and 1 item flagged (--fail-on block)',
    },
    {
      name: 'whose failures weigh more than its flags',
      ending: { failOn: 'block', counts: { ...counts, failed: 3 } },
      exitCode: 1,
      state: 'finished',
      why: 'finished with 3 failures',
    },
    {
      name: 'with a halted account',
      ending: {
        halts: [{ account: 'pai-prod', reason: '"sign error" (401)' }],
        counts: { ...counts, open: 4, failed: 1 },
      },
      exitCode: 3,
      state: 'stopped',
      why: 'halted: account "pai-prod": "sign error" (401). Run again to go on.',
    },
    {
      name: 'with a halted service',
      ending: { halts: [{ account: 'a', service: 'pai/x', reason: '"model not found" (404)' }] },
      exitCode: 3,
      state: 'stopped',
      why: 'halted: service "pai/x" on account "a": "model not found" (404). Run again to go on.',
    },
    {
      name: 'with tasks left open',
      ending: { counts: { ...counts, open: 1200 } },
      exitCode: 3,
      state: 'stopped',
      why: '1,200 tasks are still open. Run again to go on.',
    },
    {
      name: 'that was interrupted although an account halted too',
      ending: { signal: 'SIGINT', halts: [{ account: 'a', reason: 'x' }], counts: { ...counts, open: 3 } },
      exitCode: 130,
      state: 'stopped',
      why: 'interrupted. Run again to go on.',
    },
    {
      name: 'that was terminated',
      ending: { signal: 'SIGTERM' },
      exitCode: 143,
      state: 'stopped',
      why: 'terminated. Run again to go on.',
    },
    {
      name: 'whose source was lost',
      ending: { sourceTrouble: { message: 'storage "main": connection refused.', exitCode: 3 } },
      exitCode: 3,
      state: 'stopped',
      why: 'storage "main": connection refused. Run again to go on.',
    },
    {
      name: 'with tasks over its cap',
      ending: { counts: { ...counts, overCap: 7 }, fullCaps: ['caps.run', 'caps.units.pai/basic'] },
      exitCode: 4,
      state: 'stopped',
      why: 'stopped at the cap (caps.run, caps.units.pai/basic), 7 tasks over it. Raise it and run again to go on.',
    },
    {
      name: 'whose accounts do not balance, whatever else holds',
      ending: { isBalanced: false, expected: 10, found: 9, signal: 'SIGINT' },
      exitCode: 70,
      state: 'stopped',
      why: 'the accounts do not balance: 10 tasks expected, 9 found. This is a mistake of mediasweep.',
    },
  ])('$name exits with $exitCode', ({ ending, exitCode, state, why }) => {
    expect(conclude({ ...good, ...ending })).toEqual({ exitCode, state, why });
  });
});
