import { describe, expect, test } from 'vitest';
import type { RunResult, RunWatch } from '../../src/cli/spine.ts';
import type { Progress } from '../../src/domain/progress.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { makeProgress, makeResult, makeRun, makeTerminal, speak, type Terminal } from './desk.ts';

interface Staged {
  readonly terminal?: Terminal;
  readonly flags?: string;
  readonly isResumed?: boolean;
  /** Where the progress stands at first. */
  readonly from?: Partial<Progress>;
  /** What happens: it may let time pass on the clock, and change the progress. */
  readonly play: (stage: {
    readonly clock: VirtualClock;
    readonly watch: RunWatch;
    readonly set: (progress: Partial<Progress>) => void;
  }) => Promise<RunResult | void>;
}

async function perform({
  terminal = makeTerminal(),
  flags = '',
  isResumed = false,
  from = {},
  play,
}: Staged) {
  const clock = new VirtualClock();
  let progress = makeProgress(from);
  const run = async (_: unknown, __: unknown, watch: RunWatch) => {
    watch.begun(makeRun({ startedAt: '2026-11-20T00:00:00Z' }), isResumed);
    watch.follow(() => progress);
    const result = await play({
      clock,
      watch,
      set: (change) => {
        progress = { ...progress, ...change };
      },
    });
    return result ?? makeResult();
  };
  const spoken = await speak(`run audit.yaml ${flags}`, { run }, { terminal, clock });
  return { ...spoken, pieces: terminal.pieces };
}

const busy = {
  listed: 118_204,
  isListed: true,
  planned: 114_000,
  asked: 41_870,
  answered: 38_102,
  atVendor: 3768,
  failed: 12,
  held: 1,
};

const capped: Partial<Progress> = {
  spending: {
    spent: 213_100_000_000n,
    reserved: 4_200_000_000n,
    currency: 'CNY',
    overrun: {},
    caps: [
      {
        name: 'caps.units.pai/basic',
        scope: 'run',
        sku: 'pai/basic',
        isLoopback: false,
        spent: 9n,
        reserved: 0n,
        limit: 10n,
      },
      {
        name: 'caps.run',
        scope: 'run',
        isLoopback: false,
        spent: 213_100_000_000n,
        reserved: 4_200_000_000n,
        limit: 500_000_000_000n,
      },
      {
        name: 'caps.month',
        scope: 'pipeline',
        isLoopback: false,
        spent: 300_000_000_000n,
        reserved: 4_200_000_000n,
        limit: 20_000_000_000_000n,
      },
    ],
  },
};

describe('progress under caps', () => {
  test('names what is spent where there is no cap', async () => {
    const spending = { ...capped.spending, caps: [] } as Progress['spending'];
    const { err } = await perform({ from: { ...busy, spending }, play: ({ clock }) => clock.sleep(61_000) });
    expect(err.split('\n')[1]).toContain('  spent 213.10 CNY (reserved 4.20)  ');
  });

  test('names what is spent and reserved of the cap on money that is nearest, and the tasks over it', async () => {
    const { err } = await perform({
      from: { ...busy, ...capped, overCap: 12 },
      play: ({ clock }) => clock.sleep(61_000),
    });
    expect(err.split('\n')[1]).toBe(
      '2026-11-20T02:01:00Z  33 %  listed 118,204  asked 41,870  answered 38,102  at the vendor 3,768  failed 12  held 1  over the cap 12  spent 213.10 of 500.00 CNY (reserved 4.20)  0.0/s',
    );
  });

  test('names units where no money is capped', async () => {
    const [units] = capped.spending?.caps ?? [];
    const { err } = await perform({
      from: {
        ...busy,
        spending: { ...(capped.spending as NonNullable<Progress['spending']>), caps: units ? [units] : [] },
      },
      play: ({ clock }) => clock.sleep(61_000),
    });
    expect(err).toContain('  spent 9 of 10 pai/basic (reserved 0)  ');
  });

  test('as JSON has money as exact decimals', async () => {
    const { err } = await perform({
      flags: '--log json',
      from: { ...busy, ...capped },
      play: ({ clock }) => clock.sleep(61_000),
    });
    expect(JSON.parse(err.trimEnd().split('\n')[1] ?? '')).toMatchObject({
      spent: '213.1',
      reserved: '4.2',
      cap: 'caps.run',
      capSpent: '213.1',
      capReserved: '4.2',
      capLimit: '500',
    });
  });
});

