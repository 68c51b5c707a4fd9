/** What an estimate asks of the ledger: it only looks, but for headers that cost time to read and may be kept. */
import type { Cap, CapStand } from './caps.ts';
import type { MediaFacts } from './item.ts';
import type { Known, RunRecord } from './ledger.ts';
import type { Position } from './pricing.ts';

/** How a task ends without a call of its own; `waiting`: its content is at the vendor at this moment. */
export interface Fate {
  readonly state: 'reused' | 'failed' | 'held' | 'waiting';
  /** Class of the failure or of what is held; empty otherwise. */
  readonly reason: string;
}

export interface Foresight {
  /** The unfinished run that a run begun now would go on with. */
  readonly resumes?: RunRecord | undefined;
  readonly readKnown: (reuseKeys: readonly string[], contentIds: readonly string[]) => Promise<Known>;
  /** Keys whose tasks need no call of their own. */
  readonly readFates: (reuseKeys: readonly string[]) => Promise<ReadonlyMap<string, Fate>>;
  /** For each key, in order, whether it comes for the first time. On disk, so that memory stays flat. */
  readonly markSeen: (reuseKeys: readonly string[]) => Promise<readonly boolean[]>;
  /** Every key comes for the first time again. */
  readonly forgetSeen: () => Promise<void>;
  /** Headers by content, for later estimates and runs; nothing is kept where there is no ledger. */
  readonly keepMedia: (media: ReadonlyMap<string, MediaFacts>) => Promise<void>;
  /** How far the account has come with the SKU. */
  readonly readPosition: (
    account: { readonly name: string; readonly isLoopback: boolean },
    sku: string,
  ) => Promise<Position>;
  /** How far the caps have come, for a run begun (or gone on with) at that moment. */
  readonly readCaps: (caps: readonly Cap[], atMs: number) => Promise<readonly CapStand[]>;
  /** How long calls of a service took lately, from intent to answer; absent where too few are known. */
  readonly readUsualMs: (account: string, service: string) => Promise<number | undefined>;
  readonly close: () => Promise<void>;
}
