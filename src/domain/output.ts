/** Where reports and artifacts go, as the report and dispatch stages see it; `store/` implements it. */
import type { Artifact } from './finding.ts';

/** Text that is kept aside until all of it is there. */
export interface TextSink {
  write(text: string): Promise<void>;
}

/** The folder of one run: `<out>/<pipeline>/<run id>/`, on the disk or in a bucket. */
export interface ReportFolder {
  /** Absolute path of the folder, or `s3://storage/bucket/prefix/...`. */
  readonly path: string;
  /** Writes one file whole; where `fill` throws, the old file (if any) stays. */
  write(name: string, fill: (sink: TextSink) => Promise<void>): Promise<void>;
  /** Points `<out>/<pipeline>/latest` at this folder: a relative symbolic link, or an object that holds the run's id. */
  markLatest(): Promise<void>;
}

/** `<out>/<pipeline>/artifacts/<content hash>.<ext>`. */
export interface ArtifactFolder {
  /** Durable when it resolves. The name is made from the content, whatever the item's key says. */
  save(bytes: Uint8Array, extension: string, mediaType: string): Promise<Artifact>;
}

/** A place in a bucket that output goes to. */
export interface BucketPlace {
  readonly storage: string;
  readonly bucket: string;
  /** Empty, or steps with `/` between them and at the end. */
  readonly prefix: string;
}

export function isBucketPlace(out: string): boolean {
  return out.startsWith('s3://');
}

/** Reads `s3://storage/bucket` or `s3://storage/bucket/prefix`; undefined where it is written otherwise. */
export function readBucketPlace(out: string): BucketPlace | undefined {
  const [, storage, bucket, rest = ''] = /^s3:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/s.exec(out) ?? [];
  if (storage === undefined || bucket === undefined) return undefined;
  const prefix = rest.replace(/\/$/, '');
  if (prefix === '') return { storage, bucket, prefix };
  const isClean = prefix.split('/').every((step) => !['', '.', '..'].includes(step));
  return isClean ? { storage, bucket, prefix: `${prefix}/` } : undefined;
}
