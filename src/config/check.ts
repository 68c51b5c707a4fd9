/** `mediasweep check`: every pipeline asked about, with all its problems, or what it would do. */
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { ClusterSettings } from '../domain/cluster.ts';
import { describeError, type Problem, wrongUse } from '../domain/problem.ts';
import type { Catalogue } from '../domain/service.ts';
import type { Pipeline } from '../domain/settings.ts';
import { loadCluster, loadPipeline } from './load.ts';
import type { Environment } from './variable.ts';

export interface CheckRequest {
  /** Pipeline files; every file of `pipelines/` beside the config folder where there are none. */
  readonly paths: readonly string[];
  /** The folder that the program was started in. */
  readonly folder: string;
  readonly config: string;
  /** `--config` was given, so that it holds for every file. */
  readonly isConfigNamed: boolean;
  readonly environment: Environment;
  readonly catalogue: Catalogue;
  /** Throws where the pipeline's source cannot be read; nothing is asked of it but that. */
  readonly inspect: (pipeline: Pipeline) => Promise<void>;
}

export interface CheckedFile {
  readonly path: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly about?: string | undefined;
}

/** One result per file, in order, and one for `cluster.yaml` where it is there; problems that several files share stand in each. */
export async function checkFiles(request: CheckRequest): Promise<readonly CheckedFile[]> {
  const { environment, catalogue, folder } = request;
  const configFolder = request.isConfigNamed ? request.config : undefined;
  const paths = request.paths.length > 0 ? request.paths : await listPipelines(request);
  const checked = await Promise.all(
    paths.map(async (path) => {
      const { pipeline, problems, warnings } = await loadPipeline({
        path: resolve(folder, path),
        configFolder,
        environment,
        catalogue,
      });
      const trouble = pipeline ? await findSourceTrouble(pipeline, path, request) : [];
      const about = pipeline && trouble.length === 0 ? describePipeline(pipeline) : undefined;
      return { path, problems: [...problems, ...trouble], warnings, about };
    }),
  );
  return [...checked, ...(await checkCluster(request))];
}

/** What machines share, where that is written down. */
async function checkCluster({ config, folder, environment }: CheckRequest): Promise<readonly CheckedFile[]> {
  const { cluster, problems } = await loadCluster(config, environment);
  if (!cluster && problems.length === 0) return [];
  const path = relative(folder, join(config, 'cluster.yaml'));
  const about = cluster && describeCluster(cluster);
  return [{ path, problems, warnings: [], about }];
}

function describeCluster({ redis, ledger, shards }: ClusterSettings): string {
  const where = ledger ? `postgres://${ledger.host}:${ledger.port}/${ledger.database}` : 'of each machine';
  const who = shards ? 'by workers' : 'by the process that begins them';
  return `redis ${redis.host}:${redis.port}, keys of ${redis.prefix}; ledger ${where}; runs carried out ${who}`;
}

async function findSourceTrouble(
  pipeline: Pipeline,
  file: string,
  { inspect }: CheckRequest,
): Promise<readonly Problem[]> {
  try {
    await inspect(pipeline);
    return [];
  } catch (error) {
    return [{ file, line: 1, column: 1, path: 'source', message: describeError(error) }];
  }
}

/** The files of `pipelines/` beside the config folder, relative to `folder`. */
export async function listPipelines({
  config,
  folder,
}: Pick<CheckRequest, 'config' | 'folder'>): Promise<readonly string[]> {
  const pipelines = join(dirname(config), 'pipelines');
  const names = await readdir(pipelines).catch(() => []);
  const files = names.filter((name) => name.endsWith('.yaml')).sort();
  if (files.length === 0) {
    throw wrongUse(
      `check: found no *.yaml in "${relative(folder, pipelines) || '.'}". Name a pipeline file.`,
    );
  }
  return files.map((name) => relative(folder, join(pipelines, name)));
}

/** What a pipeline does, in a few words. */
function describePipeline({ source, services, policy }: Pipeline): string {
  const from =
    source.form === 'bucket'
      ? `s3://${source.storage}/${source.bucket}/${source.prefixes.join(', ')}`
      : source.form === 'inventory'
        ? source.manifest
        : source.path;
  const names = services.map(({ name, account }) => `${name} on ${account.name}`).join(', ');
  return `${from} -> ${names}; policy ${policy.name}`;
}
