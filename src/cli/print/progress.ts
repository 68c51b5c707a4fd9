/** Where a run stands: one line drawn again on a terminal, a plain line now and then elsewhere. */
import { findTightest } from '../../domain/caps.ts';
import type { LogFacts } from '../../domain/log.ts';
import type { RunRecord } from '../../domain/ledger.ts';
import type { Progress } from '../../domain/progress.ts';
import { formatCount, formatDuration } from '../../domain/quantity.ts';
import { countSettled, type PaceReading } from '../pace.ts';
import type { EstimateProgress } from '../spine.ts';
import { type Console, widthOf, writeNote } from './terminal.ts';
import { type Ink, makeInk } from './ink.ts';
import { formatSpending, spendingFacts } from './spending.ts';
import { clipText, displayWidth } from './table.ts';
import { formatInstant } from './word.ts';

export function printBegun(console: Console, run: RunRecord, isResumed: boolean, nowMs: number): void {
  const age = formatDuration(nowMs - Date.parse(run.startedAt));
  writeNote(console, [`${run.pipeline} ${run.id} ${isResumed ? `goes on; it began ${age} ago` : 'begins'}`]);
}

/** For cron: the instant, then everything there is to say. */
export function printProgress(console: Console, progress: Progress, pace: PaceReading, nowMs: number): void {
  const instant = formatInstant(new Date(nowMs).toISOString());
  const words = listParts(progress, pace).map(({ text }) => text);
  writeNote(console, [`${instant}  ${words.join('  ')}`]);
}

export interface ProgressLine {
  readonly draw: (progress: Progress, pace: PaceReading) => void;
  /** Takes the line away, so that other text can be written. */
  readonly clear: () => void;
}

export function openProgressLine(console: Console): ProgressLine {
  const { draw, clear } = openLine(console);
  return {
    draw: (progress, pace) =>
      draw(fitParts(listParts(progress, pace), (widthOf(console) ?? 80) - 1, makeInk(console))),
    clear,
  };
}

/** One line of a terminal that is drawn again and again; it must fit. */
export function openLine(console: Console): {
  readonly draw: (line: string) => void;
  readonly clear: () => void;
} {
  let isShown = false;
  return {
    draw: (line) => {
      console.err(`\r${line}\x1b[K`);
      isShown = true;
    },
    clear: () => {
      if (isShown) console.err('\r\x1b[K');
      isShown = false;
    },
  };
}

export function formatEstimateProgress({ listed, probed }: EstimateProgress): string {
  return `listing ${formatCount(listed)}  headers read ${formatCount(probed)}`;
}

export function printEstimateProgress(console: Console, progress: EstimateProgress, nowMs: number): void {
  const instant = formatInstant(new Date(nowMs).toISOString());
  writeNote(console, [`${instant}  ${formatEstimateProgress(progress)}`]);
}

/** For `--log json`. */
export function progressFacts(progress: Progress, pace: PaceReading): LogFacts {
  const { spending, ...counts } = progress;
  return {
    ...counts,
    ...(spending && spendingFacts(spending, findTightest(spending.caps))),
    perSecond: Number(pace.perSecond.toFixed(1)),
    leftSeconds: pace.leftMs === undefined ? undefined : Math.round(pace.leftMs / 1000),
  };
}

interface Part {
  readonly text: string;
  /** The highest goes first where the line is too narrow. */
  readonly canGo: number;
  readonly mood?: 'bad' | 'warn' | undefined;
}

function listParts(progress: Progress, pace: PaceReading): readonly Part[] {
  const { listed, isListed, asked, answered, atVendor, failed, held, overCap = 0 } = progress;
  const cap = progress.spending && findTightest(progress.spending.caps);
  const share = shareDone(progress);
  return [
    ...(isListed ? [{ text: `${share} %`, canGo: 1 }] : []),
    { text: `${isListed ? 'listed' : 'listing'} ${formatCount(listed)}`, canGo: 5 },
    { text: `asked ${formatCount(asked)}`, canGo: 7 },
    { text: `answered ${formatCount(answered)}`, canGo: 2 },
    { text: `at the vendor ${formatCount(atVendor)}`, canGo: 6 },
    {
      text: `failed ${formatCount(failed)}`,
      canGo: failed > 0 ? 3 : 8,
      mood: failed > 0 ? 'bad' : undefined,
    },
    { text: `held ${formatCount(held)}`, canGo: held > 0 ? 4 : 9, mood: held > 0 ? 'warn' : undefined },
    ...(overCap > 0
      ? [{ text: `over the cap ${formatCount(overCap)}`, canGo: 3, mood: 'warn' as const }]
      : []),
    ...(progress.spending ? [{ text: formatSpending(progress.spending, cap), canGo: 2 }] : []),
    { text: `${formatSpeed(pace.perSecond)}/s`, canGo: 1 },
    ...(pace.leftMs === undefined ? [] : [{ text: `${formatDuration(pace.leftMs)} left`, canGo: 0 }]),
  ];
}

/** In per cent; 100 only when nothing is left, since jobs of an earlier session may end beside the plan. */
function shareDone(progress: Progress): number {
  const settled = countSettled(progress);
  if (settled >= progress.planned) return progress.atVendor === 0 ? 100 : 99;
  return Math.floor((settled / progress.planned) * 100);
}

function formatSpeed(perSecond: number): string {
  return perSecond < 99.95 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond));
}

function fitParts(parts: readonly Part[], width: number, ink: Ink): string {
  const line = parts.map(({ text }) => text).join('  ');
  if (displayWidth(line) <= width) return parts.map((part) => colour(part, ink)).join('  ');
  if (parts.length === 1) return clipText(line, width);
  const most = Math.max(...parts.map(({ canGo }) => canGo));
  return fitParts(
    parts.filter(({ canGo }) => canGo < most),
    width,
    ink,
  );
}

function colour({ text, mood }: Part, ink: Ink): string {
  if (mood === undefined) return text;
  return mood === 'bad' ? ink.red(text) : ink.yellow(text);
}
