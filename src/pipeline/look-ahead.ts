/** Looks at a pipeline's source as a run would see it now, and reckons what it would come to. */
import type { EstimateWatch } from '../cli/spine.ts';
import { explainNoLink } from '../dispatch/link.ts';
import type { Estimate } from '../domain/estimate.ts';
import type { Foresight } from '../domain/foresight.ts';
import type { Pipeline } from '../domain/settings.ts';
import { estimateLibrary } from '../plan/estimate/estimate-library.ts';
import { limitItems } from '../plan/limit-items.ts';
import { openSource } from '../source/open-source.ts';
import { makeProber } from '../source/probe.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { makeUrlReader } from '../wire/url-reader.ts';
import { type Outside, probeLimits } from './outside.ts';

/** Priced from where the ledger stands; nothing is stored but headers, and nobody is called. */
export async function lookAhead(
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
