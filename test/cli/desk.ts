/** A command line over a program and a terminal that are not there: what tests ask of it and read from it. */
import { runCommand } from '../../src/cli/program.ts';
import type { Console } from '../../src/cli/print/terminal.ts';
import type { ReportResult, RunResult, Spine, StatusResult } from '../../src/cli/spine.ts';
import type { BillRow, RunRecord } from '../../src/domain/ledger.ts';
import type { Progress } from '../../src/domain/progress.ts';
import type { Summary } from '../../src/domain/summary.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface Terminal extends Console {
  readonly written: { out: string; err: string };
  /** One entry for each piece of text that reached stderr. */
  readonly pieces: string[];
}

export function makeTerminal(
  look: Partial<Pick<Console, 'isTerminal' | 'columns' | 'useColour'>> = {},
): Terminal {
  const written = { out: '', err: '' };
  const pieces: string[] = [];
  return {
    written,
    pieces,
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
      pieces.push(text);
    },
    isTerminal: false,
    columns: 80,
    useColour: false,
    ...look,
  };
}

/** Whatever a test does not give must not be asked for. */
export function makeSpine(given: Partial<Spine>): Spine {
  return new Proxy(given as Spine, {
    get: (spine, name) => {
      const found: unknown = Reflect.get(spine, name);
      if (found === undefined) throw new Error(`the program was asked for ${String(name)}`);
      return found;
    },
  });
}

export interface Spoken {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Outside {
  readonly terminal?: Terminal;
  readonly clock?: VirtualClock;
  readonly stop?: AbortSignal;
}

/** Runs one command; words are split at spaces. */
export async function speak(
  line: string | readonly string[],
  given: Partial<Spine> = {},
  outside: Outside = {},
) {
  const terminal = outside.terminal ?? makeTerminal();
  const clock = outside.clock ?? new VirtualClock();
  const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
  const exitCode = await clock.drive(
    runCommand(argv, {
      spine: makeSpine(given),
      console: terminal,
      clock,
      stop: outside.stop ?? new AbortController().signal,
      version: '1.2.3',
    }),
  );
  return { exitCode, ...terminal.written } satisfies Spoken;
}

export function makeRun(given: Partial<RunRecord> = {}): RunRecord {
  return {
    id: '20261120T020000Z-audit',
    pipeline: 'audit',
    state: 'finished',
    hash: 'c0ffee',
    shapeHash: 'decaf',
    services: ['pai/image-quality', 'qiniu/video-censor'],
    written: {},
    listing: 'complete',
    counters: { items: 100, notApplicable: 100, unselected: 0, broken: 0 },
    startedAt: '2026-11-20T02:00:00.000Z',
    endedAt: '2026-11-20T11:04:00.000Z',
    exitCode: 0,
    why: 'finished',
    ...given,
  };
}

type SummaryChange = Partial<Omit<Summary, 'counts' | 'verdicts'>> & {
  readonly counts?: Partial<Summary['counts']>;
  readonly verdicts?: Partial<Summary['verdicts']>;
};

export function makeSummary(given: SummaryChange = {}): Summary {
  const { counts, verdicts, ...rest } = given;
  return {
    run: '20261120T020000Z-audit',
    pipeline: 'audit',
    configHash: 'c0ffee',
    listing: 'complete',
    counts: {
      items: 100,
      services: 2,
      notApplicable: 100,
      answered: 100,
      reused: 0,
      skipped: 0,
      failed: 0,
      held: 0,
      overCap: 0,
      open: 0,
      unselected: 0,
      broken: 0,
      ...counts,
    },
    startedAt: '2026-11-20T02:00:00.000Z',
    endedAt: '2026-11-20T11:04:00.000Z',
    units: { 'pai/basic': 100 },
    charge: '0.46',
    currency: 'CNY',
    complete: true,
    verdicts: { pass: 100, incomplete: 0, review: 0, block: 0, ...verdicts },
    exitCode: 0,
    why: 'finished',
    ...rest,
  };
}

export function makeBillRow(given: Partial<BillRow> = {}): BillRow {
  return {
    account: 'pai-prod',
    vendor: 'pai',
    sku: 'pai/basic',
    unit: 'call',
    observed: 100,
    estimated: 0,
    uncertain: 0,
    free: 0,
    pack: 0,
    charge: 460_000_000n,
    currency: 'CNY',
    isComplete: true,
    assumptions: {},
    ...given,
  };
}

export function makeReport(given: Partial<ReportResult> = {}): ReportResult {
  return {
    run: makeRun(),
    summary: makeSummary(),
    bill: [makeBillRow()],
    assumptions: {},
    causes: [],
    skips: [],
    broken: [],
    folder: '/srv/reports/audit/20261120T020000Z-audit',
    files: ['items.csv', 'report.html', 'summary.json'],
    ...given,
  };
}

export function makeResult(given: Partial<RunResult> = {}): RunResult {
  return { ...makeReport(), exitCode: 0, halts: [], ...given };
}

export function makeStatus(given: Partial<StatusResult> = {}): StatusResult {
  return {
    run: makeRun(),
    isAlive: false,
    tasks: [{ service: 'pai/image-quality', state: 'answered', reason: '', count: 100 }],
    bill: [makeBillRow()],
    spending: { spent: 0n, reserved: 0n, currency: 'CNY', caps: [], overrun: {} },
    ...given,
  };
}

export function makeProgress(given: Partial<Progress> = {}): Progress {
  return {
    listed: 0,
    isListed: false,
    planned: 0,
    asked: 0,
    answered: 0,
    atVendor: 0,
    failed: 0,
    held: 0,
    repeated: 0,
    ...given,
  };
}
