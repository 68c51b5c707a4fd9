/** Reads pipelines and the files of `config/` from the disk: the only file here that touches it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { ClusterSettings } from '../domain/cluster.ts';
import { describeError, type Problem } from '../domain/problem.ts';
import type { PriceBook } from '../domain/pricing.ts';
import type { Account, Storage } from '../domain/settings.ts';
import type { Catalogue } from '../domain/service.ts';
import { suggest } from '../domain/suggestion.ts';
import { makeDocument, readDocument, type WrittenDocument } from './document.ts';
import { assemblePipeline, type ConfigFiles, type LoadedPipeline, namePipeline } from './pipeline.ts';
import { readAccounts } from './accounts.ts';
import { readCluster } from './cluster.ts';
import { readPrices } from './prices.ts';
import type { Money } from './shape/scalar.ts';
import { readStorages, useStorage } from './storages.ts';
import type { Trouble } from './trouble.ts';
import { type ConfigFile, type Environment, replaceVariables } from './variable.ts';

/** Larger files are not configuration. */
const maxBytes = 4_000_000;

export interface LoadRequest {
  /** The pipeline file; relative to the current folder, as a person gives it. */
  readonly path: string;
  /** If left out: `config/<name>/` of the project root where that has accounts, else its `config/`. */
  readonly configFolder?: string | undefined;
  readonly environment: Environment;
  readonly catalogue: Catalogue;
  /** Replaces `caps.run` (`--cap`). */
  readonly runCap?: Money | undefined;
  /** Stands in for the pipeline's policy: the name of one in `config/policies/`, or a path of one, or of a pipeline. */
  readonly policyFile?: string | undefined;
}

/** Loads a pipeline file and what it uses of `config/`. Never throws for what a person wrote. */
export async function loadPipeline(request: LoadRequest): Promise<LoadedPipeline> {
  const path = resolve(request.path);
  const pipeline = await loadDocument(path);
  return load({ ...request, path, name: namePipeline(path), pipeline, needsCredentials: true });
}

export interface RestoreRequest extends LoadRequest {
  readonly name: string;
  /** What the ledger kept of the pipeline file when the run began. */
  readonly written: unknown;
  /** True where vendors are to be called after all, for what the run left open. */
  readonly needsCredentials?: boolean | undefined;
  /** True where it is judged and told (`policy`, `reports`) as its file says today, if that is there. */
  readonly isToldAsToday?: boolean | undefined;
}

/**
 * A run's pipeline as it was written then, with policies, prices and accounts as they are now. For reports: nothing is
 * called, so the variables of credentials need not be set. Problems of the pipeline bear no line, the file having gone on.
 */
export async function restorePipeline(request: RestoreRequest): Promise<LoadedPipeline> {
  const path = resolve(request.path);
  const { needsCredentials = false, isToldAsToday = false } = request;
  const restore = (written: unknown) => {
    const document = makeDocument(`${showPath(path)} (as run)`, written);
    return load({ ...request, path, pipeline: { document, problems: [] }, needsCredentials });
  };
  if (!isToldAsToday) return restore(request.written);
  const today = await readToday(path, request.written);
  const restored = await restore(today.written);
  // Rules that today's file holds itself may ask for services that the run did not use.
  return restored.pipeline || !today.hasOwnRules ? restored : restore(request.written);
}

/** What was written then, with the policy and the reports of the file as it is now. */
async function readToday(path: string, written: unknown) {
  const { document, problems } = await loadDocument(path);
  const now = document?.data;
  if (problems.length > 0 || !isMapping(now) || !isMapping(written)) return { written, hasOwnRules: false };
  const { policy: _, reports: __, ...rest } = written;
  const { policy, reports } = now;
  const judging = { ...(policy !== undefined && { policy }), ...(reports !== undefined && { reports }) };
  return { written: { ...rest, ...judging }, hasOwnRules: isMapping(policy) };
}

