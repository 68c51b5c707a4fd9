/** What stood in a run's way: halted accounts, a source that broke off, failures by cause, broken rows. */
import { type BrokenRow, lineInFile } from '../../domain/item.ts';
import { exitCodes } from '../../domain/problem.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { Cause, Summary } from '../../domain/summary.ts';
import type { Ink } from './ink.ts';
import { makePlain } from './plain.ts';
import type { Reported } from './reported.ts';
import { clipText, formatTable } from './table.ts';
import { countWord } from './word.ts';

const mostHalts = 5;
const mostCauses = 5;
const mostBroken = 3;
const runAgain = 'Run again to go on.';
/** Exit codes after which a run goes on where it stopped. */
const goesOnAfter: readonly number[] = [
  exitCodes.halted,
  exitCodes.capped,
  exitCodes.interrupted,
  exitCodes.terminated,
];

/** Halts and other ends before the end, each with what to do. */
export function formatObstacles(reported: Reported, ink: Ink): readonly string[] {
  const { summary, halts = [], sourceTrouble } = reported;
  const source =
    sourceTrouble === undefined
      ? []
      : [ink.red(`listing broke off: ${makePlain(endSentence(sourceTrouble))}`)];
  const halted = halts.slice(0, mostHalts).map((halt) => ink.red(describeHalt(halt)));
  const more = halts.length > mostHalts ? [`${halts.length - mostHalts} more halted`] : [];
  const known = [...source, ...halted, ...more];
  const rest = goesOn(summary);
  const isKnownWhy = known.length > 0 && summary.exitCode !== exitCodes.ourMistake;
  return [...(isKnownWhy ? [] : saysWhy(summary, rest, ink)), ...known, ...rest];
}

/** The words that the ledger keeps, where they tell more than the headline does. */
function saysWhy({ exitCode, why }: Summary, rest: readonly string[], ink: Ink): readonly string[] {
  const isTelling =
    exitCode === exitCodes.halted ||
    exitCode === exitCodes.capped ||
    exitCode === exitCodes.flagged ||
    exitCode === exitCodes.ourMistake;
  if (!isTelling || why === null) return [];
  // The advice stands in its own line.
  const words = makePlain(why.replace(runAgain, '').trim());
  if (rest.some((line) => line.startsWith(words))) return [];
  return [
    exitCode === exitCodes.flagged || exitCode === exitCodes.capped ? ink.yellow(words) : ink.red(words),
  ];
}

function goesOn({ counts, exitCode, canary }: Summary): readonly string[] {
  const left = counts.open + counts.overCap;
  if (exitCode === null || !goesOnAfter.includes(exitCode)) return [];
  // Run again, a canary that said no says no again; what else may be done stands among the words of the run.
  if (exitCode === exitCodes.capped && canary?.state === 'stopped') return [];
  // A cap has advice of its own among the words of the run.
  if (exitCode === exitCodes.capped && counts.open === 0) return [];
  return [left === 0 ? runAgain : `${countWord(left, 'task is', 'tasks are')} still open. ${runAgain}`];
}

function describeHalt(halt: NonNullable<Reported['halts']>[number]): string {
  const reason = makePlain(halt.reason.replace(/\.$/, ''));
  // That one says itself what to do, and no credential is at fault.
  if (reason.endsWith('Set the clock')) return `account "${halt.account}" halted: ${reason}.`;
  return halt.service === undefined
    ? `account "${halt.account}" halted: ${reason}. Check its endpoint in config/accounts.yaml, and the variables that its credentials come from.`
    : `service "${halt.service}" on account "${halt.account}" halted: ${reason}. Check its options and model_name.`;
}

function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The most frequent causes, one line each, with an example to look at. */
export function formatCauses(
  causes: readonly Cause[],
  ink: Ink,
  width: number | undefined,
): readonly string[] {
  if (causes.length === 0) return [];
  const rows = causes
    .slice(0, mostCauses)
    .map((cause) => [
      cause.status,
      formatCount(cause.count),
      makePlain(cause.service),
      describeCause(cause),
      describeExample(cause),
    ]);
  const columns = ['', '', '', '', ''].map((title, index) => ({ title, isRight: index === 1 }));
  const room = width === undefined ? Number.POSITIVE_INFINITY : width - 2;
  const lines = formatTable(columns, rows)
    .map((line) => clipText(line, room))
    .map((line) => line.replace(/^failed/, ink.red).replace(/^held/, ink.yellow));
  const left = causes.slice(mostCauses).reduce((sum, { count }) => sum + count, 0);
  return [...lines, ...(left === 0 ? [] : [`and ${formatCount(left)} of other causes, in failures.csv`])];
}

function describeCause({ class: word, code, httpStatus }: Cause): string {
  const codes = [code === word ? '' : code, httpStatus === undefined ? '' : String(httpStatus)];
  const apart = [...new Set(codes)].filter((one) => one !== '').join(' ');
  return makePlain(apart === '' ? word : `${word} (${apart})`);
}

function describeExample({ examples: [example] }: Cause): string {
  if (!example) return '';
  const words = clipText(makePlain(example.message), 60);
  return `e.g. ${clipText(makePlain(example.item), 48)}${words === '' ? '' : `: ${words}`}`;
}

/** The first few, with the line to mend. */
export function formatBroken(count: number, rows: readonly BrokenRow[]): readonly string[] {
  if (count === 0) return [];
  const shown = rows.slice(0, mostBroken);
  const lines = shown.map((row) => `line ${lineInFile(row)}: ${clipText(makePlain(row.message), 100)}`);
  const more =
    count > shown.length && shown.length > 0 ? [`and ${formatCount(count - shown.length)} more`] : [];
  return [
    `${countWord(count, 'row')} of the manifest could not be read:`,
    ...lines.map((line) => `  ${line}`),
    ...more.map((line) => `  ${line}`),
  ];
}
