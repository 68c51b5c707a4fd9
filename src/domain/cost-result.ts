/** What `cost` tells: the months, and one of them looked at closely. */
import type { AccountStand, CostDimension, CostLine, Projected, UsageSums } from './cost.ts';

export interface CostResult {
  readonly currency: string;
  /** In which days and months begin. */
  readonly timezone: string;
  /** The month that is looked at: the one asked for, else the latest with usage. Absent where nothing was used. */
  readonly month?: string | undefined;
  readonly pipeline?: string | undefined;
  /** Stand-ins used all of it, so that nobody was billed. */
  readonly isPlayed: boolean;
  /** Units that stand-ins used, and that are left out for that. */
  readonly playedUnits: number;
  /** Of the month. */
  readonly total: UsageSums & { readonly projected?: Projected | undefined };
  /** How the month's end was reckoned; absent where the month is over. */
  readonly projection?:
    | {
        readonly since: string;
        readonly until: string;
        readonly today: string;
        readonly daysSeen: number;
        readonly daysLeft: number;
      }
    | undefined;
  readonly months: readonly CostLine[];
  /** Of the month: by day, by account and SKU, by pipeline, by prefix where it was asked for. */
  readonly days: readonly CostLine[];
  readonly skus: readonly CostLine[];
  readonly pipelines: readonly CostLine[];
  readonly prefixes?: readonly CostLine[] | undefined;
  readonly accounts: readonly AccountStand[];
  /** What CSV holds, and the table where dimensions were asked for. */
  readonly rows: readonly CostLine[];
  readonly by: readonly CostDimension[];
  /** True where dimensions were asked for. */
  readonly isGrouped: boolean;
}
