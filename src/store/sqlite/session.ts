/** One process's go at one run: what every operation on it needs. */
import type { Cap } from '../../domain/caps.ts';
import type { BillingFacts } from '../../domain/pricing.ts';
import type { Pipeline } from '../../domain/settings.ts';
import type { Database } from './database.ts';
import type { Tally } from './tally.ts';

/** Handed in by the ledger. */
export interface Office {
  readonly db: Database;
  readonly tally: Tally;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Session extends Office {
  /** The run's number in the ledger. */
  readonly run: number;
  readonly runId: string;
  readonly pipeline: Pipeline;
  /** Names of the run's services: a task's service is a place in it. */
  readonly services: readonly string[];
  readonly billing: ReadonlyMap<string, Readonly<Record<string, BillingFacts>>>;
  readonly caps: readonly Cap[];
  /** Answers of other runs count from this time on, remembered failures of any run from that. */
  readonly answeredSinceMs: number;
  readonly failedSinceMs: number;
  /** Ids at or above were given in this session. */
  readonly firstItem: number;
  readonly firstAttempt: number;
}

/** Whether answers of other runs are disregarded. */
export function isFresh(pipeline: Pipeline): boolean {
  return pipeline.reuse.by === 'never';
}

/** Whether the account is a stand-in on loopback, whose usage is kept apart. */
export function isLoopback(pipeline: Pipeline, account: string): boolean {
  return pipeline.services.some((use) => use.account.name === account && use.account.isLoopback);
}
