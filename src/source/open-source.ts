/** Opens what a pipeline looks at, whatever its form, as one stream of pages. */
import type { Item, SourcePage } from '../domain/item.ts';
import type { Log } from '../domain/log.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import { listBucket } from './bucket.ts';
import { readManifest } from './manifest.ts';
import { makeSelection } from './select.ts';

/** What a source needs of the outside. `nowMs` is where `modifiedWithin` counts back from. */
export interface SourceTools {
  readonly storage: ObjectStorage;
  readonly nowMs: number;
  readonly log?: Log | undefined;
  /** What a manifest at `-` is read from. */
  readonly standardInput?: AsyncIterable<unknown> | undefined;
  /** For looking at a manifest only: storages are not asked about its rows. */
  readonly isGlance?: boolean | undefined;
  /** Items of these ids as the latest run that had them knows them: whether a report cut their links. */
  readonly readEarlier?: ((ids: readonly string[]) => Promise<readonly Item[]>) | undefined;
}

/**
 * The pages of a pipeline's source, read as they are asked for. A bucket goes on after a `checkpoint` that an earlier
 * page carried; a manifest is read from its beginning.
 *
 * @throws Stop while it is read: exit 2 for a source that cannot be used, exit 3 for a server that is lost or lists wrong
 */
export function openSource(
  settings: Pick<Pipeline, 'source' | 'select'>,
  tools: SourceTools,
  checkpoint?: string,
): AsyncIterable<SourcePage> {
  const selection = makeSelection(settings.select, tools.nowMs);
  return settings.source.form === 'bucket'
    ? listBucket(settings.source, { selection, ...tools }, checkpoint)
    : readManifest(settings.source, selection, tools);
}
