/** The folder of one run's reports, and the link to the newest. */
import { readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ReportFolder, TextSink } from '../domain/output.ts';
import { makeAsidePath, sweepAside, syncFolder, writeFileAside } from './atomic-file.ts';
import { joinConfined } from './output-path.ts';
import { makeFolder } from './make-folder.ts';
import { explainFileError } from './trouble.ts';

/** `<out>/<pipeline>/<run id>/`; made when the first file is written. */
export function openReportFolder(out: string, pipeline: string, runId: string): ReportFolder {
  const path = joinConfined(resolve(out), pipeline, runId);
  let sweeping: Promise<void> | undefined;
  return {
    path,
    write: async (name: string, fill: (sink: TextSink) => Promise<void>) => {
      const file = joinConfined(path, name);
      ensureFolder(path);
      await (sweeping ??= sweepTree(dirname(path)));
      await writeFileAside(file, fill);
    },
    markLatest: async () => {
      ensureFolder(path);
      await replaceLink(join(dirname(path), 'latest'), runId);
    },
  };
}

/** Writes a file where reports are to go, and takes it away. @throws Stop where that is no use, before anything is spent */
export async function tryReportFolder(out: string, pipeline: string): Promise<void> {
  const path = joinConfined(resolve(out), pipeline);
  ensureFolder(path);
  const trial = makeAsidePath(join(path, 'trial'));
  try {
    await writeFile(trial, 'trial');
    await rm(trial);
  } catch (error) {
    throw explainFileError('report folder', path, error);
  }
}

/** The folder of a pipeline, and those of its runs and artifacts. */
async function sweepTree(folder: string): Promise<void> {
  await sweepAside(folder);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await sweepAside(join(folder, entry.name));
}

function ensureFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw explainFileError('report folder', path, error);
  }
}

/** Nobody sees the link missing: the new one takes the old one's place. */
async function replaceLink(path: string, target: string): Promise<void> {
  const aside = makeAsidePath(path);
  try {
    await symlink(target, aside);
    await rename(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw explainFileError('link', path, error);
  }
}
