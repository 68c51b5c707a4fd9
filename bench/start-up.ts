/** How long until something happens: `--help`, and the first call of a run that goes on behind a great many done tasks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fillLedger } from './filled-ledger.ts';
import { type Comparison, compare } from './measure.ts';
import { makeProject, type Project, program, startBucket, startProgram, startVendor } from './project.ts';

const openTasks = 1000;

/** Against Node that does nothing, and against a run that has done nothing yet. Calls of the measured runs are few. */
export async function benchStartUp(done: number, pairs: number): Promise<readonly Comparison[]> {
  const help = await compare(
    '--help',
    's',
    'Node that does nothing',
    pairs,
    () => time([program, '--help']),
    () => time(['-e', '0']),
  );
  const vendors = await Promise.all([startVendor(0), startVendor(0)]);
  const bucket = await startBucket('flat', done + openTasks, 0);
  const [resumed, begun] = [
    await makeProject({ count: 0, port: vendors[0].port, bucketPort: bucket.port }),
    await makeProject({ count: openTasks, port: vendors[1].port }),
  ] as const;
  try {
    const { ledger } = await fillLedger(resumed.folder, openTasks);
    await ledger.close();
    return [
      help,
      await compare(
        `to the first call of a run that goes on behind ${done} done tasks`,
        's',
        'a run that begins',
        pairs,
        () => timeFirstCall(resumed, vendors[0]),
        () => timeFirstCall(begun, vendors[1], ['--new']),
      ),
    ];
  } finally {
    for (const server of [...vendors, bucket]) server.stop();
    await resumed.remove();
    await begun.remove();
  }
}

async function time(words: readonly string[]): Promise<number> {
  const begin = performance.now();
  await once(spawn(process.execPath, words, { stdio: 'ignore' }), 'close');
  return (performance.now() - begin) / 1000;
}

/** The program is killed as soon as it has called, so that enough is left for the next time. */
async function timeFirstCall(
  { folder }: Project,
  vendor: Awaited<ReturnType<typeof startVendor>>,
  flags: readonly string[] = [],
): Promise<number> {
  const called = vendor.nextCall();
  const begin = performance.now();
  const child = startProgram(folder, ['run', 'pipelines/bench.yaml', '--quiet', ...flags]);
  await called;
  const seconds = (performance.now() - begin) / 1000;
  child.kill('SIGKILL');
  await once(child, 'close');
  return seconds;
}
