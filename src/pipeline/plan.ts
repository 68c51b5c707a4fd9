/** Plans: an estimate written down, and a run held to it before anything is sent. */
import { resolve } from 'node:path';
import type { RunFlags, RunWatch } from '../cli/spine.ts';
import { hashParts } from '../config/fingerprint.ts';
import type { Folders } from '../config/open.ts';
import type { Estimate } from '../domain/estimate.ts';
import type { RunPlan } from '../domain/plan.ts';
import { wrongUse } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import { comparePlan, formatShare, type PlanDifference } from '../plan/compare-plan.ts';
import { hashPlan, makePlan, readPlanText, writePlanText } from '../plan/plan-file.ts';
import { openForesight } from '../store/open-foresight.ts';
import { readPlanFile, writePlanFile } from '../store/plan-file.ts';
import { findPostgres } from './ledger.ts';
import { lookAhead } from './look-ahead.ts';
import type { Outside } from './outside.ts';

/** Writes the plan of an estimate; answers its hash. */
export async function savePlan(
  { folder }: Outside,
  file: string,
  parts: {
    readonly pipeline: Pipeline;
    readonly estimate: Estimate;
    readonly limit?: number | undefined;
  },
): Promise<{ readonly path: string; readonly sha256: string }> {
  const { pipeline, estimate, limit } = parts;
  const path = resolve(folder, file);
  const plan = makePlan(estimate, { config: hashParts(pipeline), limit, prices: pipeline.prices });
  await writePlanFile(path, writePlanText(plan));
  return { path, sha256: hashPlan(plan) };
}

/**
 * The plan that the run is to be held to, once the library, the prices and the configuration of now were found to be
 * those of the plan. A run that began under the very plan is not looked at again: a part of it is done.
 *
 * @throws `Stop` with exit 2 that names every difference
 */
export async function holdToPlan(
  outside: Outside,
  parts: {
    readonly pipeline: Pipeline;
    readonly folders: Folders;
    readonly flags: RunFlags;
    readonly watch: RunWatch;
  },
): Promise<RunPlan | undefined> {
  const { pipeline, folders, flags, watch } = parts;
  if (flags.plan === undefined) return undefined;
  const { file, tolerance } = flags.plan;
  const { source } = pipeline;
  if ('path' in source && source.path === '-') {
    throw wrongUse(
      '--plan: the source is standard input, which cannot be read a second time to be compared with the plan. Put it into a file.',
    );
  }
  const nowMs = outside.clock.now();
  const { plan, sha256 } = readPlanText(await readPlanFile(resolve(outside.folder, file)), file);
  const { startNew, resumeAnyAge, limit } = flags;
  const postgres = await findPostgres(folders, outside, watch.log);
  const scope = { pipeline, nowMs, startNew, resumeAnyAge };
  const foresight = await openForesight({ folder: folders.state, postgres, ...scope });
  try {
    const config = hashParts(pipeline);
    if (foresight.resumes?.plan?.sha256 !== sha256) {
      const follow: (read: () => { listed: number }) => void = (read) =>
        watch.follow(() => ({ ...nothing, listed: read().listed }));
      const estimate = await lookAhead(outside, { pipeline, foresight, limit, watch: { ...watch, follow } });
      const now = makePlan(estimate, { config, limit, prices: pipeline.prices });
      refuseDifferent(file, plan.createdAt, comparePlan(plan, now, tolerance));
    }
    const skus = pipeline.services.flatMap((use) => use.service.skus(use.options));
    const units: Record<string, number> = Object.fromEntries(skus.map((sku) => [sku, 0]));
    for (const { sku, units: count } of plan.skus) units[sku] = (units[sku] ?? 0) + count;
    return { sha256, units, tolerance, prices: config['prices'] ?? '' };
  } finally {
    await foresight.close();
  }
}

const nothing = {
  isListed: false,
  planned: 0,
  asked: 0,
  answered: 0,
  atVendor: 0,
  failed: 0,
  held: 0,
  repeated: 0,
};

function refuseDifferent(file: string, createdAt: string, differences: readonly PlanDifference[]): void {
  if (differences.length === 0) return;
  const words = differences.map(({ message }) => message).join('; ');
  const shares = differences.map(({ share }) => share ?? Number.POSITIVE_INFINITY);
  const most = Math.max(...shares);
  const allow = most <= 1 ? `, or allow for it with --tolerance ${formatShare(most).replace(' ', '')}` : '';
  throw wrongUse(
    `plan "${file}" of ${createdAt}: this is not what was planned: ${words}. Nothing was sent. Make a new plan with estimate --plan-out${allow}.`,
  );
}
