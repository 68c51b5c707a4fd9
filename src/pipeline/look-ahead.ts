/** Looks at a pipeline's source as a run would see it now, and reckons what it would come to. */
import type { EstimateWatch } from '../cli/spine.ts';
import { explainNoLink } from '../dispatch/link.ts';
import type { Estimate } from '../domain/estimate.ts';
import type { Foresight } from '../domain/foresight.ts';
import type { Pipeline } from '../domain/settings.ts';
import { estimateLibrary } from '../plan/estimate/estimate-library.ts';
import { limitItems } from '../plan/limit-items.ts';
import { openSource } from '../source/open-source.ts';
import { openMedia, orderForLimit } from './media.ts';
import type { Outside } from './outside.ts';

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
  const media = openMedia(pipeline, clock);
  const counters = { listed: 0, probed: 0 };
  watch.follow(() => counters);
  const settings = orderForLimit(pipeline, limit);
  const nowMs = clock.now();
  try {
    return await estimateLibrary({
      pipeline,
      pages: limitItems(
        openSource(settings, { storage: media.storage, nowMs, log: watch.log, standardInput }),
        limit,
      ),
      foresight,
      probe: media.probe,
      explainNoLink: (item) => explainNoLink(item, pipeline.access),
      nowMs,
      sample,
      counters,
      stop,
    });
  } finally {
    await media.close();
  }
}