function isMapping(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/** The price book of a config folder, without a pipeline. */
export async function loadPrices(
  request: Pick<LoadRequest, 'environment' | 'catalogue'> & { readonly configFolder: string },
): Promise<{ readonly prices: PriceBook; readonly problems: readonly Problem[] }> {
  const { config, problems } = await loadConfig(resolve(request.configFolder), request.environment);
  const trouble: Trouble = { problems: [], warnings: [] };
  const prices = readPrices(trouble, config.prices, request.catalogue);
  return { prices, problems: [...problems, ...trouble.problems] };
}

/** Prices, and what accounts say of their own positions; credentials are not needed. */
export async function loadBooks(
  request: Pick<LoadRequest, 'environment' | 'catalogue'> & { readonly configFolder: string },
): Promise<Books & { readonly problems: readonly Problem[] }> {
  const { catalogue, configFolder, environment } = request;
  const { config, problems } = await loadConfig(resolve(configFolder), environment);
  const trouble: Trouble = { problems: [], warnings: [] };
  const prices = readPrices(trouble, config.prices, catalogue);
  const known = readAccounts(trouble, config.accounts, { catalogue, prices, needsCredentials: false });
  const billing = new Map([...known.accounts].map(([name, account]) => [name, account.billing]));
  return { prices, billing, problems: [...problems, ...trouble.problems] };
}

/** `cluster.yaml` of a config folder; nothing where there is none. */
export async function loadCluster(
  configFolder: string,
  environment: Environment,
): Promise<{ readonly cluster?: ClusterSettings | undefined; readonly problems: readonly Problem[] }> {
  const { document, problems } = await loadDocument(join(resolve(configFolder), 'cluster.yaml'), true);
  if (!document) return { problems };
  const trouble: Trouble = { problems: [], warnings: [] };
  const cluster = readCluster(trouble, replaceVariables(document, environment));
  return { cluster, problems: [...problems, ...trouble.problems] };
}

/** One storage of the config folder that a pipeline has, named by a flag; its credentials are needed. */
export async function loadStorage(
  request: Pick<LoadRequest, 'path' | 'configFolder' | 'environment' | 'catalogue'>,
  { flag, written, name }: { readonly flag: string; readonly written: string; readonly name: string },
): Promise<{ readonly storage?: Storage | undefined; readonly problems: readonly Problem[] }> {
  const path = resolve(request.path);
  const folder = await findConfigFolder({ ...request, path, name: namePipeline(path) });
  if (typeof folder !== 'string') return { problems: [folder] };
  const { config, problems } = await loadConfig(folder, request.environment);
  const trouble: Trouble = { problems: [], warnings: [] };
  const prices = readPrices({ problems: [], warnings: [] }, config.prices, request.catalogue);
  const known = readStorages(trouble, config.storages, prices);
  const from = { file: replaceVariables(makeDocument(flag, written), {}), path: [] };
  const storage = useStorage(trouble, known, name, from, true);
  const found = [...problems, ...trouble.problems];
  return storage && found.length === 0 ? { storage, problems: [] } : { problems: found };
}

/** What money is counted by. */
export interface Books {
  readonly prices: PriceBook;
  /** By account and SKU: what a ledger cannot know. */
  readonly billing: ReadonlyMap<string, Account['billing']>;
}

/** The nearest folder, from this one upwards, that holds a folder `config`. `undefined` where there is none. */
export async function findProjectRoot(startFolder: string): Promise<string | undefined> {
  for (let folder = resolve(startFolder); ; folder = dirname(folder)) {
    if (await isFolder(join(folder, 'config'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

interface Read {
  readonly document?: WrittenDocument | undefined;
  readonly problems: readonly Problem[];
}

interface Loading extends Omit<LoadRequest, 'path'> {
  readonly path: string;
  readonly name: string;
  readonly pipeline: Read;
  readonly needsCredentials: boolean;
}

async function load(loading: Loading): Promise<LoadedPipeline> {
  const { path, name, pipeline, environment, catalogue, needsCredentials, runCap } = loading;
  const folder = await findConfigFolder(loading);
  if (typeof folder !== 'string') return { problems: [...pipeline.problems, folder], warnings: [] };
  const { config, problems } = await loadConfig(folder, environment);
  if (!pipeline.document) return { problems: [...pipeline.problems, ...problems], warnings: [] };
  const instead = await loadInstead(loading, config);
  if (instead.problems.length > 0) return { problems: instead.problems, warnings: [] };
  const file = replaceVariables(pipeline.document, environment);
  const files = { ...config, insteadPolicy: instead.file };
  const loaded = assemblePipeline({ file, path, name, config: files, catalogue, needsCredentials, runCap });
  if (problems.length === 0) return loaded;
  return { problems: [...loaded.problems, ...problems], warnings: loaded.warnings };
}

/** A name counts before a path: `strict` is the policy of that name, `./strict` a file beside. */
async function loadInstead(
  { policyFile, environment }: Loading,
  { policies, policyFolder }: ConfigFiles,
): Promise<{ readonly file?: ConfigFile | undefined; readonly problems: readonly Problem[] }> {
  if (policyFile === undefined) return { problems: [] };
  const named = policies.get(policyFile);
  if (named) return { file: named, problems: [] };
  const path = resolve(policyFile);
  if (policyFile === 'none') {
    return { file: replaceVariables(makeDocument('none', { rules: [] }), {}), problems: [] };
  }
  if (/^[^/\\.]+$/.test(policyFile) && !(await isFile(path))) {
    const known = [...policies.keys()];
    const advice = suggest(policyFile, known) || ` Known: ${known.join(', ') || 'none'}.`;
    const message = `there is no policy ${JSON.stringify(policyFile)}, and no file of that name here.${advice}`;
    return { problems: [{ file: policyFolder, line: 1, column: 1, path: '', message }] };
  }
  const { document, problems } = await loadDocument(path);
  return { file: document && replaceVariables(document, environment), problems };
}

async function findConfigFolder({
  configFolder,
  path,
  name,
}: Pick<Loading, 'configFolder' | 'path' | 'name'>): Promise<string | Problem> {
  const file = showPath(path);
  const place = { file, line: 1, column: 1, path: '' };
  if (configFolder !== undefined) {
    const folder = resolve(configFolder);
    if (await isFolder(folder)) return folder;
    return {
      ...place,
      message: `there is no config folder ${JSON.stringify(showPath(folder))}. Check --config.`,
    };
  }
  const root = await findProjectRoot(dirname(path));
  if (root !== undefined) {
    // A pipeline with a world of its own, such as the rehearsal, keeps it in `config/<its name>/`.
    const own = join(root, 'config', name);
    return (await isFile(join(own, 'accounts.yaml'))) ? own : join(root, 'config');
  }
  const advice = 'Make one, or name another with --config DIR.';
  return { ...place, message: `no folder above this file holds a folder config/. ${advice}` };
}

async function loadConfig(
  folder: string,
  environment: Environment,
): Promise<{ readonly config: ConfigFiles; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const open = async (path: string, isOptional: boolean): Promise<ConfigFile> => {
    const read = await loadDocument(path, isOptional);
    problems.push(...read.problems);
    const file = replaceVariables(read.document ?? makeDocument(showPath(path), {}), environment);
    return { ...file, isBroken: read.problems.length > 0 };
  };
  const accounts = await open(join(folder, 'accounts.yaml'), true);
  const storages = await open(join(folder, 'storages.yaml'), true);
  const prices: ConfigFile[] = [];
  for (const name of await listYaml(join(folder, 'prices'))) {
    prices.push(await open(join(folder, 'prices', name), false));
  }
  const policies = new Map<string, ConfigFile>();
  for (const name of await listYaml(join(folder, 'policies'))) {
    policies.set(namePipeline(name), await open(join(folder, 'policies', name), false));
  }
  const policyFolder = showPath(join(folder, 'policies'));
  return { config: { accounts, storages, prices, policies, policyFolder }, problems };
}

async function loadDocument(path: string, isOptional = false): Promise<Read> {
  const file = showPath(path);
  const fault = (message: string): Read => ({ problems: [{ file, line: 1, column: 1, path: '', message }] });
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      return fault(`expected at most ${maxBytes} bytes, found ${size}. Is this the right file?`);
    const bytes = await readFile(path);
    return readDocument(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (isMissing(error))
      return isOptional ? { problems: [] } : fault('there is no such file. Check the path.');
    if (error instanceof TypeError)
      return fault('expected text in UTF-8, found other bytes. Save it as UTF-8.');
    return fault(`cannot be read: ${describeError(error)}.`);
  }
}

async function listYaml(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith('.yaml')).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** As people see files: relative to the current folder where it holds them, else whole. */
function showPath(path: string): string {
  const near = relative('', path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near.split(sep).join('/');
}
