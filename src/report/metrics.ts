/** A run as metrics in Prometheus' text format, for the textfile collector of a cron host. */
import type { RunRecord } from '../domain/ledger.ts';
import { formatNano } from '../domain/money.ts';
import { verdicts } from '../domain/policy.ts';
import type { Progress } from '../domain/progress.ts';
import type { Summary } from '../domain/summary.ts';
import { readCaps, type WatchedCap } from './notice/cap-watch.ts';

/** What is known at the moment; everything but the pipeline's name comes as the run goes on. */
export interface MetricsSnapshot {
  readonly pipeline: string;
  readonly version: string;
  readonly nowMs: number;
  readonly run?: RunRecord | undefined;
  /** While the run goes on. */
  readonly progress?: Progress | undefined;
  /** When it has ended. */
  readonly summary?: Summary | undefined;
  /** Of a run that threw. */
  readonly exitCode?: number | undefined;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number | string, labels?: Labels];

/** Each metric with its help; `docs/reference/metrics.md` is made of this. All are gauges. */
export const metricHelps = {
  mediasweep_run_info: 'Always 1; run and version are labels.',
  mediasweep_run_active: '1 while the run goes on, 0 when it has ended.',
  mediasweep_run_started_seconds: 'When the run began, since 1970.',
  mediasweep_run_ended_seconds: 'When the run ended, since 1970; absent while it goes on.',
  mediasweep_run_exit_code: 'Exit code of the run; absent while it goes on.',
  mediasweep_written_seconds: 'When this file was written, since 1970.',
  mediasweep_items: 'Items listed so far.',
  mediasweep_tasks: 'Tasks by status; while the run goes on those of this session.',
  mediasweep_verdict_items: 'Items by verdict, when the run has ended.',
  mediasweep_newly_flagged_items:
    'Items to review or block that the run before did not have, when the run has ended.',
  mediasweep_units: 'Billing units by SKU, when the run has ended.',
  mediasweep_charge: 'Money charged for the run, by currency.',
  mediasweep_charge_complete: '1 where every unit has a price and no task is open, when the run has ended.',
  mediasweep_cap_spent: 'What counts against a cap: money, or units where the label sku is set.',
  mediasweep_cap_reserved: 'What calls under way hold of a cap.',
  mediasweep_cap_limit: 'The cap.',
} as const;

type Metric = keyof typeof metricHelps;

/** The whole file. */
export function renderMetrics(snapshot: MetricsSnapshot): string {
  const { pipeline } = snapshot;
  const samples = listSamples(snapshot);
  return (Object.keys(metricHelps) as Metric[])
    .flatMap((name) => {
      const lines = (samples[name] ?? []).map(
        ([value, labels]) => `${name}${renderLabels({ pipeline, ...labels })} ${value}`,
      );
      return lines.length === 0
        ? []
        : [`# HELP ${name} ${metricHelps[name]}`, `# TYPE ${name} gauge`, ...lines];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function listSamples(snapshot: MetricsSnapshot): Partial<Record<Metric, readonly Sample[]>> {
  const { run, progress, summary, version, nowMs } = snapshot;
  const exitCode = snapshot.exitCode ?? summary?.exitCode ?? undefined;
  const endedAt = summary?.endedAt ?? (exitCode === undefined ? undefined : new Date(nowMs).toISOString());
  return {
    mediasweep_run_info: [[1, { run: run?.id ?? '', version }]],
    mediasweep_run_active: [[exitCode === undefined ? 1 : 0]],
    mediasweep_run_started_seconds: run ? [[toSeconds(run.startedAt)]] : [],
    mediasweep_run_ended_seconds: typeof endedAt === 'string' ? [[toSeconds(endedAt)]] : [],
    mediasweep_run_exit_code: exitCode === undefined ? [] : [[exitCode]],
    mediasweep_written_seconds: [[nowMs / 1000]],
    ...(progress && listProgress(progress)),
    ...(summary && listSummary(summary)),
  };
}

function listProgress(progress: Progress): Partial<Record<Metric, readonly Sample[]>> {
  const { listed, answered, failed, held, overCap = 0, planned, spending } = progress;
  const open = Math.max(0, planned - answered - failed - held - overCap);
  return {
    mediasweep_items: [[listed]],
    mediasweep_tasks: listTasks({ answered, failed, held, over_cap: overCap, open }),
    ...(spending && {
      mediasweep_charge: [[formatNano(spending.spent), { currency: spending.currency }]],
      ...listCaps(spending.caps, spending.currency),
    }),
  };
}

function listSummary(summary: Summary): Partial<Record<Metric, readonly Sample[]>> {
  const { counts, currency, change } = summary;
  const { answered, reused, skipped, failed, held, overCap, open } = counts;
  return {
    mediasweep_items: [[counts.items]],
    mediasweep_tasks: listTasks({ answered, reused, skipped, failed, held, over_cap: overCap, open }),
    mediasweep_verdict_items: verdicts.map((verdict) => [summary.verdicts[verdict], { verdict }]),
    mediasweep_newly_flagged_items: change ? [[change.newlyFlagged]] : [],
    mediasweep_units: Object.entries(summary.units).map(([sku, units]) => [units, { sku }]),
    mediasweep_charge: [[summary.charge, { currency }]],
    mediasweep_charge_complete: [[summary.complete ? 1 : 0]],
    ...listCaps(readCaps(summary), currency),
  };
}

function listTasks(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([status, count]) => [count, { status }]);
}

function listCaps(caps: readonly WatchedCap[], currency: string): Partial<Record<Metric, readonly Sample[]>> {
  const list = (pick: (cap: WatchedCap) => bigint) =>
    caps.map((cap): Sample => {
      const labels: Labels = cap.sku === undefined ? { currency } : { sku: cap.sku };
      return [
        cap.sku === undefined ? formatNano(pick(cap)) : String(pick(cap)),
        { cap: cap.name, ...labels },
      ];
    });
  return {
    mediasweep_cap_spent: list(({ spent }) => spent),
    mediasweep_cap_reserved: list(({ reserved }) => reserved),
    mediasweep_cap_limit: list(({ limit }) => limit),
  };
}

/** Backslash, quote and line feed are all that the format escapes. */
function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `{${pairs.join(',')}}`;
}

function toSeconds(iso: string): number {
  return Date.parse(iso) / 1000;
}
