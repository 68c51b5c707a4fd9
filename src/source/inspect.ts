/** Looks whether a source can be read at all, before anything is begun: for `check`, and for a run's first step. */
import type { Pipeline } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import { openSource } from './open-source.ts';

/** No request is made: what a row's object is like does not matter here. */
const blindStorage: ObjectStorage = {
  list: async () => ({ objects: [], isTruncated: false }),
  head: async () => ({}),
  read: async () => new Uint8Array(),
  sign: async () => ({ url: '' }),
  close: () => undefined,
};

/**
 * Reads the first page of a manifest on disk. A bucket, and a manifest in one, are looked at when they are read; standard
 * input can be read only once.
 *
 * @throws Stop with exit 2 where the file is not there, cannot be understood, or lacks a mapped column
 */
export async function inspectSource(settings: Pick<Pipeline, 'source' | 'select'>): Promise<void> {
  const { source } = settings;
  if (source.form === 'bucket' || source.form === 'inventory') return;
  if (source.path === '-' || source.path.startsWith('s3://')) return;
  for await (const page of openSource(settings, { storage: blindStorage, nowMs: 0 })) {
    if (page) return;
  }
}
