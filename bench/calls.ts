/**
 * Whole-run calls and jobs per second against a bare undici loop: the same signed bodies, concurrency and local server. A
 * whole run reads a manifest, plans, makes intents durable, calls, makes answers durable and writes its reports, in its
 * own process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Comparison, compare } from './measure.ts';
import { concurrency, makeProject, runPipeline, type Server, startEmulator, startVendor } from './project.ts';

interface Against {
  readonly about: string;
  /** Of the calls that are asked for: goals are set for the first two, and the others take several times as long. */
  readonly share: number;
  readonly form: 'calls' | 'jobs';
  readonly start: () => Promise<Pick<Server, 'port' | 'stop'>>;
}

const againsts: readonly Against[] = [
  { about: '20 ms added by the server', share: 1, form: 'calls', start: () => startVendor(20) },
  { about: '0 ms added by the server', share: 1, form: 'calls', start: () => startVendor(0) },
  { about: 'against the emulator', share: 0.2, form: 'calls', start: startEmulator },
  { about: '20 ms added by the server', share: 0.2, form: 'jobs', start: () => startVendor(20) },
];

/** Tasks per second of a whole run, start-up and reports included. */
async function measureRun({ form }: Against, port: number, count: number, media: string): Promise<number> {
  const use = form === 'jobs' ? 'qiniu/video-censor' : 'pai/image-quality';
  const project = await makeProject({ count, port, use, media });
  try {
    const { seconds } = await runPipeline(project, count);
    return count / seconds;
  } finally {
    await project.remove();
  }
}

/** Tasks per second of the bare loop, its start-up included. */
async function measureBare({ form }: Against, port: number, count: number, media: string): Promise<number> {
  const bareLoop = join(import.meta.dirname, 'bare-loop.js');
  const words = [form, media, ...[port, count, concurrency].map(String)];
  const begin = performance.now();
  const child = spawn(process.execPath, [bareLoop, ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [exitCode] = (await once(child, 'close')) as [number];
  if (exitCode !== 0) throw new Error('the bare loop failed');
  return count / ((performance.now() - begin) / 1000);
}

/** One-call tasks against servers that do nothing and against the program's own emulator, and polled ones. */
export async function benchCalls(calls: number, pairs: number): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  const pictures = await startVendor(0);
  const media = `http://127.0.0.1:${pictures.port}/pictures`;
  for (const against of againsts) {
    const vendor = await against.start();
    const { about, form } = against;
    const count = Math.round(calls * against.share);
    const kind = form === 'jobs' ? 'polled' : 'one-call';
    comparisons.push(
      await compare(
        `${count} ${kind} tasks at ${concurrency} in flight, ${about}`,
        `${form}/s`,
        'a bare undici loop',
        pairs,
        () => measureRun(against, vendor.port, count, media),
        () => measureBare(against, vendor.port, count, media),
      ),
    );
    vendor.stop();
  }
  pictures.stop();
  return comparisons;
}