describe('progress in cron', () => {
  test('is a plain line once a minute', async () => {
    const { err } = await perform({
      play: async ({ clock, set }) => {
        set({ listed: 1000, planned: 900, asked: 10 });
        await clock.sleep(59_000);
        set({ asked: 700, answered: 600, atVendor: 90 });
        await clock.sleep(62_000);
        set({
          listed: 2000,
          isListed: true,
          planned: 1800,
          asked: 1300,
          answered: 1200,
          atVendor: 88,
          failed: 2,
        });
        await clock.sleep(60_000);
      },
    });
    expect(err.split('\n')).toEqual([
      'audit 20261120T020000Z-audit begins',
      '2026-11-20T02:01:00Z  listing 1,000  asked 700  answered 600  at the vendor 90  failed 0  held 0  10.0/s',
      '2026-11-20T02:02:00Z  listing 1,000  asked 700  answered 600  at the vendor 90  failed 0  held 0  0.0/s',
      '2026-11-20T02:03:00Z  66 %  listed 2,000  asked 1,300  answered 1,200  at the vendor 88  failed 2  held 0  10.0/s  1 min 00 s left',
      '',
    ]);
  });

  test('says nothing of a run that takes less than a minute, but that it begins', async () => {
    const { err } = await perform({ play: ({ clock }) => clock.sleep(59_999) });
    expect(err).toBe('audit 20261120T020000Z-audit begins\n');
  });

  test('has no control characters', async () => {
    const { err } = await perform({ play: ({ clock }) => clock.sleep(600_000) });
    expect(err.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(err.split('\n').length).toBeGreaterThan(9);
  });
});

describe('progress on a terminal', () => {
  const wide = () => makeTerminal({ isTerminal: true, columns: 140 });

  test('is one line drawn again at most four times a second, and gone at the end', async () => {
    const { pieces, out } = await perform({
      terminal: wide(),
      from: busy,
      play: async ({ clock, set }) => {
        await clock.sleep(1100);
        set({ asked: 41_880, answered: 38_112 });
        await clock.sleep(9000);
      },
    });
    const drawn = pieces.filter((piece) => piece.startsWith('\r') && piece.length > 5);
    expect(drawn.length).toBeLessThanOrEqual(4 * 10.1 + 1);
    expect(drawn.length).toBeGreaterThan(30);
    expect(drawn[0]).toBe(
      '\r33 %  listed 118,204  asked 41,870  answered 38,102  at the vendor 3,768  failed 12  held 1  0.0/s\x1b[K',
    );
    expect(drawn.at(-1)).toContain('answered 38,112');
    expect(drawn.at(-1)).toContain('1.0/s  21 h 05 min left');
    expect(pieces.at(-1)).toBe('\r\x1b[K');
    expect(out).toContain('audit 20261120T020000Z-audit finished');
  });

  test('foresees an end only when listing is done', async () => {
    const { pieces } = await perform({
      terminal: wide(),
      from: { ...busy, isListed: false },
      play: async ({ clock, set }) => {
        await clock.sleep(1000);
        set({ answered: 38_200 });
        await clock.sleep(1000);
      },
    });
    expect(pieces.join('')).toContain('listing 118,204');
    expect(pieces.join('')).not.toMatch(/left|%/);
  });

  test.each([
    [90, '33 %  listed 118,204  answered 38,102  at the vendor 3,768  failed 12  held 1  0.0/s'],
    [70, '33 %  listed 118,204  answered 38,102  failed 12  held 1  0.0/s'],
    [40, '33 %  answered 38,102  failed 12  0.0/s'],
  ])('fits %i columns', async (columns, line) => {
    const { pieces } = await perform({
      terminal: makeTerminal({ isTerminal: true, columns }),
      from: busy,
      play: ({ clock }) => clock.sleep(300),
    });
    expect(pieces.filter((piece) => piece.startsWith('\r')).at(-2)).toBe(`\r${line}\x1b[K`);
  });

  test('makes way for a warning and comes back', async () => {
    const { pieces } = await perform({
      terminal: wide(),
      play: async ({ clock, watch }) => {
        await clock.sleep(300);
        watch.log.warn('slow down', { account: 'pai-prod' });
        await clock.sleep(300);
      },
    });
    const at = pieces.indexOf('warn slow down account=pai-prod\n');
    expect(pieces[at - 1]).toBe('\r\x1b[K');
    expect(pieces[at + 1]).toMatch(/^\rlisting 0/);
  });

  test('is gone before an error is told', async () => {
    const { exitCode, pieces } = await perform({
      terminal: wide(),
      play: async ({ clock }) => {
        await clock.sleep(300);
        throw new Stop(exitCodes.halted, 'the disk is full.');
      },
    });
    expect(exitCode).toBe(3);
    expect(pieces.slice(-2)).toEqual(['\r\x1b[K', 'error the disk is full.\n']);
  });

  test('marks failures and held tasks in colour', async () => {
    const { pieces } = await perform({
      terminal: makeTerminal({ isTerminal: true, columns: 140, useColour: true }),
      play: async ({ clock, set }) => {
        set(busy);
        await clock.sleep(300);
      },
    });
    expect(pieces.join('')).toContain('\x1b[31mfailed 12\x1b[39m  \x1b[33mheld 1\x1b[39m');
  });
});

test('a run that goes on says when it began', async () => {
  const { err } = await perform({ isResumed: true, play: async () => undefined });
  expect(err).toBe('audit 20261120T020000Z-audit goes on; it began 2 h 00 min ago\n');
});

test('a progress that cannot be read is our mistake', async () => {
  const { exitCode, err } = await perform({
    terminal: makeTerminal({ isTerminal: true }),
    play: async ({ clock, watch }) => {
      watch.follow(() => {
        throw new Error('no counters');
      });
      await clock.sleep(1000);
    },
  });
  expect(exitCode).toBe(70);
  expect(err).toContain('this is a mistake of mediasweep: no counters');
});

describe('what the stages tell', () => {
  const tell = ({ watch }: { watch: RunWatch }) => {
    watch.log.info('adopted an orphaned job', { job: 'j1' });
    watch.log.warn('a row is\x1b[2J broken', {
      line: 17,
      words: 'two words',
      isLast: false,
      nothing: undefined,
    });
    return Promise.resolve();
  };

  test('is warnings only as text', async () => {
    const { err } = await perform({ play: tell });
    expect(err).toBe(
      'audit 20261120T020000Z-audit begins\nwarn a row is\\x1b[2J broken line=17 words="two words" isLast=false\n',
    );
  });

  test('is all of it as JSON, with the time and the run', async () => {
    const { err, out } = await perform({ flags: '--log json', play: tell });
    const lines = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const frame = { time: '2026-11-20T02:00:00.000Z', run: '20261120T020000Z-audit' };
    expect(lines).toEqual([
      { ...frame, level: 'info', msg: 'run begins', pipeline: 'audit', resumed: false },
      { ...frame, level: 'info', msg: 'adopted an orphaned job', job: 'j1' },
      { ...frame, level: 'warn', msg: 'a row is\x1b[2J broken', line: 17, words: 'two words', isLast: false },
    ]);
    expect(out).toContain('finished');
  });

  test('as JSON has the progress once a minute, on a terminal too', async () => {
    const { err } = await perform({
      terminal: makeTerminal({ isTerminal: true }),
      flags: '--log json',
      from: busy,
      play: async ({ clock, set }) => {
        await clock.sleep(30_000);
        set({ answered: 38_702 });
        await clock.sleep(31_000);
      },
    });
    const lines = err.trimEnd().split('\n');
    expect(lines.length).toBe(2);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      msg: 'progress',
      answered: 38_702,
      perSecond: 10,
      leftSeconds: 7529,
    });
  });

  test('is warnings only with --quiet, and there is no progress', async () => {
    const play: Staged['play'] = async (stage) => {
      await tell(stage);
      await stage.clock.sleep(300_000);
    };
    const text = await perform({ flags: '--quiet', play, terminal: makeTerminal({ isTerminal: true }) });
    expect(text.err).toBe('warn a row is\\x1b[2J broken line=17 words="two words" isLast=false\n');
    expect(text.out).toContain('finished');
    const json = await perform({ flags: '--quiet --log json', play });
    expect(json.err.trimEnd().split('\n').length).toBe(1);
    expect(JSON.parse(json.err)).toMatchObject({ level: 'warn', run: '20261120T020000Z-audit' });
  });
});
