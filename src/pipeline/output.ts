/** Where a pipeline's reports and artifacts go: a folder, or a bucket of a configured storage. */
import type { Places } from '../cli/spine.ts';
import { type Folders, openOutputStorage } from '../config/open.ts';
import { type ArtifactFolder, readBucketPlace, type ReportFolder } from '../domain/output.ts';
import type { Pipeline } from '../domain/settings.ts';
import { openArtifactFolder } from '../store/artifact-folder.ts';
import { locateTrial, openArtifactPrefix, openReportPrefix } from '../store/bucket-output.ts';
import { openReportFolder, tryReportFolder } from '../store/report-folder.ts';
import { catalogue } from '../vendors/index.ts';
import { openObjectStorage } from '../wire/s3.ts';
import type { Outside } from './outside.ts';

export interface Output {
  readonly reports: (run: string) => ReportFolder;
  readonly artifacts: ArtifactFolder;
  /** Throws a `Stop` where nothing can be written there. */
  readonly tryWriting: () => Promise<void>;
}

interface Outputting {
  readonly pipeline: Pick<Pipeline, 'name' | 'path'>;
  readonly folders: Folders;
  readonly places: Places;
}

/** Opens it for as long as it is used; throws a `Stop` (exit 2) where its storage is not in order. */
export async function withOutput<Value>(
  outside: Pick<Outside, 'environment' | 'clock'>,
  { pipeline: { name, path }, folders: { out }, places }: Outputting,
  use: (output: Output) => Promise<Value>,
): Promise<Value> {
  const place = readBucketPlace(out);
  if (!place) {
    return await use({
      reports: (run) => openReportFolder(out, name, run),
      artifacts: openArtifactFolder(out, name),
      tryWriting: () => tryReportFolder(out, name),
    });
  }
  const { environment, clock } = outside;
  const request = { path, configFolder: places.config, environment, catalogue };
  const settings = await openOutputStorage(request, out, place.storage);
  const storage = openObjectStorage(new Map([[place.storage, settings]]), { nowMs: () => clock.now() });
  try {
    return await use({
      reports: (run) => openReportPrefix(place, name, run, storage),
      artifacts: openArtifactPrefix(place, name, storage),
      tryWriting: () => storage.tryWriting(locateTrial(place, name)),
    });
  } finally {
    storage.close();
  }
}
