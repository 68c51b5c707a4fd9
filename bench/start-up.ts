/** How long until something happens: `--help`, and the first call of a run that goes on behind a great many done tasks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fillLedger } from './filled-ledger.ts';
import { type Figure, takeMedian } from './measure.ts';
import { makeProject, program, startBucket, startProgram, startVendor } from './project.ts';

const openTasks = 1000;

export async function benchStartUp(done: number): Promise<readonly Figure[]> {
  const help = await takeMedian(11, () => time([program, '--help']));
  const node = await takeMedian(11, () => time(['-e', '0']));
  return [
    { name: '--help', value: help, unit: 's' },
    { name: 'Node itself, for comparison', value: node, unit: 's' },
    {
      name: `from the start of a run that goes on behind ${done} done tasks to its first call`,
      value: await measureResume(done),
      unit: 's',
    },
  ];
}

async function time(words: readonly string[]): Promise<number> {
  const begin = performance.now();
  await once(spawn(process.execPath, words, { stdio: 'ignore' }), 'close');
  return (performance.now() - begin) / 1000;
}

async function measureResume(done: number): Promise<number> {
  const bucket = await startBucket('flat', done + openTasks, 0);
  const vendor = await startVendor(0);
  const project = await makeProject({ count: 0, port: vendor.port, bucketPort: bucket.port });
  try {
    const { ledger } = await fillLedger(project.folder, openTasks);
    await ledger.close();
    const begin = performance.now();
    const child = startProgram(project.folder, ['run', 'pipelines/bench.yaml', '--quiet']);
    await vendor.called;
    const seconds = (performance.now() - begin) / 1000;
    child.kill('SIGKILL');
    await once(child, 'close');
    return seconds;
  } finally {
    bucket.stop();
    vendor.stop();
    await project.remove();
  }
}
