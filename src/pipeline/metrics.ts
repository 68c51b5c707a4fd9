/** Keeps a file of metrics up to date while a run goes on (`--metrics-file`). */
import { resolve } from 'node:path';
import type { Log } from '../domain/log.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import { type MetricsSnapshot, renderMetrics } from '../report/metrics.ts';
import { writeFileAside } from '../store/atomic-file.ts';
import { type Companion, makeBeat } from './companion.ts';
import type { Outside } from './outside.ts';

const beatMs = 15_000;

/**
 * Writes it at once, so that a path that cannot be written ends the command before anything is spent.
 *
 * @throws `Stop` where the file cannot be written now; later on that is told and no more
 */
export async function openMetrics(
  { clock, folder, version }: Pick<Outside, 'clock' | 'folder' | 'version'>,
  pipeline: string,
  file: string,
  log: Log,
): Promise<Companion> {
  const name = `metrics file ${file}`;
  const path = resolve(folder, file);
  const beat = makeBeat(clock, beatMs, log, name);
  let known: Partial<MetricsSnapshot> = {};
  const write = (more: Partial<MetricsSnapshot>): Promise<void> => {
    known = { ...known, ...more };
    const text = renderMetrics({ pipeline, version, nowMs: clock.now(), ...known });
    return writeFileAside(path, (sink) => sink.write(text));
  };
  await write({});
  return {
    name,
    begun: (run) => {
      known = { ...known, run };
    },
    follow: (read) => beat.begin(() => write({ progress: read() })),
    ended: async ({ run, summary, exitCode }) => {
      await beat.end();
      await write({ run, summary, exitCode });
    },
    failed: async (error) => {
      await beat.end();
      await write({ exitCode: error instanceof Stop ? error.exitCode : exitCodes.ourMistake });
    },
    close: () => beat.end(),
  };
}
