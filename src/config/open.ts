/** What commands ask of the config: a pipeline that is in order, or a stop that names every problem at once. */
import { dirname, join, resolve } from 'node:path';
import type { ClusterSettings } from '../domain/cluster.ts';
import { isBucketPlace, readBucketPlace } from '../domain/output.ts';
import type { Policy } from '../domain/policy.ts';
import type { PriceBook } from '../domain/pricing.ts';
import { type Problem, wrongUse } from '../domain/problem.ts';
import type { Catalogue } from '../domain/service.ts';
import type { Pipeline, Storage } from '../domain/settings.ts';
import {
  type Books,
  findProjectRoot,
  loadBooks,
  loadCluster,
  type LoadRequest,
  loadPipeline,
  loadPrices,
  loadStorage,
  type RestoreRequest,
  restorePipeline,
} from './load.ts';
import type { LoadedPipeline } from './pipeline.ts';
import type { Environment } from './variable.ts';

export interface Folders {
  readonly config: string;
  readonly state: string;
  /** An absolute path, or `s3://storage/bucket/prefix`. */
  readonly out: string;
}

/** The folders that a command works with: those named, else those of the project root, else of the current folder. */
export async function findFolders(
  start: string,
  named: {
    readonly config?: string | undefined;
    readonly state?: string | undefined;
    readonly out?: string | undefined;
  },
): Promise<Folders> {
  const root = (await findProjectRoot(start)) ?? resolve(start);
  return {
    config: resolve(named.config ?? join(root, 'config')),
    state: resolve(named.state ?? join(root, '.mediasweep')),
    out: findOut(named.out ?? join(root, 'reports')),
  };
}

function findOut(out: string): string {
  if (!isBucketPlace(out)) return resolve(out);
  if (readBucketPlace(out)) return out;
  throw wrongUse(
    `--out ${JSON.stringify(out)}: expected s3://storage/bucket/prefix, with a storage of config/storages.yaml and without empty or dotted steps. Correct it.`,
  );
}

/** The storage that output goes to, with credentials; throws a `Stop` (exit 2) where it is not in order. */
export async function openOutputStorage(
  request: Pick<LoadRequest, 'path' | 'configFolder' | 'environment' | 'catalogue'>,
  out: string,
  name: string,
): Promise<Storage> {
  const { storage, problems } = await loadStorage(request, { flag: '--out', written: out, name });
  if (storage) return storage;
  throw wrongUse(countProblems(problems), problems);
}

/** Throws a `Stop` (exit 2) with every problem where the pipeline is not in order. */
export async function openPipeline(request: LoadRequest): Promise<Pipeline> {
  return unwrap(await loadPipeline(request));
}

/** The pipeline of an earlier run, as it was written then, with policies and prices as they are now. */
export async function reopenPipeline(
  request: Omit<RestoreRequest, 'path'> & { readonly folders: Folders },
): Promise<Pipeline> {
  return unwrap(await restorePipeline({ ...request, path: locate(request) }));
}

function locate({ folders, name }: { readonly folders: Folders; readonly name: string }): string {
  return join(dirname(folders.config), 'pipelines', `${name}.yaml`);
}

/**
 * Another policy for that pipeline: the name of one in `config/policies/`, a path of one, or of a pipeline that has one.
 * What it says of services that the pipeline does not use is a warning.
 */
export async function openOtherPolicy(
  request: Parameters<typeof reopenPipeline>[0] & { readonly policyFile: string },
): Promise<{ readonly policy: Policy; readonly warnings: readonly Problem[] }> {
  const path = locate(request);
  const loaded = await restorePipeline({ ...request, path });
  return { policy: unwrap(loaded).policy, warnings: loaded.warnings };
}

function unwrap({ pipeline, problems }: LoadedPipeline): Pipeline {
  if (pipeline) return pipeline;
  throw wrongUse(countProblems(problems), problems);
}

function countProblems(problems: readonly Problem[]): string {
  const files = new Set(problems.map(({ file }) => file)).size;
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  return `${count(problems.length, 'problem')} in ${count(files, 'file')}.`;
}

/** What machines share, if anything; throws a `Stop` (exit 2) where that is not in order. */
export async function openCluster(
  configFolder: string,
  environment: Environment,
): Promise<ClusterSettings | undefined> {
  const { cluster, problems } = await loadCluster(configFolder, environment);
  if (problems.length === 0) return cluster;
  throw wrongUse(countProblems(problems), problems);
}

/** Prices and what accounts say of their positions, for commands without a pipeline; throws a `Stop` (exit 2). */
export async function openBooks(request: Parameters<typeof loadBooks>[0]): Promise<Books> {
  const { problems, ...books } = await loadBooks(request);
  if (problems.length === 0) return books;
  throw wrongUse(countProblems(problems), problems);
}

/** The price book alone, for commands that have no pipeline; throws a `Stop` (exit 2) where it is not in order. */
export async function openPrices(request: {
  readonly configFolder: string;
  readonly environment: Environment;
  readonly catalogue: Catalogue;
}): Promise<PriceBook> {
  const { prices, problems } = await loadPrices(request);
  if (problems.length === 0) return prices;
  throw wrongUse(countProblems(problems), problems);
}
