/** Where runs stand: a table of them, or one by service and state. */
import type { BillRow, RunRecord } from '../../domain/ledger.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Nano } from '../../domain/pricing.ts';
import { formatCount, formatDuration } from '../../domain/quantity.ts';
import { summariseCap } from '../../domain/summary.ts';
import { type Status, statuses, statusOf, taskStates } from '../../domain/task.ts';
import type { StatusReport, StatusResult } from '../spine.ts';
import { countUnpriced } from './charge.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { type Ink, makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatCaps } from './spending.ts';
import { formatTable, wrapText } from './table.ts';
import { countWord, formatInstant } from './word.ts';

export function printRuns(console: Console, runs: readonly StatusResult[], nowMs: number): void {
  const ink = makeInk(console);
  if (runs.length === 0) {
    writeResult(console, [
      'no run yet. Begin one: mediasweep run pipelines/NAME.yaml. (Rehearsals have a state of their own: --state .mediasweep/rehearsal)',
    ]);
    return;
  }
  const titles = [
    'run',
    'state',
    'began',
    'took',
    'items',
    'answered',
    'reused',
    'failed',
    'held',
    'open',
    'charge',
  ];
  const rows = runs.map((status) => {
    const counts = countStatuses(status);
    return [
      makePlain(status.run.id),
      inkState(status, ink),
      formatInstant(status.run.startedAt),
      formatDuration(tookMs(status, nowMs)),
      formatCount(status.run.counters.items),
      ...[counts.answered, counts.reused, counts.failed, counts.held, counts.open].map(formatCount),
      formatBillTotal(status.bill),
    ];
  });
  const columns = titles.map((title, index) => ({ title, isRight: index >= 3 }));
  writeResult(console, formatTable(columns, rows));
}

/** `workers`: all that live, where workers carry runs out. */
export function printRun(
  console: Console,
  status: StatusResult & Pick<StatusReport, 'workers'>,
  nowMs: number,
): void {
  const ink = makeInk(console);
  const { run } = status;
  const { items, notApplicable, unselected, broken } = run.counters;
  const listed = `${run.listing === 'complete' ? 'listed' : 'listed so far'} ${countWord(items, 'item')}`;
  const apart = [
    `${countWord(notApplicable, 'pair')} not applicable`,
    ...(unselected > 0 ? [`${formatCount(unselected)} not selected`] : []),
    ...(broken > 0 ? [countWord(broken, 'broken row')] : []),
  ];
  const why =
    run.why === undefined || run.why === 'finished'
      ? []
      : wrapText(`  ${makePlain(run.why)}`, widthOf(console), '    ');
  writeResult(console, [
    `${ink.bold(`${makePlain(run.pipeline)} ${makePlain(run.id)}`)} ${describeState(status, nowMs, ink)}`,
    ...why,
    `  ${listed}, ${apart.join(', ')}`,
    ...describeShards(status).map((line) => `  ${line}`),
    ...[
      ...formatPace(status),
      ...formatServices(status),
      ...formatReasons(status),
      ...formatBill(status.bill),
      ...formatStand(status, ink),
    ].map(indentLine),
  ]);
}

/** How far shards are, and who is at work, where workers carry the run out. */
function describeShards({
  shards,
  workers,
  isAlive,
}: StatusResult & Pick<StatusReport, 'workers'>): readonly string[] {
  if (!shards) return [];
  const { done, total, underway, waiting } = shards;
  const rest = [
    ...(underway > 0 ? [`${formatCount(underway)} in hand`] : []),
    ...(waiting > 0 ? [`${formatCount(waiting)} waiting`] : []),
  ];
  const stand = `${[`${formatCount(done)} of ${countWord(total, 'shard')} done`, ...rest].join(', ')}`;
  const at = shards.workers.length === 0 ? '' : `; at work: ${shards.workers.map(makePlain).join(', ')}`;
  if (!workers || !isAlive) return [`${stand}${at}`];
  const free = workers.filter(({ process }) => !shards.workers.includes(process));
  const others = free.map(
    (one) => `${makePlain(one.process)}${one.shards > 0 ? ' (on other runs)' : ' (idle)'}`,
  );
  const none = workers.length === 0 ? '; no worker lives: start `mediasweep worker`' : '';
  return [`${stand}${at}${none}`, ...(others.length > 0 ? [`other workers: ${others.join(', ')}`] : [])];
}

