/** One process's go at one run: what every operation on it needs. */
import type { Cap } from '../../domain/caps.ts';
import type { LedgerPipeline } from '../../domain/ledger.ts';
import type { BillingFacts } from '../../domain/pricing.ts';
import type { Database, WritingDatabase } from './database.ts';
import type { Dependent } from './cascade.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { Tally } from './tally.ts';

/** Handed in by the ledger. */
export interface Office {
  readonly db: WritingDatabase;
  readonly tally: Tally;
  readonly ahead: ReadAhead;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a session is about: plain data, so that another thread can hold the same one. */
export interface SessionTerms {
  /** The run's number in the ledger. */
  readonly run: number;
  readonly runId: string;
  readonly pipeline: LedgerPipeline;
  /** Names of the run's services: a task's service is a place in it. */
  readonly services: readonly string[];
  readonly billing: Map<string, Readonly<Record<string, BillingFacts>>>;
  readonly caps: readonly Cap[];
  /** Answers of other runs count from this time on, remembered failures of any run from that. */
  readonly answeredSinceMs: number;
  readonly failedSinceMs: number;
  /** Services that wait for the answers of others (`when`). */
  readonly dependents: readonly Dependent[];
  /** Ids of tasks that conditions let go, to be handed out. */
  readonly released: number[];
  /** Items with ids at or above were given in this reading of the source. */
  readonly reading: { firstItem: number };
  readonly firstAttempt: number;
  /** Present where items are drawn to go ahead of the others. */
  readonly canary?: { readonly items: number } | undefined;
}

export interface Session extends Office, SessionTerms {}

/** A session as far as it looks: through a connection that sees what is committed. */
export interface ReadingSession extends SessionTerms {
  readonly db: Database;
}

/** Whether answers of other runs are disregarded. */
export function isFresh(pipeline: Pick<LedgerPipeline, 'reuse'>): boolean {
  return pipeline.reuse.by === 'never';
}

/** Whether the account is a stand-in on loopback, whose usage is kept apart. */
export function isLoopback(pipeline: Pick<LedgerPipeline, 'services'>, account: string): boolean {
  return pipeline.services.some((use) => use.account.name === account && use.account.isLoopback);
}
