/** Everything that the page needs beyond the ledger's own counts, gathered in the one pass in bounded memory. */
import type { RunChange } from '../../domain/change.ts';
import type { Spending } from '../../domain/caps.ts';
import type { BrokenRow } from '../../domain/item.ts';
import type { BillRow, RunRecord, TaskCount } from '../../domain/ledger.ts';
import { type Verdict, verdicts } from '../../domain/policy.ts';
import type { JudgedItem } from '../judged-item.ts';
import type { MonthStands, ReportRequest } from '../request.ts';
import type { VerdictCounts } from '../../domain/summary.ts';
import type { Saved } from '../thrift.ts';
import type { ReportTally } from '../summary.ts';
import { makeSavings, type Savings } from './saving.ts';
import { makeServiceCosts, type ServiceCosts } from './service-cost.ts';
import type { BillTotal } from '../table/bill-table.ts';
import { listTasks } from '../table/task-table.ts';
import { type FailureBill, makeFailureBill } from './billed-failure.ts';
import { type Causes, makeCauses } from './cause.ts';
import { type Distributions, makeDistributions } from './distribution.ts';
import { type Flagged, makeFlagged } from './flagged.ts';
import { makePlaces, type Places } from './place.ts';

export interface Gathering {
  readonly flagged: Flagged;
  readonly distributions: Distributions;
  readonly causes: Causes;
  readonly failureBill: FailureBill;
  readonly places: Places;
  readonly savings: Savings;
  readonly serviceCosts: ServiceCosts;
  readonly verdicts: () => VerdictCounts;
  /** Tasks seen. */
  readonly tasks: () => number;
  readonly add: (row: JudgedItem) => void;
}

export function makeGathering(
  request: Pick<ReportRequest, 'policy' | 'services' | 'publicBaseUrl'>,
): Gathering {
  const flagged = makeFlagged(request);
  const distributions = makeDistributions(request.services);
  const causes = makeCauses();
  const failureBill = makeFailureBill();
  const places = makePlaces();
  const savings = makeSavings();
  const serviceCosts = makeServiceCosts(request.services, request.policy);
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  let [items, tasks] = [0, 0];
  return {
    flagged,
    distributions,
    causes,
    failureBill,
    places,
    savings,
    serviceCosts,
    verdicts: () => ({ ...counts }),
    tasks: () => tasks,
    add(row) {
      if (row.verdict !== '') counts[row.verdict] += 1;
      flagged.add(row, items);
      places.add(row);
      for (const task of row.tasks) {
        distributions.add(task);
        failureBill.add(task);
        savings.add(task);
      }
      serviceCosts.add(row);
      for (const task of listTasks(row)) causes.add(task);
      items += 1;
      tasks += row.tasks.length;
    },
  };
}

/** All that the page is made of. */
export interface PageContent {
  readonly request: ReportRequest;
  /** The final record, where the run has ended. */
  readonly run: RunRecord;
  readonly tally: ReportTally;
  readonly gathering: Gathering;
  readonly taskCounts: readonly TaskCount[];
  readonly bill: readonly BillRow[];
  readonly total: BillTotal;
  readonly broken: readonly BrokenRow[];
  readonly spending: Spending;
  /** Where the accounts stand with their tiers, in the months of the run. */
  readonly months: readonly MonthStands[];
  /** What conditions spared; absent where nothing was. */
  readonly saved?: Saved | undefined;
  /** Since the run before this one; absent where there is none to compare with. */
  readonly change?: RunChange | undefined;
}
