/**
 * Reports and artifacts in a bucket, under the names that they have on the disk. Each object is there whole or not at
 * all; as on the disk, `summary.json` comes last, and `latest`, an object that holds the run's id, behind it.
 */
import type { ArtifactFolder, BucketPlace, ReportFolder, TextSink } from '../domain/output.ts';
import type { ObjectAddress } from '../domain/item.ts';
import type { ObjectStorage, ObjectWriter } from '../domain/storage.ts';
import { nameArtifact } from './artifact-folder.ts';
import { ChunkSink } from './chunk-sink.ts';
import { checkStep } from './output-path.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
};

/** `<prefix>/<pipeline>/<run id>/` of a bucket. */
export function openReportPrefix(
  place: BucketPlace,
  pipeline: string,
  runId: string,
  writer: ObjectWriter,
): ReportFolder {
  const home = locate(place, pipeline);
  const folder = locate(place, pipeline, runId);
  return {
    path: `s3://${folder.storage}/${folder.bucket}/${folder.key}`,
    write: async (name: string, fill: (sink: TextSink) => Promise<void>) => {
      const address = locate(place, pipeline, runId, name);
      const upload = writer.upload(address, mediaTypes[name.split('.').at(-1) ?? ''] ?? 'text/plain');
      const sink = new ChunkSink((text) => upload.write(Buffer.from(text, 'utf8')));
      try {
        await fill(sink);
        await sink.flush();
        await upload.finish();
      } catch (error) {
        await upload.abandon();
        throw error;
      }
    },
    markLatest: () =>
      writer.put({ ...home, key: `${home.key}/latest` }, Buffer.from(`${runId}\n`), 'text/plain'),
  };
}

/** `<prefix>/<pipeline>/artifacts/` of a bucket. */
export function openArtifactPrefix(
  place: BucketPlace,
  pipeline: string,
  storage: Pick<ObjectStorage, 'head'> & ObjectWriter,
): ArtifactFolder {
  return {
    save: async (bytes, extension, mediaType) => {
      const name = nameArtifact(bytes, extension);
      const address = locate(place, pipeline, 'artifacts', name);
      // The name says the content, so an object of that name and size is the same object.
      const found = await storage.head(address);
      if (found?.sizeBytes !== bytes.byteLength) await storage.put(address, bytes, mediaType);
      return { path: `artifacts/${name}`, mediaType, bytes: bytes.byteLength };
    },
  };
}

/** Where it is seen, before anything is spent, whether output can be written. */
export function locateTrial(place: BucketPlace, pipeline: string): ObjectAddress {
  return locate(place, pipeline, 'latest');
}

function locate({ storage, bucket, prefix }: BucketPlace, ...names: readonly string[]): ObjectAddress {
  for (const name of names) checkStep(name, `s3://${storage}/${bucket}/${prefix}`);
  return { storage, bucket, key: `${prefix}${names.join('/')}` };
}
