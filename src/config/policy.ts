/** The policy of a pipeline: a file of `config/policies/` or rules written in the pipeline. */
import { basename, extname } from 'node:path';
import { type Condition, formatCondition, type Policy, type Rule } from '../domain/policy.ts';
import { type Catalogue, findService, type ServiceColumns, type TopColumn } from '../domain/service.ts';
import { type Path, valueAt } from './document.ts';
import { type Fields, readFields } from './reader.ts';
import type { ReadService } from './services.ts';
import { type conditionShape, inlinePolicyShape, policyShape, ruleShape } from './shape/policy.ts';
import { suggest } from '../domain/suggestion.ts';
import { reportProblem, reportVariables, reportWarning, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';

export interface PolicyReading {
  readonly catalogue: Catalogue;
  readonly services: readonly ReadService[];
  /** Files of `config/policies/` by name. */
  readonly policies: ReadonlyMap<string, ConfigFile>;
  readonly folder: string;
  /** Another policy file, or a pipeline with a `policy:`, to be read instead of the pipeline's own. */
  readonly instead?: ConfigFile | undefined;
}

export const noPolicy: Policy = { name: 'none', rules: [] };

/**
 * Reads `policy:`. A policy file may serve several pipelines, so what it says of services and ops that this pipeline
 * does not use is a warning at most; in rules written in the pipeline it is a problem.
 */
export function readPolicy(trouble: Trouble, file: ConfigFile, reading: PolicyReading): Policy | undefined {
  const { instead } = reading;
  if (!instead) return readPolicyKey(trouble, file, reading, false);
  if (instead.isBroken === true) return undefined;
  if (!isPipeline(instead)) return readPolicyFile(trouble, instead, nameFile(instead), reading);
  reportVariables(trouble, instead, ['policy']);
  return readPolicyKey(trouble, instead, reading, true);
}

/** Whether a file that is to give a policy is a pipeline, whose `policy:` is meant. */
function isPipeline({ data }: ConfigFile): boolean {
  return ['policy', 'source', 'services'].some((key) => valueAt(data, [key]) !== undefined);
}

function nameFile({ file }: ConfigFile): string {
  return basename(file, extname(file));
}

function readPolicyFile(
  trouble: Trouble,
  policy: ConfigFile,
  name: string,
  reading: PolicyReading,
): Policy | undefined {
  if (policy.isBroken === true) return undefined;
  reportVariables(trouble, policy, []);
  readFields(trouble, policy, [], policyShape, { skipped: ['rules'] });
  const rules = readRules(trouble, policy, ['rules'], reading, true);
  return rules && { name, rules };
}

/** The rules of another pipeline are taken as those of a policy file: they may name services that this one lacks. */
function readPolicyKey(
  trouble: Trouble,
  file: ConfigFile,
  reading: PolicyReading,
  isOther: boolean,
): Policy | undefined {
  const written = valueAt(file.data, ['policy']);
  if (written === undefined || written === 'none') return noPolicy;
  if (typeof written === 'string') {
    const policy = findPolicy(trouble, file, written, reading);
    return policy && readPolicyFile(trouble, policy, written, reading);
  }
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    const expected = 'expected the name of a file in config/policies, or a map with rules';
    reportProblem(trouble, file, ['policy'], `${expected}, found ${quoteAt(file, ['policy'])}.`);
    return undefined;
  }
  readFields(trouble, file, ['policy'], inlinePolicyShape, { skipped: ['rules'] });
  const rules = readRules(trouble, file, ['policy', 'rules'], reading, isOther);
  return rules && { name: 'inline', rules };
}

function findPolicy(
  trouble: Trouble,
  file: ConfigFile,
  name: string,
  { policies, folder }: PolicyReading,
): ConfigFile | undefined {
  const policy = policies.get(name);
  if (policy) return policy;
  const known = [...policies.keys()];
  const advice =
    suggest(name, known) || (known.length > 0 ? ` Known: ${known.join(', ')}.` : ' Add the file.');
  reportProblem(
    trouble,
    file,
    ['policy'],
    `there is no policy ${quoteAt(file, ['policy'])} in ${folder}.${advice}`,
  );
  return undefined;
}

function readRules(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  reading: PolicyReading,
  isShared: boolean,
): readonly Rule[] | undefined {
  const list = valueAt(file.data, path);
  if (!Array.isArray(list)) {
    const found =
      list === undefined
        ? 'this key is missing: expected a list of rules'
        : `expected a list of rules, found ${quoteAt(file, path)}`;
    reportProblem(trouble, file, path, `${found}.`);
    return undefined;
  }
  const rules = list.map((_, index) => readRule(trouble, file, [...path, index], reading, isShared));
  const read = rules.filter((rule) => rule !== undefined);
  return read.length === rules.length ? read : undefined;
}

type Written = Fields<typeof conditionShape>;
type What = 'rule' | 'condition';

function readRule(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  reading: PolicyReading,
  isShared: boolean,
): Rule | undefined {
  const before = trouble.problems.length;
  const written = readFields(trouble, file, path, ruleShape);
  const condition = written && readCondition(trouble, file, path, written, reading, { isShared });
  const verdict = written?.verdict;
  if (trouble.problems.length > before || !condition || verdict === undefined) return undefined;
  return { ...condition, reason: written?.name ?? formatCondition(condition), verdict };
}

