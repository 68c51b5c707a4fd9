/** A small project on disk for tests of loading: every file may be replaced, and messages come back as lines. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadPipeline } from '../../src/config/load.ts';
import type { LoadedPipeline } from '../../src/config/pipeline.ts';
import { formatProblem } from '../../src/domain/problem.ts';
import type { Pipeline } from '../../src/domain/settings.ts';
import { toyCatalogue } from '../support/toy-catalogue.ts';

export const secret = 'ssh-do-not-tell';

export const environment: Readonly<Record<string, string | undefined>> = {
  TOY_KEY: 'key-of-toy',
  TOY_SECRET: secret,
  S3_KEY: 'key-of-s3',
  S3_SECRET: secret,
  WORD: 'word-of-environment',
};

const files: Readonly<Record<string, string>> = {
  'pipelines/p.yaml': `source:
  bucket: { storage: main, bucket: media }
services:
  - use: toy/image
`,
  'config/accounts.yaml': `accounts:
  toy-prod: { vendor: toy, endpoint: "https://toy.example/v1/", key: "\${TOY_KEY}", secret: "\${TOY_SECRET}" }
`,
  'config/storages.yaml': `storages:
  main: { endpoint: "https://s3.example", region: eu-west-1, pathStyle: true, accessKeyId: "\${S3_KEY}", secretAccessKey: "\${S3_SECRET}" }
`,
  'config/prices/toy.yaml': `currency: CNY
timezone: Asia/Shanghai
skus:
  toy/call: { unit: call, free: 200, tiers: [{ upTo: 1000, price: "0.5" }, { price: "0.25" }] }
  toy/frame: { unit: frame, per: 100, price: unknown }
`,
  'config/policies/strict.yaml': `rules:
  - { name: odd face, service: toy/watch, op: faces, score: ">= 0.6", verdict: review }
`,
};

/** Files by name; `undefined` leaves one out. */
export type Changes = Readonly<Record<string, string | undefined>>;

/** Calls `use` with the folder of a project that is removed afterwards. */
export async function withProject<Value>(
  changes: Changes,
  use: (folder: string) => Promise<Value>,
): Promise<Value> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mediasweep-config-')));
  try {
    for (const [name, text] of Object.entries({ ...files, ...changes })) {
      if (text === undefined) continue;
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface Told {
  readonly pipeline?: Pipeline | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Messages as people see them, the project's folder cut off. */
export function tell(loaded: LoadedPipeline, folder: string): Told {
  const lines = (problems: LoadedPipeline['problems']): readonly string[] =>
    problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
  return { pipeline: loaded.pipeline, problems: lines(loaded.problems), warnings: lines(loaded.warnings) };
}

/** Loads `pipelines/p.yaml` of a project with these changes. */
export async function load(
  changes: Changes = {},
  variables: Readonly<Record<string, string | undefined>> = environment,
): Promise<Told> {
  return withProject(changes, async (folder) => {
    const path = join(folder, 'pipelines', 'p.yaml');
    return tell(await loadPipeline({ path, environment: variables, catalogue: toyCatalogue }), folder);
  });
}

/** Loads a pipeline file of this text. */
export async function loadText(text: string, changes: Changes = {}): Promise<Told> {
  return load({ 'pipelines/p.yaml': text, ...changes });
}

/** The pipeline, where it must be without fault. */
export async function loadFine(text: string, changes: Changes = {}): Promise<Pipeline> {
  const { pipeline, problems } = await loadText(text, changes);
  if (!pipeline) throw new Error(`expected no problem, found:\n${problems.join('\n')}`);
  return pipeline;
}

/** A pipeline with a source and one service, and more lines after them, which begin on line 5. */
export function withLines(lines: string): string {
  return `source:
  bucket: { storage: main, bucket: media }
services:
  - use: toy/image
${lines}`;
}

/** A pipeline with this text as the body of its only service, which begins on line 4, column 5. */
export function withService(body: string, more = ''): string {
  return `source:
  bucket: { storage: main, bucket: media }
services:
  - ${body.trim().split('\n').join('\n    ')}
${more}`;
}

/** A pipeline with this source, on line 1. */
export function withSource(source: string): string {
  return `source: ${source}
services: [{ use: toy/image }]
`;
}
