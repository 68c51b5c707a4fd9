/** Calls a second of one, two and three workers on machines of their own, by what bounds them (`test/fleet/throughput.ts`). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Figure } from './measure.ts';
import { root } from './place.ts';

export async function benchFleet(share: number): Promise<readonly Figure[]> {
  const words = ['--import', 'tsx', 'test/fleet/begin.ts', 'throughput', '--share', String(share)];
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let figures: readonly Figure[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('[')) figures = JSON.parse(line) as readonly Figure[];
    else console.log(line);
  }
  const [exitCode] = (await ended) as [number];
  if (exitCode !== 0) throw new Error(`the fleet ended with ${exitCode}`);
  return figures;
}
