/** Rules over findings, and the verdict of an item. */
import type { Finding, Label } from './finding.ts';
import type { Status } from './task.ts';

export const verdicts = ['pass', 'incomplete', 'review', 'block'] as const;
export type Verdict = (typeof verdicts)[number];

export const comparators = ['<', '<=', '>', '>=', '==', '!='] as const;
export type Comparator = (typeof comparators)[number];

export interface Comparison {
  readonly comparator: Comparator;
  readonly value: number | string;
}

/** What a rule, and a cascade's `when`, ask of one service's finding. */
export interface Condition {
  /** Name of the service in the pipeline: its `as`, else its `use`. */
  readonly service: string;
  readonly op?: string | undefined;
  /** Any of these texts; absent for any label. */
  readonly labels?: readonly string[] | undefined;
  readonly score?: Comparison | undefined;
  readonly metric?: string | undefined;
  readonly is?: Comparison | undefined;
}

export interface Rule extends Condition {
  /** What a report gives as the reason: the rule's name, else its own text. */
  readonly reason: string;
  readonly verdict: Exclude<Verdict, 'incomplete'>;
}

export interface Policy {
  /** Name of the file, `inline`, or `none`. */
  readonly name: string;
  readonly rules: readonly Rule[];
  /** `reports.respect: decisions`: what a person decided about the content stands in the place of the rules. */
  readonly respectsDecisions?: boolean | undefined;
}

/** What judging needs of a task. */
export interface JudgedTask {
  /** Name of the service in the pipeline. */
  readonly service: string;
  readonly status: Status;
  readonly reason: string;
  readonly finding?: Finding | undefined;
}

/**
 * The worst verdict of all matching rules, and their reasons, worst first and none twice. A failed, held, over-cap or
 * open task, or one skipped by `fit`, makes it at least `incomplete`; without any task it is empty.
 */
export function judgeItem(
  policy: Policy,
  tasks: readonly JudgedTask[],
): { readonly verdict: Verdict | ''; readonly reasons: readonly string[] } {
  if (tasks.length === 0) return { verdict: '', reasons: [] };
  const matching = policy.rules.filter((rule) =>
    tasks.some((task) => task.finding && task.service === rule.service && meets(rule, task.finding)),
  );
  const atLeast: Verdict = tasks.some(isUnjudged) ? 'incomplete' : 'pass';
  if (matching.length === 0) return { verdict: atLeast, reasons: [] };
  matching.sort((a, b) => rank(b.verdict) - rank(a.verdict));
  return {
    verdict: worst([atLeast, ...matching.map((rule) => rule.verdict)]),
    reasons: [...new Set(matching.map((rule) => rule.reason))],
  };
}

/** The worst verdict of the rules that this label alone matches; rules that also ask for a metric are left out. */
export function judgeLabel(policy: Policy, service: string, label: Label): Verdict {
  return worst(
    policy.rules
      .filter((rule) => rule.service === service && asksForLabel(rule) && !asksForMetric(rule))
      .filter((rule) => meetsLabel(rule, label))
      .map((rule) => rule.verdict),
  );
}

/**
 * Whether a finding of the condition's service meets it: one label has its op, text and score, and the metric compares.
 * A condition that names nothing but a service is met by any finding.
 */
export function meets(condition: Condition, finding: Finding): boolean {
  if (asksForLabel(condition) && !finding.labels.some((label) => meetsLabel(condition, label))) return false;
  return !asksForMetric(condition) || meetsMetric(condition, finding);
}

/** The score that rules see: the larger of our own and the vendor's. */
export function scoreOf(label: Label): number {
  return Math.max(label.score, label.reportedScore ?? label.score);
}

/** Compares as numbers where both sides are numbers; else as text, which has no order. */
export function compare(comparison: Comparison, value: number | string): boolean {
  const { comparator } = comparison;
  const [left, right] = [toNumber(value, comparison), comparison.value];
  if (comparator === '==') return isEqual(left, right);
  if (comparator === '!=') return !isEqual(left, right);
  if (typeof left !== 'number' || typeof right !== 'number') return false;
  switch (comparator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads `>= 0.6`, `<60`, `== male` or `!= "07"`; quotes keep a number text. `undefined` without an operator or a value,
 * and where text is to be ordered.
 */
export function parseComparison(text: string): Comparison | undefined {
  const match = /^\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*$/su.exec(text);
  const comparator = comparators.find((one) => one === match?.[1]);
  const written = match?.[2];
  if (comparator === undefined || written === undefined || /^[<>=!]/.test(written)) return undefined;
  if (decimal.test(written)) return { comparator, value: Number(written) };
  if (comparator !== '==' && comparator !== '!=') return undefined;
  const quoted = /^(["'])(.*)\1$/su.exec(written);
  return { comparator, value: quoted?.[2] ?? written };
}

/** A condition's own text, such as `qiniu/video-censor politician >= 0.6`; with a verdict, what it leads to. */
export function formatCondition(condition: Condition, verdict?: Verdict): string {
  const words = [condition.service];
  if (condition.op !== undefined) words.push(condition.op);
  if (condition.labels !== undefined) words.push(condition.labels.join('|'));
  if (condition.score) words.push(formatComparison(condition.score));
  if (condition.metric !== undefined) words.push(condition.metric);
  if (condition.is) words.push(formatComparison(condition.is));
  const text = words.join(' ');
  return verdict === undefined ? text : `${text}: ${verdict}`;
}

function formatComparison(comparison: Comparison): string {
  return `${comparison.comparator} ${comparison.value}`;
}

function asksForLabel(condition: Condition): boolean {
  return condition.op !== undefined || condition.labels !== undefined || condition.score !== undefined;
}

function asksForMetric(condition: Condition): boolean {
  return condition.metric !== undefined || condition.is !== undefined;
}

function meetsLabel(condition: Condition, label: Label): boolean {
  if (condition.op !== undefined && condition.op !== label.op) return false;
  if (condition.labels !== undefined && !condition.labels.includes(label.label)) return false;
  return condition.score === undefined || compare(condition.score, scoreOf(label));
}

function meetsMetric(condition: Condition, finding: Finding): boolean {
  const { metric, is } = condition;
  if (metric === undefined || !Object.hasOwn(finding.metrics, metric)) return false;
  const value = finding.metrics[metric];
  return value !== undefined && (is === undefined || compare(is, value));
}

function isUnjudged(task: JudgedTask): boolean {
  switch (task.status) {
    case 'failed':
    case 'held':
    case 'over-cap':
    case 'open':
      return true;
    case 'skipped':
      return task.reason.startsWith('fit');
    case 'answered':
    case 'reused':
      return false;
  }
}

function rank(verdict: Verdict): number {
  return verdicts.indexOf(verdict);
}

function worst(found: readonly Verdict[]): Verdict {
  return found.reduce<Verdict>((a, b) => (rank(b) > rank(a) ? b : a), 'pass');
}

/** A vendor may send a number as text; it counts as one where the rule compares with a number. */
function toNumber(value: number | string, comparison: Comparison): number | string {
  const isNumberAsText =
    typeof value === 'string' && typeof comparison.value === 'number' && decimal.test(value.trim());
  return isNumberAsText ? Number(value) : value;
}

function isEqual(left: number | string, right: number | string): boolean {
  return typeof left === typeof right ? left === right : String(left) === String(right);
}