/** What a rule or a `when` asks of one service's answer; `isShared` where other pipelines read it too. */
export function readCondition(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  written: Written,
  reading: Pick<PolicyReading, 'catalogue' | 'services'>,
  { isShared, what = 'rule' }: { readonly isShared: boolean; readonly what?: What },
): Condition | undefined {
  const before = trouble.problems.length;
  checkConditions(trouble, file, path, what);
  checkService(trouble, file, path, written, reading, isShared, what);
  const { service, op, label: labels, score, metric, is } = written;
  if (trouble.problems.length > before || service === undefined) return undefined;
  return {
    service,
    ...(op !== undefined && { op }),
    ...(labels && { labels }),
    ...(score && { score }),
    ...(metric !== undefined && { metric }),
    ...(is && { is }),
  };
}

/** Either labels (a label, a score, or both) or a metric with what it is. */
function checkConditions(trouble: Trouble, file: ConfigFile, path: Path, what: What): void {
  const has = (key: string): boolean => valueAt(file.data, [...path, key]) !== undefined;
  const report = (key: string, message: string): void =>
    reportProblem(trouble, file, key === '' ? path : [...path, key], message);
  if (has('metric') !== has('is')) {
    const [here, missing] = has('metric') ? ['metric', 'is'] : ['is', 'metric'];
    report(here, `expected metric and is together, found ${here} alone. Add ${missing}.`);
  } else if (has('metric')) {
    const foreign = ['op', 'label', 'score'].find(has);
    if (foreign !== undefined) {
      report(
        foreign,
        `a ${what} on a metric has no ${foreign}. Remove it${what === 'rule' ? ', or write two rules' : ''}.`,
      );
    }
  } else if (!has('label') && !has('score')) {
    report(
      '',
      `expected a label, a score or both, or metric and is, found none. Say when the ${what} holds.`,
    );
  }
}

function checkService(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  written: Written,
  { catalogue, services }: Pick<PolicyReading, 'catalogue' | 'services'>,
  isShared: boolean,
  what: What,
): void {
  if (written.service === undefined) return;
  const place = [...path, 'service'];
  const used = services.find((one) => one.name === written.service);
  if (!used) {
    if (isShared && findService(catalogue, written.service)) return;
    const names = services.map((one) => one.name).filter((name) => name !== '');
    const catalogued = catalogue.flatMap((vendor) => vendor.services.map((one) => one.name));
    const found = `there is no service ${quoteAt(file, place)} in this pipeline`;
    const advice =
      suggest(written.service, isShared ? [...names, ...catalogued] : names) ||
      ` It has: ${names.join(', ')}.`;
    if (isShared) reportWarning(trouble, file, place, `${found}, so the ${what} never holds here.${advice}`);
    else reportProblem(trouble, file, place, `${found}.${advice}`);
    return;
  }
  const columns = used.use && used.use.service.columns(used.use.options);
  if (columns) checkColumns(trouble, file, path, written, columns, isShared, what);
  checkNormalLabels(trouble, file, path, written, [...(columns?.tops ?? []), ...exampleTops(used)], what);
}

function checkColumns(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  written: Written,
  columns: ServiceColumns,
  isShared: boolean,
  what: What,
): void {
  const ops = columns.tops.flatMap((top) => top.op ?? []);
  if (written.op !== undefined && !ops.includes(written.op)) {
    const place = [...path, 'op'];
    const found = `there is no op ${quoteAt(file, place)} in what this pipeline asks of ${written.service}`;
    const known = ops.length === 0 ? ' It has no ops: remove the key.' : ` It has: ${ops.join(', ')}.`;
    const advice = suggest(written.op, ops) || known;
    if (isShared) reportWarning(trouble, file, place, `${found}, so the ${what} never holds here.${advice}`);
    else reportProblem(trouble, file, place, `${found}.${advice}`);
  }
  if (written.metric !== undefined && !columns.metrics.includes(written.metric)) {
    const place = [...path, 'metric'];
    const known =
      columns.metrics.length === 0 ? ' It declares none.' : ` It declares: ${columns.metrics.join(', ')}.`;
    const advice = suggest(written.metric, columns.metrics) || known;
    const found = `${written.service} declares no metric ${quoteAt(file, place)}, so the ${what} may never hold`;
    reportWarning(trouble, file, place, `${found}.${advice}`);
  }
}

/** A score of any label would include the labels that mean "nothing special", whose score is high on harmless media. */
function checkNormalLabels(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  written: Written,
  tops: readonly TopColumn[],
  what: What,
): void {
  const has = (key: string): boolean => valueAt(file.data, [...path, key]) !== undefined;
  if (has('label') || has('metric') || !has('score')) return;
  const risky = tops.find(
    (top) => top.normal.length > 0 && (written.op === undefined || written.op === top.op),
  );
  if (!risky) return;
  const normal = risky.normal.map((label) => JSON.stringify(label)).join(', ');
  const who = risky.op === undefined ? 'this service' : `op "${risky.op}"`;
  const place = written.op === undefined ? path : [...path, 'op'];
  const flags = what === 'rule' ? 'flag' : 'hold for';
  const reason = `${who} also answers with ${normal} for what is normal, so the ${what} would ${flags} normal frames`;
  reportProblem(
    trouble,
    file,
    place,
    `expected a label beside the score, found none: ${reason}. Add \`label:\`.`,
  );
}

/** Ops that the pipeline does not ask for may still be known from the service's example. */
function exampleTops({ service }: ReadService): readonly TopColumn[] {
  if (!service) return [];
  const example = service.options.safeParse(service.exampleOptions);
  return example.success ? service.columns(example.data).tops : [];
}
