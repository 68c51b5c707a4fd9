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
 * Reads the first page of a manifest. A bucket is looked at by its listing only.
 *
 * @throws Stop with exit 2 where the file is not there, cannot be understood, or lacks a mapped column
 */
export async function inspectSource(settings: Pick<Pipeline, 'source' | 'select'>): Promise<void> {
  if (settings.source.form === 'bucket') return;
  for await (const page of openSource(settings, { storage: blindStorage, nowMs: 0 })) {
    if (page) return;
  }
}
