/** Puts a pipeline together from its file and the files of `config/`, or says all that is wrong with them. */
import { basename, extname } from 'node:path';
import type { Problem } from '../domain/problem.ts';
import { isPipelineName } from '../domain/draft.ts';
import type { Policy } from '../domain/policy.ts';
import type { Catalogue } from '../domain/service.ts';
import type { Account, Deadlines, Pipeline, ReportSettings, Storage } from '../domain/settings.ts';
import { readAccounts } from './accounts.ts';
import { readCanary } from './canary.ts';
import { readCaps, requirePrices } from './caps.ts';
import { valueAt } from './document.ts';
import { hashPipeline } from './fingerprint.ts';
import { isLoopback } from './loopback.ts';
import { readNotify } from './notify.ts';
import { readPolicy } from './policy.ts';
import { readAmount, readPrices } from './prices.ts';
import { readFields, readValue } from './reader.ts';
import { readCascades } from './cascade.ts';
import { type ReadService, readServices } from './services.ts';
import type { Money } from './shape/scalar.ts';
import { deadlinesShape, pipelineShape, reportsShape, reuseShape, unknownShape } from './shape/pipeline.ts';
import { listStorages, readAccess, readSelect, readSource } from './source.ts';
import { type KnownStorages, readStorages } from './storages.ts';
import { reportProblem, reportVariables, reportWarning, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';

/** The files of `config/`, read and with their variables replaced. */
export interface ConfigFiles {
  readonly accounts: ConfigFile;
  readonly storages: ConfigFile;
  readonly prices: readonly ConfigFile[];
  readonly policies: ReadonlyMap<string, ConfigFile>;
  /** Name of the folder of the policies, for messages. */
  readonly policyFolder: string;
  /** What is to stand in for the pipeline's policy. */
  readonly insteadPolicy?: ConfigFile | undefined;
}

export interface Assembly {
  readonly file: ConfigFile;
  /** Absolute path of the pipeline file. */
  readonly path: string;
  readonly name: string;
  readonly config: ConfigFiles;
  readonly catalogue: Catalogue;
  /** False where nothing will be called, so that the variables of credentials need not be set. */
  readonly needsCredentials: boolean;
  /** Replaces `caps.run`. */
  readonly runCap?: Money | undefined;
}

export interface LoadedPipeline {
  /** Present where there is no problem. */
  readonly pipeline?: Pipeline | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** 0.10 in the price book's currency. */
const defaultResendBelow = 100_000_000n;

/** Reads and checks all parts. Every problem is told; the pipeline is there only if there is none. */
export function assemblePipeline(assembly: Assembly): LoadedPipeline {
  const { file, config, catalogue, needsCredentials, path, name, runCap } = assembly;
  const trouble: Trouble = { problems: [], warnings: [] };
  // Nobody is told of what is only reported on.
  reportVariables(trouble, file, [], ([key]) => needsCredentials || key !== 'notify');
  checkName(trouble, file, name);
  if (!readFields(trouble, file, [], pipelineShape, { skipped: separateKeys })) return finish(trouble, file);
  const about = readValue(trouble, file, ['about'], pipelineShape.shape.about);
  const prices = readPrices(trouble, config.prices, catalogue);
  const storages = readStorages(trouble, config.storages, prices);
  const accounts = readAccounts(trouble, config.accounts, { catalogue, prices, needsCredentials });
  const source = readSource(trouble, file, { storages, path, needsCredentials });
  const select = readSelect(trouble, file);
  const access = readAccess(trouble, file, { accounts, needsCredentials });
  const entries = readServices(trouble, file, { catalogue, accounts, needsCredentials });
  const services = readCascades(trouble, file, entries, catalogue);
  if (access?.mode === 'inline') checkInline(trouble, file, services, catalogue);
  const { policies, policyFolder: folder, insteadPolicy: instead } = config;
  const rules = readPolicy(trouble, file, { catalogue, services, policies, folder, instead });
  const policy = rules && respectDecisions(rules, file);
  const reports = readReports(trouble, file);
  const reuse = readReuse(trouble, file);
  const unknown = readFields(trouble, file, ['unknown'], unknownShape);
  const place = ['unknown', 'resendBelow'];
  const resendBelow = readAmount(trouble, file, place, unknown?.resendBelow, prices) ?? defaultResendBelow;
  const deadlines = readDeadlines(trouble, file);
  const notify = readNotify(trouble, file, needsCredentials);
  const canary = readCanary(trouble, file, { prices, services, source });
  const caps = readCaps(trouble, file, { catalogue, prices, runCap });
  const uses = services.flatMap((one) => one.use ?? []);
  const used = uses.map((use) => use.account);
  warnPlainHttp(trouble, accounts.file, used);
  if (!config.prices.some((one) => one.isBroken === true)) {
    warnUnpriced(trouble, file, services, prices.skus);
    // Reports call nothing: what a price was when the run went does not keep them from being written.
    if (needsCredentials) requirePrices(trouble, file, caps, { services, accounts, prices });
  }
  const isComplete = source && select && access && policy && reports && reuse && deadlines;
  if (!isComplete || trouble.problems.length > 0) return finish(trouble, file);
  const settings = {
    path,
    ...(about !== undefined && { about }),
    source,
    select,
    access,
    services: uses,
    policy,
    reports,
    reuse,
    resendBelow,
    deadlines,
    notify,
    ...(caps && { caps }),
    ...(canary && { canary }),
    storages: pickStorages(storages, listStorages(source)),
    prices,
  };
  return finish(trouble, file, { name, ...settings, ...hashPipeline(settings), written: file.written });
}

/** Media can go with the call only where the vendor takes it so; a post's media stand in its row. */
function checkInline(
  trouble: Trouble,
  file: ConfigFile,
  services: readonly ReadService[],
  catalogue: Catalogue,
): void {
  const takers = catalogue.flatMap((vendor) => vendor.services.filter((one) => one.takesInline === true));
  const expected = `expected a service that takes it: ${takers.map(({ name }) => name).join(', ')}`;
  for (const [index, { service }] of services.entries()) {
    if (!service || service.takesInline === true || service.kinds.every((kind) => kind === 'post')) continue;
    const place = ['services', index, 'use'];
    const message = `${service.name} takes no media inside a call (access.mode is "inline"): ${expected}, found ${quoteAt(file, place)}. Use access.mode presigned, or a pipeline of its own.`;
    reportProblem(trouble, file, place, message);
  }
}

/** Sections that are read on their own. */
const separateKeys = [
  'about',
  'source',
  'select',
  'access',
  'services',
  'policy',
  'reports',
  'caps',
  'canary',
  'reuse',
  'unknown',
  'deadlines',
  'notify',
] as const;

/** The pipeline's name is its file's, without the ending. */
export function namePipeline(path: string): string {
  return basename(path, extname(path));
}

function finish(trouble: Trouble, file: ConfigFile, pipeline?: Pipeline): LoadedPipeline {
  return {
    ...(pipeline && { pipeline }),
    problems: sortProblems(trouble.problems, file.file),
    warnings: sortProblems(trouble.warnings, file.file),
  };
}

/** The pipeline's first, then file by file, and by place in each; what is told twice of one place stands once. */
function sortProblems(problems: readonly Problem[], first: string): readonly Problem[] {
  const files = [first, ...new Set(problems.map((one) => one.file))];
  const unique = new Map(problems.map((one) => [JSON.stringify(one), one]));
  return [...unique.values()].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

/** The name is also a folder's, and stands in run ids and selectors. */
function checkName(trouble: Trouble, file: ConfigFile, name: string): void {
  if (isPipelineName(name)) return;
  const expected = 'expected at most 100 letters, digits, ".", "_" and "-", beginning with a letter or digit';
  const reason =
    name === 'latest' ? 'since "latest" stands for the newest run' : 'since reports and runs bear it';
  const message = `the pipeline bears its file's name, ${JSON.stringify(name)}: ${expected}, ${reason}. Rename the file.`;
  reportProblem(trouble, file, [], message);
}

/** `respect` stands among the reports, where `readReports` checks it; it is the policy that acts by it. */
function respectDecisions(policy: Policy, file: ConfigFile): Policy {
  const respect = valueAt(file.data, ['reports', 'respect']);
  return respect === 'decisions' ? { ...policy, respectsDecisions: true } : policy;
}

function readReports(trouble: Trouble, file: ConfigFile): ReportSettings | undefined {
  const { formats, timezone, excel, language } = readFields(trouble, file, ['reports'], reportsShape) ?? {};
  if (!formats || timezone === undefined || excel === undefined || !language) return undefined;
  return { formats, timezone, excel, language };
}

function readReuse(trouble: Trouble, file: ConfigFile): Pipeline['reuse'] | undefined {
  const { by, maxAge, retryFailedAfter } = readFields(trouble, file, ['reuse'], reuseShape) ?? {};
  if (by === undefined || retryFailedAfter === undefined) return undefined;
  return { by, ...(maxAge !== undefined && { maxAgeMs: maxAge }), retryFailedAfterMs: retryFailedAfter };
}

function readDeadlines(trouble: Trouble, file: ConfigFile): Deadlines | undefined {
  const { call, syncCall, job, run } = readFields(trouble, file, ['deadlines'], deadlinesShape) ?? {};
  if (call === undefined || syncCall === undefined || job === undefined || run === undefined)
    return undefined;
  return { callMs: call, syncCallMs: syncCall, jobMs: job, ...(run !== 'none' && { runMs: run }) };
}

function pickStorages(known: KnownStorages, names: readonly string[]): ReadonlyMap<string, Storage> {
  const storages = names.map((name) => known.storages.get(name)?.storage).filter((one) => one !== undefined);
  return new Map(storages.map((storage) => [storage.name, storage]));
}

/** Signed requests over plain HTTP can be read, and where nothing in them expires also repeated, by anyone on the way. */
function warnPlainHttp(trouble: Trouble, file: ConfigFile, used: readonly Account[]): void {
  for (const { name, endpoint, vendor } of new Set(used)) {
    const isExposed = endpoint.startsWith('http:') && !isLoopback(endpoint);
    if (!isExposed || !vendor.endpoint.startsWith('https:')) continue;
    const message = `plain http to another machine, though "${vendor.name}" answers on https: requests can be read and repeated on the way. Use https.`;
    reportWarning(trouble, file, ['accounts', name, 'endpoint'], message);
  }
}

/** A SKU that no price file names is counted but not charged. */
function warnUnpriced(
  trouble: Trouble,
  file: ConfigFile,
  services: ReturnType<typeof readServices>,
  priced: ReadonlyMap<string, unknown>,
): void {
  const told = new Set<string>();
  for (const [index, { use }] of services.entries()) {
    for (const sku of use ? use.service.skus(use.options) : []) {
      if (priced.has(sku) || told.has(sku)) continue;
      told.add(sku);
      const advice = 'Add it to config/prices/, with `price: unknown` if it is not known.';
      const message = `no price for ${JSON.stringify(sku)}: its units are counted, and the total is marked incomplete. ${advice}`;
      reportWarning(trouble, file, ['services', index, 'use'], message);
    }
  }
}
