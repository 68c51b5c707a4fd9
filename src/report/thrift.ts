/** What a run saved by asking only where it was worth it, and what flagged items cost. */
import { formatNano } from '../domain/money.ts';
import type { Nano, Quote } from '../domain/pricing.ts';
import type { SummarySaving, VerdictCounts } from '../domain/summary.ts';
import type { Units } from '../domain/usage.ts';
import type { Gathering } from './gather/gathering.ts';
import { divideCharge, type ServiceCost } from './gather/service-cost.ts';
import type { ReportRequest } from './request.ts';

/** Estimated: what tasks would have used that a `when` spared, priced at the position that the account has come to. */
export interface Saved extends Quote {
  readonly tasks: number;
  readonly units: Units;
}

/** Undefined where nothing was spared. */
export async function readSaved(
  { quote }: Pick<ReportRequest, 'quote'>,
  { savings }: Pick<Gathering, 'savings'>,
): Promise<Saved | undefined> {
  if (savings.tasks() === 0) return undefined;
  const units: Record<string, number> = {};
  let charge: Nano = 0n;
  let isComplete = true;
  for (const { account, units: spared } of savings.list()) {
    for (const [sku, count] of Object.entries(spared)) units[sku] = (units[sku] ?? 0) + count;
    const quoted = await quote?.(account, spared);
    charge += quoted?.charge ?? 0n;
    isComplete &&= quoted?.isComplete ?? false;
  }
  return { tasks: savings.tasks(), units, charge, isComplete };
}

/** For `summary.json` and `bill.json`. */
export function describeSaved({ tasks, units, charge, isComplete }: Saved): SummarySaving {
  return { tasks, units, charge: formatNano(charge), complete: isComplete };
}

/** Money as decimal strings; null where nothing was flagged. */
interface CostsOfFindings {
  /** Charge over items to review or to block. */
  readonly perFlagged: string | null;
  readonly services: readonly {
    readonly service: string;
    readonly charge: string;
    readonly answers: number;
    readonly flagged: number;
    readonly perFlagged: string | null;
  }[];
}

/** For `bill.json`; undefined where nothing was flagged. */
export function describeCosts(
  total: Nano,
  { block, review }: VerdictCounts,
  costs: readonly ServiceCost[],
): CostsOfFindings | undefined {
  if (block + review === 0) return undefined;
  const divide = (charge: Nano, flagged: number) => {
    const each = divideCharge(charge, flagged);
    return each === undefined ? null : formatNano(each);
  };
  return {
    perFlagged: divide(total, block + review),
    services: costs.map(({ service, charge, answers, flagged }) => ({
      service,
      charge: formatNano(charge),
      answers,
      flagged,
      perFlagged: divide(charge, flagged),
    })),
  };
}
