/** The ways to a pipeline's media: its storages, its links, and the headers of the files behind both. */
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../domain/clock.ts';
import type { Pipeline } from '../domain/settings.ts';
import { makeProber } from '../source/probe.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { makeUrlReader, type OpenUrlReader } from '../wire/url-reader.ts';
import { probeLimits } from './outside.ts';

export interface MediaWays {
  readonly storage: ReturnType<typeof openObjectStorage>;
  readonly probe: ReturnType<typeof makeProber>;
  close(): Promise<void>;
}

export function openMedia(pipeline: Pipeline, clock: Clock): MediaWays {
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const urlReader = openHeaderReader(pipeline);
  return {
    storage,
    probe: makeProber({ storage, urlReader }),
    close: async () => {
      await urlReader.close();
      storage.close();
    },
  };
}

/** Reads headers of a pipeline's URLs, from addresses that its source allows. */
export function openHeaderReader({ source, path }: Pick<Pipeline, 'source' | 'path'>): OpenUrlReader {
  const allowPrivateAddresses = 'allowPrivateAddresses' in source && source.allowPrivateAddresses;
  const place = `under source.${source.form} in ${join(basename(dirname(path)), basename(path))}`;
  const advice = `; where it may be read all the same, write "allowPrivateAddresses: true" ${place}`;
  return makeUrlReader({ ...probeLimits, allowPrivateAddresses, advice });
}

/** Listed so that a limit takes the first items of a bucket: those with the first keys. */
export function orderForLimit(pipeline: Pipeline, limit: number | undefined): Pipeline {
  const { source } = pipeline;
  if (limit === undefined || source.form !== 'bucket') return pipeline;
  return { ...pipeline, source: { ...source, parallel: 1 } };
}
