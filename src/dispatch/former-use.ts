/** Finds the service that an attempt was sent for, though the pipeline has changed since or was another one. */
import type { Attempt, Ledger, RunRecord } from '../domain/ledger.ts';
import { canonicalOptions } from '../domain/reuse.ts';
import type { Pipeline, ServiceUse } from '../domain/settings.ts';

export interface FormerWorld {
  readonly pipeline: Pick<Pipeline, 'name' | 'shapeHash' | 'services'>;
  readonly ledger: Pick<Ledger, 'findRun'>;
  /** The pipeline of a run as it was written then; undefined where it, or an account of it, is not in order any more. */
  readonly reopen: (run: RunRecord) => Promise<Pick<Pipeline, 'services'> | undefined>;
}

/** Each run is reopened once. A service that is still used the same way is answered as this pipeline has it. */
export function makeUseFinder(world: FormerWorld): (attempt: Attempt) => Promise<ServiceUse | undefined> {
  const { pipeline, ledger, reopen } = world;
  const formers = new Map<string, Promise<Pick<Pipeline, 'services'> | undefined>>();
  const findFormer = (run: RunRecord) => {
    const former = formers.get(run.id) ?? reopen(run);
    formers.set(run.id, former);
    return former;
  };
  return async (attempt) => {
    const run = await ledger.findRun(attempt.run);
    const isOurs = run?.pipeline === pipeline.name;
    const own = pipeline.services.find((use) => isUseOf(use, attempt));
    if (!run || (isOurs && run.shapeHash === pipeline.shapeHash)) return own;
    const former = (await findFormer(run))?.services.find((use) => isUseOf(use, attempt));
    if (!former) return isOurs ? own : undefined;
    return pipeline.services.find((use) => isSameUse(use, former)) ?? former;
  };
}

/** An account that became a stand-in, or ceased to be one, is another. */
function isUseOf({ name, account }: ServiceUse, attempt: Attempt): boolean {
  return (
    name === attempt.service &&
    account.name === attempt.account &&
    (attempt.isLoopback === undefined || account.isLoopback === attempt.isLoopback)
  );
}

function isSameUse(one: ServiceUse, other: ServiceUse): boolean {
  const { service } = one;
  return (
    service.name === other.service.name &&
    one.account.name === other.account.name &&
    one.account.isLoopback === other.account.isLoopback &&
    one.model === other.model &&
    // A call that answers by itself is in no list of jobs: it must not be looked for there, and sent again when it is not found.
    (one.delivery === 'sync') === (other.delivery === 'sync') &&
    canonicalOptions(service.options, one.options) === canonicalOptions(service.options, other.options)
  );
}
