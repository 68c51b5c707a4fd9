/** What a run came to, on one screen: the answer first, then why, then what to do. */
import { exitCodes } from '../../domain/problem.ts';
import { formatCount, formatDuration } from '../../domain/quantity.ts';
import type { Summary } from '../../domain/summary.ts';
import { formatAssumptions, formatCharge, formatFailures, formatSaved, formatUnits } from './charge.ts';
import { formatChange } from './diff.ts';
import { formatSkips } from './skip.ts';
import { formatCanary, formatCaps } from './spending.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { type Ink, inkVerdict, makeInk } from './ink.ts';
import { makePlain } from './plain.ts';
import { formatBroken, formatCauses, formatObstacles } from './obstacle.ts';
import type { Reported } from './reported.ts';
import { wrapText } from './table.ts';
import { countWord } from './word.ts';

export function printSummary(console: Console, reported: Reported): void {
  const ink = makeInk(console);
  const { summary } = reported;
  const width = widthOf(console);
  const body = [
    formatAccounts(summary),
    formatNothing(reported, ink),
    formatVerdicts(summary, ink),
    ...formatSince(summary, ink),
    formatCharge(summary, reported.bill, ink),
    formatUnits(summary),
    formatFailures(summary),
    formatSaved(summary),
    ...formatAssumptions(reported.assumptions, ink),
    ...formatCaps(summary, ink),
    ...formatCanary(summary, ink),
    ...formatObstacles(reported, ink),
    ...formatSkips(reported.skips),
    ...formatCauses(reported.causes, ink, width),
    ...formatBroken(summary.counts.broken, reported.broken),
  ];
  writeResult(console, [
    formatHeadline(reported, ink),
    ...body.filter((line) => line !== '').flatMap((line) => wrapText(`  ${line}`, width, '    ')),
    `  ${locateReport(reported)}`,
  ]);
}

function formatHeadline({ run, summary }: Reported, ink: Ink): string {
  const name = `${makePlain(summary.pipeline)} ${makePlain(summary.run)}`;
  const { exitCode } = summary;
  if (exitCode === null) {
    const state =
      run.state === 'superseded'
        ? 'was superseded by a later run'
        : 'has not ended; this is what is known so far';
    return `${ink.bold(name)} ${state}`;
  }
  const code = ink.dim(`(exit ${exitCode})`);
  return `${ink.bold(name)} ${inkEnding(exitCode, ink)(describeEnding(summary, exitCode))}  ${code}`;
}

function describeEnding({ counts, startedAt, endedAt }: Summary, exitCode: number): string {
  const ms = endedAt === null ? 0 : Date.parse(endedAt) - Date.parse(startedAt);
  const troubled = describeTroubled(counts);
  const took = `${formatDuration(ms)}${troubled === '' ? '' : ` with ${troubled}`}`;
  switch (exitCode) {
    case exitCodes.complete:
    case exitCodes.failures:
    case exitCodes.flagged:
      return `finished in ${took}`;
    case exitCodes.halted:
      return `halted after ${took}`;
    case exitCodes.interrupted:
      return `interrupted after ${took}`;
    case exitCodes.terminated:
      return `terminated after ${took}`;
    default:
      return `stopped after ${took}`;
  }
}

function describeTroubled({ failed, held }: Summary['counts']): string {
  return [
    ...(failed > 0 ? [countWord(failed, 'failure')] : []),
    ...(held > 0 ? [countWord(held, 'held task')] : []),
  ].join(' and ');
}

function inkEnding(exitCode: number, ink: Ink): (text: string) => string {
  switch (exitCode) {
    case exitCodes.complete:
      return ink.green;
    case exitCodes.failures:
    case exitCodes.flagged:
    case exitCodes.capped:
    case exitCodes.interrupted:
    case exitCodes.terminated:
      return ink.yellow;
    default:
      return ink.red;
  }
}

/** A run over nothing is complete, and most likely not what was meant. */
function formatNothing({ run, summary: { counts, listing } }: Reported, ink: Ink): string {
  const { items, unselected, broken } = counts;
  if (items + broken > 0 || listing !== 'complete' || run.onlyFailed !== undefined) return '';
  const why =
    unselected > 0
      ? `was selected of the ${formatCount(unselected)} that the source held: look at select`
      : 'is in the source: look at its bucket and prefix, or its path';
  return `${ink.yellow('nothing')} ${why}`;
}

/** Items x services, and what became of every one of them. */
function formatAccounts({ counts, listing }: Summary): string {
  const terms: readonly (readonly [number, string])[] = [
    [counts.notApplicable, 'not applicable'],
    [counts.answered, 'answered'],
    [counts.reused, 'reused'],
    [counts.skipped, 'skipped'],
    [counts.failed, 'failed'],
    [counts.held, 'held'],
    [counts.overCap, 'over the cap'],
    [counts.open, 'open'],
  ];
  const sum = terms.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  const apart = [
    ...(counts.unselected > 0 ? [`${formatCount(counts.unselected)} not selected`] : []),
    ...(counts.broken > 0 ? [countWord(counts.broken, 'broken row')] : []),
    ...(listing === 'partial' ? ['not listed to the end'] : []),
  ];
  const product = `${countWord(counts.items, 'item')} x ${countWord(counts.services, 'service')}`;
  return `${product} = ${sum.join(' + ') || '0'}${apart.length === 0 ? '' : `; ${apart.join(', ')}`}`;
}

function formatVerdicts({ verdicts }: Summary, ink: Ink): string {
  return (['block', 'review', 'incomplete', 'pass'] as const)
    .map((verdict) => {
      const text = `${verdict} ${formatCount(verdicts[verdict])}`;
      return verdicts[verdict] > 0 ? inkVerdict(ink, verdict, text) : text;
    })
    .join('   ');
}

/** The nights before are in the mails before: what is different tonight. */
function formatSince({ change }: Summary, ink: Ink): readonly string[] {
  if (!change) return [];
  const { previous, newlyFlagged, cleared } = change;
  const flagged = `${formatCount(newlyFlagged)} newly flagged`;
  const words = `${newlyFlagged > 0 ? ink.yellow(flagged) : flagged}, ${formatCount(cleared)} cleared`;
  return [`since ${makePlain(previous)}: ${words}`, formatChange(change)];
}

function locateReport({ folder, files }: Reported): string {
  return makePlain(files.includes('report.html') ? `${folder}/report.html` : folder);
}
