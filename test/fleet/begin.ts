/**
 * Opens a network of machines and runs a program of this folder on the one with the servers:
 * `npx tsx test/fleet/begin.ts show --blows 60`, `npx tsx test/fleet/begin.ts throughput`. Without root it is all one machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { closeNetwork, findObstacle, openLoopback, openNamespaces } from './network.ts';

const machines = ['coordinator', 'worker1', 'worker2', 'worker3'];

export interface Begun {
  readonly exitCode: number;
  /** What it told, as it did. */
  readonly out: string;
}

/** Resolves with its end. What it says is shown as it comes where `isShown`. */
export async function beginFleet(
  program: 'show' | 'throughput',
  words: readonly string[],
  isShown: boolean,
): Promise<Begun> {
  const obstacle = words.includes('--loopback') ? 'asked for' : await findObstacle();
  const network = obstacle === undefined ? await openNamespaces(machines) : openLoopback(machines);
  const place =
    obstacle === undefined
      ? 'a network namespace for each worker, the coordinator and the servers'
      : `processes of one machine, whose lines cannot be cut (${obstacle})`;
  let out = `${program}: ${place}\n`;
  if (isShown) process.stdout.write(out);
  try {
    const [enter = process.execPath, ...more] = [
      ...network.hub.enter,
      process.execPath,
      '--import',
      'tsx',
      join(import.meta.dirname, `${program}.ts`),
      ...words,
    ];
    const child = spawn(enter, more, {
      env: { ...process.env, MEDIASWEEP_NETWORK: JSON.stringify(network) },
      cwd: join(import.meta.dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const end = () => child.kill('SIGTERM');
    process.once('SIGINT', end).once('SIGTERM', end);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (isShown) process.stdout.write(text);
    });
    const [exitCode] = (await once(child, 'close')) as [number | null];
    process.off('SIGINT', end).off('SIGTERM', end);
    return { exitCode: exitCode ?? 1, out };
  } finally {
    await closeNetwork(network);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [program, ...words] = process.argv.slice(2);
  if (program !== 'show' && program !== 'throughput') throw new Error('expected: begin.ts show|throughput');
  process.exitCode = (await beginFleet(program, words, true)).exitCode;
}
