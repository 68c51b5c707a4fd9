/** The ways to a pipeline's media: its storages, its links, and the headers of the files behind both. */
import type { Clock } from '../domain/clock.ts';
import type { Pipeline } from '../domain/settings.ts';
import { makeProber } from '../source/probe.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { makeUrlReader } from '../wire/url-reader.ts';
import { probeLimits } from './outside.ts';

export interface MediaWays {
  readonly storage: ReturnType<typeof openObjectStorage>;
  readonly probe: ReturnType<typeof makeProber>;
  close(): Promise<void>;
}

export function openMedia({ source, storages }: Pipeline, clock: Clock): MediaWays {
  const allowPrivateAddresses = 'allowPrivateAddresses' in source && source.allowPrivateAddresses;
  const storage = openObjectStorage(storages, { nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses });
  return {
    storage,
    probe: makeProber({ storage, urlReader }),
    close: async () => {
      await urlReader.close();
      storage.close();
    },
  };
}

/** Listed so that a limit takes the first items of a bucket: those with the first keys. */
export function orderForLimit(pipeline: Pipeline, limit: number | undefined): Pipeline {
  const { source } = pipeline;
  if (limit === undefined || source.form !== 'bucket') return pipeline;
  return { ...pipeline, source: { ...source, parallel: 1 } };
}
