/** What in an item's findings matched which rule: the evidence behind a verdict. */
import { emptyFinding, type Finding, type Label } from '../../domain/finding.ts';
import type { ItemRow } from '../../domain/ledger.ts';
import { type Comparison, meets, type Policy, type Rule, scoreOf } from '../../domain/policy.ts';

export interface Hit {
  /** Index of the rule in the policy. */
  readonly rule: number;
  readonly service: string;
  readonly op?: string | undefined;
  /** The label, or the metric's name. */
  readonly name: string;
  readonly isMetric: boolean;
  readonly value: number | string;
  readonly beginMs?: number | undefined;
  /** 0 to 1: how far beyond the rule, for the order of the page alone. */
  readonly severity: number;
}

/** All matches of rules that flag (`review`, `block`), block first, then by severity. */
export function findHits(policy: Policy, row: ItemRow): readonly Hit[] {
  const found = policy.rules.flatMap((rule, index) => {
    if (rule.verdict === 'pass') return [];
    return row.tasks.flatMap(({ service, finding }) => {
      if (service !== rule.service || finding === undefined || !meets(rule, finding)) return [];
      return [...findLabels(rule, index, finding.labels), ...findMetric(rule, index, finding.metrics)];
    });
  });
  const isBlock = (hit: Hit) => Number(policy.rules[hit.rule]?.verdict === 'block');
  return found.sort((a, b) => isBlock(b) - isBlock(a) || b.severity - a.severity);
}

function findLabels(rule: Rule, index: number, labels: readonly Label[]): readonly Hit[] {
  if (rule.op === undefined && rule.labels === undefined && rule.score === undefined) return [];
  const { service, op, labels: texts, score } = rule;
  return labels
    .filter((label) => meets({ service, op, labels: texts, score }, { ...emptyFinding, labels: [label] }))
    .map((label) => ({
      rule: index,
      service,
      op: label.op,
      name: label.label,
      isMetric: false,
      value: scoreOf(label),
      beginMs: label.beginMs,
      severity: Math.min(1, Math.max(0, scoreOf(label))),
    }));
}

function findMetric(rule: Rule, index: number, metrics: Finding['metrics']): readonly Hit[] {
  const { service, metric } = rule;
  const value = metric !== undefined && Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  if (metric === undefined || value === undefined) return [];
  return [{ rule: index, service, name: metric, isMetric: true, value, severity: measure(value, rule.is) }];
}

/** A metric's scale is not known, so its distance from the rule's value is taken relative to that value. */
function measure(value: number | string, is: Comparison | undefined): number {
  const [found, asked] = [Number(value), Number(is?.value)];
  if (!Number.isFinite(found) || !Number.isFinite(asked)) return 0.5;
  return Math.min(1, Math.abs(found - asked) / Math.max(Math.abs(asked), 1e-9));
}
