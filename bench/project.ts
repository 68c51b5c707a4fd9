/** A project folder to run the built program in, and what a run of it took. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { root } from './place.ts';

export const program = join(root, 'dist', 'main.js');
export const concurrency = 64;
export const pai = { appId: '202209290847310001', token: 'pai-emulator-token' };
export const qiniu = { accessKey: 'emulated-access-key', secretKey: 'emulated-secret-key' };

const images = 'http://127.0.0.1:9/pictures';

export interface Project {
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

export interface Used {
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly exitCode: number;
}

/** A manifest of `count` files, and one pipeline `bench` that asks a vendor on that port about each. */
export async function makeProject(options: {
  readonly count: number;
  readonly port: number;
  readonly use?: string | undefined;
  /** Where the manifest says the media are. */
  readonly media?: string | undefined;
  /** Lists the bucket behind this port instead. */
  readonly bucketPort?: number | undefined;
}): Promise<Project> {
  const { count, port, use = 'pai/image-quality', media = images, bucketPort } = options;
  const isVideo = use.startsWith('qiniu/');
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-bench-'));
  await mkdir(join(folder, 'config', 'prices'), { recursive: true });
  await mkdir(join(folder, 'pipelines'));
  const limits = `limits: { concurrency: ${concurrency}, perSecond: 100000, maxOpenJobs: 5000 }`;
  const endpoint = `endpoint: "http://127.0.0.1:${port}"`;
  const account = isVideo
    ? `{ vendor: qiniu, ${endpoint}, accessKey: "\${ACCESS_KEY}", secretKey: "\${SECRET_KEY}", ${limits} }`
    : `{ vendor: pai, ${endpoint}, appId: "${pai.appId}", token: "\${TOKEN}", ${limits} }`;
  await writeFile(join(folder, 'config', 'accounts.yaml'), `accounts:\n  bench: ${account}\n`);
  await writeFile(
    join(folder, 'config', 'prices', 'bench.yaml'),
    'currency: CNY\ntimezone: Asia/Shanghai\nskus:\n  pai/basic: { unit: call, per: 1, tiers: [{ price: "0.0046" }] }\n',
  );
  const rows = function* (): Generator<string> {
    yield 'url,etag,size,duration\n';
    for (let index = 0; index < count; index += 1) {
      yield isVideo
        ? `${media}/${index}.mp4,etag-${index},1000,10\n`
        : `${media}/${index}.gif,etag-${index},1000,\n`;
    }
  };
  await pipeline(rows(), createWriteStream(join(folder, 'pipelines', 'media.csv')));
  await writeFile(
    join(folder, 'config', 'storages.yaml'),
    `storages:\n  bench: { endpoint: "http://127.0.0.1:${bucketPort ?? 9}", region: us-east-1, pathStyle: true, accessKeyId: bench, secretAccessKey: bench }\n`,
  );
  const source =
    bucketPort === undefined
      ? 'csv: { path: media.csv }'
      : 'bucket: { storage: bench, bucket: media, parallel: 1 }';
  const opsOption = isVideo ? ', options: { ops: [{ op: pulp }] }' : '';
  await writeFile(
    join(folder, 'pipelines', 'bench.yaml'),
    `source: { ${source} }\nservices: [{ use: ${use}${opsOption} }]\n`,
  );
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

const environment = {
  PATH: process.env['PATH'],
  TOKEN: pai.token,
  ACCESS_KEY: qiniu.accessKey,
  SECRET_KEY: qiniu.secretKey,
};

/** Starts the built program in the project's folder; `usage` is a file that will say what it used. */
export function startProgram(folder: string, words: readonly string[], usage?: string): ChildProcess {
  const preload = ['--import', join(root, 'bench', 'usage.mjs')];
  return spawn(process.execPath, [...preload, program, ...words], {
    cwd: folder,
    env: { ...environment, ...(usage !== undefined && { BENCH_USAGE: usage }) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Runs the pipeline to its end. Throws where it did not answer all of its items. */
export async function runPipeline({ folder }: Project, count: number): Promise<Used> {
  const usage = join(folder, 'usage.json');
  const begin = performance.now();
  const child = startProgram(folder, ['run', 'pipelines/bench.yaml', '--quiet'], usage);
  const [exitCode] = (await once(child, 'close')) as [number];
  const seconds = (performance.now() - begin) / 1000;
  const summary = JSON.parse(
    await readFile(join(folder, 'reports', 'bench', 'latest', 'summary.json'), 'utf8'),
  ) as { readonly counts: { readonly answered: number } };
  if (exitCode !== 0 || summary.counts.answered !== count) {
    throw new Error(`the run ended with ${exitCode} and answered ${summary.counts.answered} of ${count}`);
  }
  const used = JSON.parse(await readFile(usage, 'utf8')) as Pick<Used, 'cpuSeconds' | 'peakBytes'>;
  return { ...used, seconds, exitCode };
}

export interface Server {
  readonly port: number;
  /** Resolves when a paid call comes in, the first after it was asked for. */
  readonly nextCall: () => Promise<void>;
  readonly stop: () => void;
}

/** A vendor that answers at once, or so many milliseconds later, in a process of its own. */
export async function startVendor(delayMs: number): Promise<Server> {
  const child = fork(join(import.meta.dirname, 'vendor-server.js'), [String(delayMs)]);
  const [port] = (await once(child, 'message')) as [number];
  const nextCall = async () => {
    child.send('tell');
    await once(child, 'message');
  };
  return { port, nextCall, stop: () => child.disconnect() };
}

/** A bucket of so many keys that only lists, in a process of its own. */
export async function startBucket(
  shape: 'flat' | 'deep' | 'Chinese',
  keys: number,
  delayMs: number,
): Promise<Pick<Server, 'port' | 'stop'>> {
  const child = fork(join(import.meta.dirname, 'bucket-server.js'), [shape, String(keys), String(delayMs)]);
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => child.disconnect() };
}

/** The program's own stand-in, which checks signatures and fetches every picture. */
export async function startEmulator(): Promise<Pick<Server, 'port' | 'stop'>> {
  const child = spawn(process.execPath, [program, 'emulate', 'pai', '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(text.toString()) as { url: string };
  return { port: Number(new URL(url).port), stop: () => child.kill() };
}
