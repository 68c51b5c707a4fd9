/** Begins a project: a commented pipeline and the config that it needs, beside whatever is there already. */
import { join, relative, resolve, sep } from 'node:path';
import type { InitResult } from '../cli/spine.ts';
import { draftPipeline, fitConfig } from '../config/draft.ts';
import { loadPipeline } from '../config/load.ts';
import { openPrices } from '../config/open.ts';
import { type DraftAnswers, isPipelineName } from '../domain/draft.ts';
import { wrongUse } from '../domain/problem.ts';
import { findService } from '../domain/service.ts';
import { suggest } from '../domain/suggestion.ts';
import { readShippedFile, writeNewFile } from '../store/new-file.ts';
import { catalogue } from '../vendors/index.ts';
import type { Outside } from './outside.ts';

const shipped = [
  'accounts.yaml',
  'storages.yaml',
  join('prices', 'china.yaml'),
  join('policies', 'strict.yaml'),
];

/** Throws a `Stop` (exit 2) where the pipeline is there already, or an answer cannot be used; nothing is written then. */
export async function init(
  { folder: start, home, environment }: Outside,
  target: string,
  answers: DraftAnswers,
): Promise<InitResult> {
  requireUsable(answers);
  const folder = resolve(start, target);
  const pipeline = join(folder, 'pipelines', `${answers.name}.yaml`);
  const prices = await openPrices({ configFolder: join(home, 'config'), environment, catalogue });
  const text = draftPipeline({ answers, catalogue, prices, manifest: locate(answers, start, folder) });
  if (!(await writeNewFile(pipeline, text))) {
    throw wrongUse(
      `init: expected no file "${show(start, pipeline)}", found one. Give the pipeline another name with --name; nothing was written.`,
    );
  }
  const written = [pipeline];
  const kept: string[] = [];
  for (const name of shipped) {
    const path = join(folder, 'config', name);
    const fitted = fitConfig(await readShippedFile(join(home, 'config', name)), answers);
    const isNew = await writeNewFile(path, fitted);
    (isNew ? written : kept).push(path);
  }
  return {
    pipeline: show(start, pipeline),
    written: written.map((path) => show(start, path)),
    kept: kept.map((path) => show(start, path)),
    ...(await inspect(pipeline, environment)),
  };
}

function requireUsable({ name, services }: DraftAnswers): void {
  if (!isPipelineName(name)) {
    throw wrongUse(
      `init: the pipeline's name: expected at most 100 letters, digits, ".", "_" and "-", beginning with a letter or digit, and not "latest"; found ${JSON.stringify(name)}.`,
    );
  }
  const known = catalogue.flatMap((vendor) => vendor.services.map((service) => service.name));
  for (const service of services) {
    if (findService(catalogue, service)) continue;
    throw wrongUse(
      `init: there is no service ${JSON.stringify(service)}.${suggest(service, known)} \`mediasweep catalogue\` lists all.`,
    );
  }
}

/** Which variables the pipeline needs, and what else `check` has to say of it where they were all set. */
async function inspect(path: string, environment: Outside['environment']) {
  const bare = await loadPipeline({ path, environment, catalogue });
  const unset = bare.problems.flatMap(
    ({ message }) => /^environment variable (\w+) is not set/.exec(message)?.[1] ?? [],
  );
  const names = [...new Set(unset)];
  const filled = { ...environment, ...Object.fromEntries(names.map((name) => [name, 'x'])) };
  const { problems } = await loadPipeline({ path, environment: filled, catalogue });
  return { unset: names, problems };
}

/** A manifest's path as the pipeline's file has it. */
function locate({ source }: DraftAnswers, start: string, folder: string): string {
  if (source.form === 'bucket') return '';
  const { path } = source;
  if (path === '-' || path.startsWith('s3://')) return path;
  return relative(join(folder, 'pipelines'), resolve(start, path)).split(sep).join('/');
}

function show(start: string, path: string): string {
  const near = relative(start, path);
  return near.startsWith('..') ? path : near;
}
