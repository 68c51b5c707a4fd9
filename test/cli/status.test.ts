import { describe, expect, test } from 'vitest';
import type { StatusResult } from '../../src/cli/spine.ts';
import { makeBillRow, makeRun, makeStatus, makeTerminal, speak } from './desk.ts';

const answering = (runs: readonly StatusResult[]) => ({ status: async () => ({ runs }) });

describe('status', () => {
  test('lists runs, newest first, with what became of each', async () => {
    const runs = [
      makeStatus({
        run: makeRun({
          id: '20261120T013000Z-夜间',
          state: 'running',
          startedAt: '2026-11-20T01:30:00Z',
          endedAt: undefined,
          exitCode: undefined,
        }),
        isAlive: true,
        tasks: [
          { service: 's', state: 'accepted', reason: '', count: 30 },
          { service: 's', state: 'reused', reason: '', count: 4 },
          { service: 's', state: 'failed', reason: 'gone', count: 1 },
        ],
        bill: [],
      }),
      makeStatus({
        run: makeRun({
          id: 'b',
          state: 'running',
          startedAt: '2026-11-19T01:30:00Z',
          endedAt: undefined,
          exitCode: undefined,
        }),
        bill: [makeBillRow({ isComplete: false, charge: 0n })],
      }),
      makeStatus({ run: makeRun({ id: 'c', state: 'stopped', exitCode: 4 }) }),
      makeStatus({ run: makeRun({ id: 'd', exitCode: 1 }) }),
      makeStatus({ run: makeRun({ id: 'e', state: 'superseded', exitCode: 130 }) }),
    ];
    const { exitCode, out, err } = await speak('status', answering(runs));
    expect([exitCode, err]).toEqual([0, '']);
    expect(out.split('\n')).toEqual([
      'run                    state              began                        took  items  answered  reused  failed  held  open             charge',
      '20261120T013000Z-夜间  running            2026-11-20T01:30:00Z  30 min 00 s    100         0       4       1     0    30                  -',
      expect.stringMatching(/^b {22}died .* at least 0\.00 CNY$/),
      expect.stringMatching(/^c {22}stopped \(exit 4\) /),
      expect.stringMatching(/^d {22}finished \(exit 1\) .*9 h 04 min .* 0\.4600 CNY$/),
      expect.stringMatching(/^e {22}superseded /),
      '',
    ]);
  });

  test('of an empty ledger says how to begin', async () => {
    expect(await speak('status', answering([]))).toEqual({
      exitCode: 0,
      out: 'no run yet. Begin one: mediasweep run pipelines/NAME.yaml. (Rehearsals have a state of their own: --state .mediasweep/rehearsal)\n',
      err: '',
    });
  });

  test('of a run that is not there is wrong use', async () => {
    expect(await speak('status nope', answering([]))).toEqual({
      exitCode: 2,
      out: '',
      err: 'error mediasweep status: there is no run "nope". mediasweep status lists all.\n',
    });
  });

  test('of one run counts by service and state, gives reasons and the bill so far', async () => {
    const status = makeStatus({
      run: makeRun({
        state: 'running',
        startedAt: '2026-11-19T23:50:00Z',
        endedAt: undefined,
        exitCode: undefined,
        why: undefined,
        listing: 'partial',
        counters: { items: 1200, notApplicable: 1, unselected: 3, broken: 1 },
      }),
      isAlive: true,
      tasks: [
        { service: 'pai/image-quality', state: 'answered', reason: '', count: 1000 },
        { service: 'qiniu/video-censor', state: 'accepted', reason: '', count: 80 },
        { service: 'qiniu/video-censor', state: 'failed', reason: 'media-unreadable', count: 2 },
        { service: 'pai/image-quality', state: 'skipped', reason: 'fit: too large', count: 31 },
      ],
      bill: [
        makeBillRow(),
        makeBillRow({
          account: 'qiniu-prod',
          sku: 'qiniu/pulp-image',
          observed: 5,
          estimated: 400,
          uncertain: 2,
          charge: 0n,
          isComplete: false,
        }),
      ],
    });
    const { out } = await speak('status latest', answering([status]));
    expect(out.trimEnd().split('\n')).toEqual([
      'audit 20261120T020000Z-audit is running; it began 2 h 10 min ago, at 2026-11-19T23:50:00Z',
      '  listed so far 1,200 items, 1 pair not applicable, 3 not selected, 1 broken row',
      '',
      '  service             accepted  answered  skipped  failed',
      '  pai/image-quality          0     1,000       31       0',
      '  qiniu/video-censor        80         0        0       2',
      '',
      '  skipped  31  pai/image-quality   fit: too large',
      '  failed    2  qiniu/video-censor  media-unreadable',
      '',
      '  account     SKU               observed  estimated  uncertain                     charge',
      '  pai-prod    pai/basic              100          0          0                 0.4600 CNY',
      '  qiniu-prod  qiniu/pulp-image         5        400          2  405 units without a price',
      '                                                                      at least 0.4600 CNY',
    ]);
  });

  test.each([
    [
      'died',
      makeStatus({ run: makeRun({ state: 'running', endedAt: undefined }) }),
      'died: its process is gone; it began 0 ms ago, at 2026-11-20T02:00:00Z. Run again to go on.',
    ],
    [
      'was stopped',
      makeStatus({ run: makeRun({ state: 'stopped', exitCode: 143 }) }),
      'stopped (exit 143) after 9 h 04 min; it began at 2026-11-20T02:00:00Z',
    ],
    ['finished', makeStatus(), 'finished (exit 0) after 9 h 04 min; it began at 2026-11-20T02:00:00Z'],
    [
      'was superseded',
      makeStatus({ run: makeRun({ state: 'superseded' }) }),
      'is superseded: a later run took its open jobs over; it began at 2026-11-20T02:00:00Z',
    ],
  ])('of a run that %s says so, with the reason', async (_, status, words) => {
    const { out } = await speak(
      'status latest',
      answering([{ ...status, run: { ...status.run, why: 'because' } }]),
    );
    expect(out.split('\n').slice(0, 2)).toEqual([`audit 20261120T020000Z-audit ${words}`, '  because']);
  });

  test('does not say "finished" twice', async () => {
    expect((await speak('status latest', answering([makeStatus()]))).out.match(/finished/g)).toHaveLength(1);
  });

  test('shows how far the caps have come, and what passed its reservation', async () => {
    const cap = { scope: 'run', isLoopback: false, limit: 500_000_000_000n, reserved: 0n } as const;
    const spending = {
      spent: 12_500_000_000n,
      reserved: 250_000_000n,
      currency: 'CNY',
      caps: [
        { ...cap, name: 'caps.run', spent: 12_500_000_000n, reserved: 250_000_000n },
        { ...cap, name: 'caps.units.pai/basic', sku: 'pai/basic', spent: 100n, limit: 1000n },
      ],
      overrun: { 'pai/basic': 2 },
    };
    const { out } = await speak('status latest', answering([makeStatus({ spending })]));
    expect(out.trimEnd().split('\n').slice(-4)).toEqual([
      '',
      '  caps.run: 12.50 CNY spent + 0.2500 CNY reserved of 500.00 CNY',
      '  caps.units.pai/basic: 100 spent of 1,000 units',
      '  overrun: 2 units beyond what was reserved (pai/basic 2)',
    ]);
    const { out: json } = await speak('status latest --json', answering([makeStatus({ spending })]));
    expect(JSON.parse(json).runs[0]).toMatchObject({
      caps: [
        { cap: 'caps.run', spent: '12.5', reserved: '0.25', limit: '500' },
        { cap: 'caps.units.pai/basic', sku: 'pai/basic', spent: 100, reserved: 0, limit: 1000 },
      ],
      overrun: { 'pai/basic': 2 },
    });
  });

  test('of a run that goes on tells how far its limits are used, its shards, and who works on what', async () => {
    const limits = { openJobs: { now: 0, allowed: 100 }, processes: 3 };
    const status = makeStatus({
      run: makeRun({ state: 'running', endedAt: undefined }),
      isAlive: true,
      tasks: [
        { service: 's', state: 'planned', reason: '', count: 1200 },
        { service: 's', state: 'waiting', reason: '', count: 3 },
        { service: 's', state: 'accepted', reason: '', count: 40 },
      ],
      shards: { total: 9, done: 3, underway: 2, waiting: 4, workers: ['one:1:a'] },
      pace: [
        {
          account: 'pai-prod',
          perSecond: { now: 38.21, allowed: 50 },
          inFlight: { now: 7, allowed: 8 },
          share: 1,
          ...limits,
        },
        {
          account: 'qiniu-prod',
          service: 'censor',
          perSecond: { now: 0.5, allowed: 12.5 },
          inFlight: { now: 1, allowed: 2 },
          share: 0.25,
          ...limits,
        },
      ],
    });
    const workers = [
      { process: 'one:1:a', places: 4, shards: 2 },
      { process: 'two:1:b', places: 4, shards: 0 },
      { process: 'three:1:c', places: 4, shards: 1 },
    ];
    const report = { status: async () => ({ runs: [status], workers }) };
    const { out } = await speak('status latest', report);
    const lines = out.split('\n');
    expect(lines.slice(2, 9)).toEqual([
      '  3 of 9 shards done, 2 in hand, 4 waiting; at work: one:1:a',
      '  other workers: two:1:b (idle), three:1:c (on other runs)',
      '',
      '  limits of           calls a second  in flight  open jobs  throttled',
      '  pai-prod                38.2 of 50     7 of 8   0 of 100          -',
      '  qiniu-prod, censor     0.5 of 12.5     1 of 2   0 of 100    to 25 %',
      '',
    ]);
    const none = await speak('status latest', { status: async () => ({ runs: [status], workers: [] }) });
    expect(none.out).toContain('no worker lives: start `mediasweep worker`');
    const json = JSON.parse((await speak('status latest --json', report)).out);
    expect(json).toMatchObject({
      runs: [
        {
          backlog: 1203,
          shards: { total: 9, done: 3, underway: 2, waiting: 4, workers: ['one:1:a'] },
          pace: [{ account: 'pai-prod', perSecond: { now: 38.21, allowed: 50 } }, { share: 0.25 }],
        },
      ],
      workers,
    });
  });

  test('of a run without a bill says that nothing was billed', async () => {
    expect((await speak('status latest', answering([makeStatus({ bill: [] })]))).out).toContain(
      '  nothing billed so far\n',
    );
  });

  test('of a pipeline with several runs lists them', async () => {
    const { out } = await speak(
      'status audit',
      answering([makeStatus(), makeStatus({ run: makeRun({ id: 'older' }) })]),
    );
    expect(out).toMatch(/^run .*\n.*\nolder /);
  });

  test('with --json is one document, money as text', async () => {
    const { out } = await speak('status --json', answering([makeStatus({ isAlive: true })]));
    const { written: _, shapeHash: __, id, hash, counters, ...run } = makeRun();
    expect(JSON.parse(out)).toEqual({
      runs: [
        {
          ...run,
          run: id,
          configHash: hash,
          counts: counters,
          alive: true,
          tasks: [{ service: 'pai/image-quality', state: 'answered', reason: '', count: 100 }],
          bill: [{ ...makeBillRow(), charge: '0.46' }],
          caps: [],
          backlog: 0,
          overrun: {},
        },
      ],
    });
    expect(JSON.parse((await speak('status --json', answering([]))).out)).toEqual({ runs: [] });
  });

  test('colours what needs attention', async () => {
    const died = makeStatus({ run: makeRun({ state: 'running', endedAt: undefined }) });
    const { out } = await speak('status', answering([died]), { terminal: makeTerminal({ useColour: true }) });
    expect(out).toContain('\x1b[31mdied\x1b[39m');
  });
});