/** How far the limits are used that the run shares with all others. */
function formatPace({ pace = [] }: StatusResult): readonly string[] {
  if (pace.length === 0) return [];
  const rows = pace.map(({ account, service, perSecond, inFlight, openJobs, share }) => [
    makePlain(service === undefined ? account : `${account}, ${service}`),
    `${formatRate(perSecond.now)} of ${formatRate(perSecond.allowed)}`,
    `${formatCount(inFlight.now)} of ${formatCount(inFlight.allowed)}`,
    `${formatCount(openJobs.now)} of ${formatCount(openJobs.allowed)}`,
    share < 1 ? `to ${formatRate(share * 100)} %` : '-',
  ]);
  const titles = ['limits of', 'calls a second', 'in flight', 'open jobs', 'throttled'];
  const columns = titles.map((title, index) => ({ title, isRight: index > 0 }));
  return ['', ...formatTable(columns, rows)];
}

/** Three figures are enough. */
function formatRate(rate: number): string {
  return rate >= 100 ? formatCount(Math.round(rate)) : String(Number(rate.toPrecision(3)));
}

export function printStatusJson(console: Console, { runs, workers }: StatusReport): void {
  printJson(console, { runs: runs.map(describeStatus), ...(workers && { workers }) });
}

/** States in which a task waits for its call; what is at the vendor is not among them. */
const unsent = new Set(['planned', 'pending', 'waiting']);

function describeStatus({ run, isAlive, tasks, bill, spending, shards, pace }: StatusResult) {
  const { id, pipeline, state, hash, services, listing, counters, startedAt, endedAt, exitCode, why } = run;
  return {
    run: id,
    pipeline,
    state,
    alive: isAlive,
    configHash: hash,
    services,
    listing,
    counts: counters,
    startedAt,
    endedAt: endedAt ?? null,
    exitCode: exitCode ?? null,
    why: why ?? null,
    tasks,
    bill,
    caps: spending.caps.map(summariseCap),
    overrun: spending.overrun,
    // Tasks that wait to be sent.
    backlog: sum(
      tasks.filter(({ state }) => unsent.has(state)),
      ({ count }) => count,
    ),
    ...(shards && { shards }),
    ...(pace && { pace }),
  };
}

type Word = RunRecord['state'] | 'died';

/** A run that says "running" and has no process any more has died. */
function nameState({ run, isAlive }: StatusResult): Word {
  return run.state === 'running' && !isAlive ? 'died' : run.state;
}

function inkState(status: StatusResult, ink: Ink): string {
  const word = nameState(status);
  const { exitCode } = status.run;
  switch (word) {
    case 'running':
      return ink.cyan(word);
    case 'died':
      return ink.red(word);
    case 'stopped':
      return ink.yellow(`${word} (exit ${exitCode ?? '?'})`);
    case 'finished':
      return exitCode === 0 ? ink.green(`${word} (exit 0)`) : ink.yellow(`${word} (exit ${exitCode ?? '?'})`);
    case 'superseded':
      return word;
  }
}

function describeState(status: StatusResult, nowMs: number, ink: Ink): string {
  const took = formatDuration(tookMs(status, nowMs));
  const began = formatInstant(status.run.startedAt);
  const state = inkState(status, ink);
  switch (nameState(status)) {
    case 'running':
      return `is ${state}; it began ${took} ago, at ${began}`;
    case 'died':
      return `${state}: its process is gone; it began ${took} ago, at ${began}. Run again to go on.`;
    case 'finished':
    case 'stopped':
      return `${state} after ${took}; it began at ${began}`;
    case 'superseded':
      return `is ${state}: a later run took its open jobs over; it began at ${began}`;
  }
}

