/** What a run would do and cost, without doing it: nothing is planned into the ledger, and no vendor is called. */
import { dirname } from 'node:path';
import type { EstimateFlags, EstimateResult, EstimateWatch, Places } from '../cli/spine.ts';
import { findFolders, openPipeline } from '../config/open.ts';
import { inspectSource } from '../source/inspect.ts';
import { openForesight } from '../store/open-foresight.ts';
import { catalogue } from '../vendors/index.ts';
import { lookAhead } from './look-ahead.ts';
import type { Outside } from './outside.ts';
import { findPostgres } from './ledger.ts';
import { savePlan } from './plan.ts';

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
  const folders = await findFolders(dirname(pipeline.path), places);
  const postgres = await findPostgres(folders, outside, watch.log);
  const foresight = await openForesight({ folder: folders.state, postgres, pipeline, nowMs: clock.now() });
  try {
    const found = await lookAhead(outside, { pipeline, foresight, ...flags, watch });
    const { planOut, limit } = flags;
    if (planOut === undefined) return { estimate: found };
    return { estimate: found, plan: await savePlan(outside, planOut, { pipeline, estimate: found, limit }) };
  } finally {
    await foresight.close();
  }
}
