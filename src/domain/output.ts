/** The files half of the outside, as the report and dispatch stages see it; `store/` implements it. */
import type { Artifact } from './finding.ts';

/** Text that is written aside, synced and renamed into place when all of it is there. */
export interface TextSink {
  write(text: string): Promise<void>;
}

/** The folder of one run: `<out>/<pipeline>/<run id>/`. */
export interface ReportFolder {
  /** Absolute path of the folder. */
  readonly path: string;
  /** Writes one file atomically; where `fill` throws, the old file (if any) stays. */
  write(name: string, fill: (sink: TextSink) => Promise<void>): Promise<void>;
  /** Points `<out>/<pipeline>/latest` at this folder, as a relative symbolic link. */
  markLatest(): Promise<void>;
}

/** `<out>/<pipeline>/artifacts/<content hash>.<ext>`. */
export interface ArtifactFolder {
  /** Durable when it resolves. The name is made from the content, whatever the item's key says. */
  save(bytes: Uint8Array, extension: string, mediaType: string): Promise<Artifact>;
}
