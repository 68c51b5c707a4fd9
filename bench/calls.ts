/**
 * Whole-run calls per second against a bare undici loop: the same signed bodies, concurrency and local server. A whole run
 * reads a manifest, plans, makes intents durable, calls, makes answers durable and writes its reports, in its own process.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison } from './measure.ts';
import { compare } from './measure.ts';

const program = join(import.meta.dirname, '..', 'dist', 'main.js');
const bareLoop = join(import.meta.dirname, 'bare-loop.ts');
const concurrency = 64;
const appId = '202209290847310001';
const token = 'pai-emulator-token';

async function startVendor(delayMs: number): Promise<{ port: number; stop: () => void }> {
  const child = fork(join(import.meta.dirname, 'vendor-server.ts'), [String(delayMs)], {
    execArgv: ['--import', 'tsx'],
  });
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => child.disconnect() };
}

/** The stand-in of the program itself, which checks signatures and fetches every picture. */
async function startEmulator(): Promise<{ port: number; stop: () => void }> {
  const child = spawn(process.execPath, [program, 'emulate', 'pai', '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(text.toString()) as { url: string };
  return { port: Number(new URL(url).port), stop: () => child.kill() };
}

/** Calls per second of a whole run over a manifest of `count` images, start-up and reports included. */
async function measureRun(port: number, count: number, images: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-bench-'));
  try {
    await mkdir(join(folder, 'config', 'prices'), { recursive: true });
    await mkdir(join(folder, 'pipelines'));
    const account = `{ vendor: pai, endpoint: "http://127.0.0.1:${port}", appId: "${appId}", token: "\${TOKEN}", limits: { concurrency: ${concurrency}, perSecond: 100000 } }`;
    await writeFile(join(folder, 'config', 'accounts.yaml'), `accounts:\n  bench: ${account}\n`);
    await writeFile(
      join(folder, 'config', 'prices', 'bench.yaml'),
      'currency: CNY\ntimezone: Asia/Shanghai\nskus:\n  pai/basic: { unit: call, per: 1, tiers: [{ price: "0.0046" }] }\n',
    );
    const rows = Array.from({ length: count }, (_, index) => `${images}/${index}.gif,etag-${index},1000`);
    await writeFile(join(folder, 'pipelines', 'images.csv'), `url,etag,size\n${rows.join('\n')}\n`);
    await writeFile(
      join(folder, 'pipelines', 'bench.yaml'),
      'source: { csv: { path: images.csv } }\nservices: [{ use: pai/image-quality }]\n',
    );
    const begin = performance.now();
    const child = spawn(process.execPath, [program, 'run', 'pipelines/bench.yaml', '--quiet'], {
      cwd: folder,
      env: { PATH: process.env['PATH'], TOKEN: token },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [exitCode] = (await once(child, 'close')) as [number];
    const seconds = (performance.now() - begin) / 1000;
    const summary = JSON.parse(
      await readFile(join(folder, 'reports', 'bench', 'latest', 'summary.json'), 'utf8'),
    );
    if (exitCode !== 0 || summary.counts.answered !== count)
      throw new Error(`the run answered ${summary.counts.answered}`);
    return count / seconds;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Calls per second of the bare loop, its start-up included. */
async function measureBare(port: number, count: number, images: string): Promise<number> {
  const words = [
    '--import',
    'tsx',
    bareLoop,
    String(port),
    String(count),
    String(concurrency),
    appId,
    token,
    images,
  ];
  const begin = performance.now();
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [exitCode] = (await once(child, 'close')) as [number];
  if (exitCode !== 0) throw new Error('the bare loop failed');
  return count / ((performance.now() - begin) / 1000);
}

/** Against a server that does nothing with 20 ms and 0 ms added, and against the program's own emulator. */
export async function benchCalls(count: number, pairs: number): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  const pictures = await startVendor(0);
  const images = `http://127.0.0.1:${pictures.port}/pictures`;
  const vendors = [
    { about: '20 ms added by the server', start: () => startVendor(20) },
    { about: '0 ms added by the server', start: () => startVendor(0) },
    { about: 'against the emulator', start: startEmulator },
  ];
  for (const { about, start } of vendors) {
    const vendor = await start();
    const name = `${count} one-call tasks at ${concurrency} in flight, ${about}`;
    console.log(name);
    comparisons.push(
      await compare(
        name,
        'calls/s',
        'a bare undici loop',
        pairs,
        () => measureRun(vendor.port, count, images),
        () => measureBare(vendor.port, count, images),
      ),
    );
    vendor.stop();
  }
  pictures.stop();
  return comparisons;
}