function tookMs({ run }: StatusResult, nowMs: number): number {
  return (run.endedAt === undefined ? nowMs : Date.parse(run.endedAt)) - Date.parse(run.startedAt);
}

function countStatuses({ tasks }: StatusResult): Record<Status, number> {
  const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>;
  for (const { state, count } of tasks) counts[statusOf(state)] += count;
  return counts;
}

/** Services by state; states that nothing is in are left out. */
function formatServices({ run, tasks }: StatusResult): readonly string[] {
  const states = taskStates.filter((state) => tasks.some((task) => task.state === state && task.count > 0));
  if (states.length === 0) return [];
  const rows = run.services.map((service) => [
    makePlain(service),
    ...states.map((state) =>
      formatCount(
        sum(
          tasks.filter((task) => task.service === service && task.state === state),
          ({ count }) => count,
        ),
      ),
    ),
  ]);
  const columns = ['service', ...states].map((title, index) => ({ title, isRight: index > 0 }));
  return ['', ...formatTable(columns, rows)];
}

const mostReasons = 10;

/** Why tasks failed, are held or were skipped. */
function formatReasons({ tasks }: StatusResult): readonly string[] {
  const reasons = tasks.filter(({ reason, count }) => reason !== '' && count > 0);
  if (reasons.length === 0) return [];
  const rows = reasons
    .toSorted((one, other) => other.count - one.count)
    .slice(0, mostReasons)
    .map(({ service, state, reason, count }) => [
      state,
      formatCount(count),
      makePlain(service),
      makePlain(reason),
    ]);
  const columns = ['', '', '', ''].map((title, index) => ({ title, isRight: index === 1 }));
  const more = reasons.length > mostReasons ? [`${reasons.length - mostReasons} more reasons`] : [];
  return ['', ...formatTable(columns, rows), ...more];
}

function formatBill(bill: readonly BillRow[]): readonly string[] {
  if (bill.length === 0) return ['', 'nothing billed so far'];
  const rows = bill.map((row) => [
    row.account,
    row.sku,
    formatCount(row.observed),
    formatCount(row.estimated),
    formatCount(row.uncertain),
    formatRowCharge(row),
  ]);
  const titles = ['account', 'SKU', 'observed', 'estimated', 'uncertain', 'charge'];
  const columns = titles.map((title, index) => ({ title, isRight: index > 1 }));
  return ['', ...formatTable(columns, [...rows, ['', '', '', '', '', formatBillTotal(bill)]])];
}

/** How far the caps have come. */
function formatStand({ spending }: StatusResult, ink: Ink): readonly string[] {
  const lines = formatCaps({ ...spending, caps: spending.caps.map(summariseCap) }, ink);
  return lines.length === 0 ? [] : ['', ...lines];
}

function formatRowCharge(row: BillRow): string {
  if (row.isComplete) return formatMoney(row.charge, row.currency).trim();
  return `${countWord(countUnpriced(row), 'unit')} without a price`;
}

/** All SKUs together; `at least` where one has no price. */
function formatBillTotal(bill: readonly BillRow[]): string {
  const [first] = bill;
  if (!first) return '-';
  const total = bill.reduce<Nano>((all, { charge }) => all + charge, 0n);
  const amount = formatMoney(total, first.currency).trim();
  return bill.every(({ isComplete }) => isComplete) ? amount : `at least ${amount}`;
}

function sum<Row>(rows: readonly Row[], read: (row: Row) => number): number {
  return rows.reduce((all, row) => all + read(row), 0);
}

function indentLine(line: string): string {
  return line === '' ? '' : `  ${line}`;
}
