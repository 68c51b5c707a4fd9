/** Metrics of a run, read back as Prometheus reads them. */
import { expect, test } from 'vitest';
import { metricHelps, type MetricsSnapshot, renderMetrics } from '../../src/report/metrics.ts';
import { makeProgress, makeRun, makeSummary } from '../cli/desk.ts';

const base: MetricsSnapshot = {
  pipeline: 'audit',
  version: '1.2.3',
  nowMs: Date.parse('2026-11-20T02:00:15.5Z'),
};

/** Samples by name and labels; every line must be one, or a comment of its metric. */
function read(text: string): Readonly<Record<string, number>> {
  const samples: Record<string, number> = {};
  const lines = text.trimEnd().split('\n');
  const comment = /^# (?:HELP|TYPE) \w+ \S/;
  const sample = /^(\w+\{(?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*\}) (-?\d+(?:\.\d+)?)$/;
  expect(lines.filter((line) => !comment.test(line) && !sample.test(line))).toEqual([]);
  for (const line of lines) {
    const [, name, value] = sample.exec(line) ?? [];
    if (name !== undefined) samples[name] = Number(value);
  }
  return samples;
}

test('a run that has not begun is active, and says nothing else', () => {
  expect(read(renderMetrics(base))).toEqual({
    'mediasweep_run_info{pipeline="audit",run="",version="1.2.3"}': 1,
    'mediasweep_run_active{pipeline="audit"}': 1,
    'mediasweep_written_seconds{pipeline="audit"}': 1795140015.5,
  });
});

test('a run that goes on tells tasks, money and caps so far', () => {
  const cap = { name: 'caps.run', scope: 'run', isLoopback: false, limit: 6_000_000_000_000n } as const;
  const spending = {
    spent: 2_131_400_000_000n,
    reserved: 1n,
    currency: 'CNY',
    caps: [{ ...cap, spent: 2_131_400_000_000n, reserved: 214_000_000_000n }],
    overrun: {},
  };
  const progress = makeProgress({ listed: 900, planned: 100, answered: 40, failed: 2, spending });
  const samples = read(renderMetrics({ ...base, run: makeRun(), progress }));
  expect(samples).toMatchObject({
    'mediasweep_items{pipeline="audit"}': 900,
    'mediasweep_tasks{pipeline="audit",status="answered"}': 40,
    'mediasweep_tasks{pipeline="audit",status="open"}': 58,
    'mediasweep_charge{pipeline="audit",currency="CNY"}': 2131.4,
    'mediasweep_cap_spent{pipeline="audit",cap="caps.run",currency="CNY"}': 2131.4,
    'mediasweep_cap_reserved{pipeline="audit",cap="caps.run",currency="CNY"}': 214,
    'mediasweep_cap_limit{pipeline="audit",cap="caps.run",currency="CNY"}': 6000,
  });
  expect(Object.keys(samples).join()).not.toContain('exit_code');
});

test('a run that has ended tells its exit code, verdicts and units, and every metric is documented', () => {
  const summary = makeSummary({
    caps: [{ cap: 'caps.units.pai/basic', sku: 'pai/basic', spent: 100, reserved: 0, limit: 2000 }],
    change: { newlyFlagged: 6 } as never,
    verdicts: { review: 5 },
  });
  const text = renderMetrics({ ...base, run: makeRun(), progress: makeProgress(), summary, exitCode: 0 });
  expect(read(text)).toMatchObject({
    'mediasweep_run_active{pipeline="audit"}': 0,
    'mediasweep_run_exit_code{pipeline="audit"}': 0,
    'mediasweep_run_ended_seconds{pipeline="audit"}': Date.parse('2026-11-20T11:04:00Z') / 1000,
    'mediasweep_tasks{pipeline="audit",status="answered"}': 100,
    'mediasweep_verdict_items{pipeline="audit",verdict="review"}': 5,
    'mediasweep_newly_flagged_items{pipeline="audit"}': 6,
    'mediasweep_units{pipeline="audit",sku="pai/basic"}': 100,
    'mediasweep_charge_complete{pipeline="audit"}': 1,
    'mediasweep_cap_limit{pipeline="audit",cap="caps.units.pai/basic",sku="pai/basic"}': 2000,
  });
  const named = [...text.matchAll(/^# TYPE (\w+) gauge$/gm)].map((match) => match[1]);
  expect(named).toEqual(Object.keys(metricHelps));
});

test('a run that threw has an exit code and an end, and hostile names stay within their quotes', () => {
  const text = renderMetrics({ ...base, pipeline: 'a"} 1\n\\evil', exitCode: 3 });
  const samples = read(text);
  expect(samples['mediasweep_run_exit_code{pipeline="a\\"} 1\\n\\\\evil"}']).toBe(3);
  expect(samples['mediasweep_run_ended_seconds{pipeline="a\\"} 1\\n\\\\evil"}']).toBe(1795140015.5);
});
