/** What a run would do and cost, without doing it: nothing is planned into the ledger, and no vendor is called. */
import { dirname } from 'node:path';
import type { EstimateFlags, EstimateResult, EstimateWatch, Places } from '../cli/spine.ts';
import { findFolders, openPipeline } from '../config/open.ts';
import { explainNoLink } from '../dispatch/link.ts';
import type { Estimate } from '../domain/estimate.ts';
import type { Foresight } from '../domain/foresight.ts';
import type { Pipeline } from '../domain/settings.ts';
import { estimateLibrary } from '../plan/estimate/estimate-library.ts';
import { limitItems } from '../plan/limit-items.ts';
import { inspectSource } from '../source/inspect.ts';
import { openSource } from '../source/open-source.ts';
import { makeProber } from '../source/probe.ts';
import { openForesight } from '../store/open-foresight.ts';
import { catalogue } from '../vendors/index.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { makeUrlReader } from '../wire/url-reader.ts';
import { type Outside, probeLimits } from './outside.ts';

export async function estimate(
  outside: Outside,
  flags: EstimateFlags,
  places: Places,
  watch: EstimateWatch,
): Promise<EstimateResult> {
  const { environment, clock } = outside;
  const { path } = flags;
  const pipeline = await openPipeline({ path, configFolder: places.config, environment, catalogue });
  await inspectSource(pipeline);
  const { state: folder } = await findFolders(dirname(pipeline.path), places);
  const foresight = await openForesight({ folder, pipeline, nowMs: clock.now() });
  try {
    return { estimate: await lookAhead(outside, { pipeline, foresight, ...flags, watch }) };
  } finally {
    foresight.close();
  }
}

/** The source as a run would see it, priced from where the ledger stands. */
async function lookAhead(
  { clock, standardInput, stop }: Outside,
  parts: {
    readonly pipeline: Pipeline;
    readonly foresight: Foresight;
    readonly limit?: number | undefined;
    readonly sample?: number | undefined;
    readonly watch: EstimateWatch;
  },
): Promise<Estimate> {
  const { pipeline, foresight, limit, sample, watch } = parts;
  const { source, access } = pipeline;
  const allowPrivateAddresses = 'allowPrivateAddresses' in source && source.allowPrivateAddresses;
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses });
  const counters = { listed: 0, probed: 0 };
  watch.follow(() => counters);
  // The first items of a bucket are those with the first keys.
  const isOrdered = limit !== undefined && source.form === 'bucket';
  const settings = isOrdered ? { ...pipeline, source: { ...source, parallel: 1 } } : pipeline;
  const nowMs = clock.now();
  try {
    return await estimateLibrary({
      pipeline,
      pages: limitItems(openSource(settings, { storage, nowMs, log: watch.log, standardInput }), limit),
      foresight,
      probe: makeProber({ storage, urlReader }),
      explainNoLink: (item) => explainNoLink(item, access),
      nowMs,
      sample,
      counters,
      stop,
    });
  } finally {
    await urlReader.close();
    storage.close();
  }
}
