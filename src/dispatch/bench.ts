/** What every work of a dispatch has at hand: the outside, the run, and the counters that progress shows. */
import type { Clock } from '../domain/clock.ts';
import type { Http } from '../domain/exchange.ts';
import type { Item } from '../domain/item.ts';
import type { RunLedger } from '../domain/ledger.ts';
import type { Log } from '../domain/log.ts';
import type { ArtifactFolder } from '../domain/output.ts';
import type { PaceOffice } from '../domain/pace.ts';
import type { Account, Deadlines } from '../domain/settings.ts';
import type { Nano } from '../domain/pricing.ts';
import type { LinkTrouble, SignedLink } from '../domain/storage.ts';
import type { Bell } from './bell.ts';
import type { CapRoom } from './cap-room.ts';
import type { Witness } from './witness.ts';

export interface DispatchCounters {
  /** Tasks whose submission left. */
  asked: number;
  answered: number;
  failed: number;
  held: number;
  /** Answers that say "try again" or "slow down", and calls that did not arrive. */
  repeated: number;
  /** Tasks that a cap kept from being sent. */
  overCap: number;
  /** Tasks that the answer of another service let go. */
  released: number;
}

/** What a dispatch asks of the ledger. */
export type BenchLedger = Pick<
  RunLedger,
  | 'isResumed'
  | 'spending'
  | 'readReady'
  | 'intend'
  | 'transition'
  | 'readOrphans'
  | 'reopenAskable'
  | 'readWaitedFor'
  | 'readKnownJobs'
  | 'releaseWaiting'
  | 'quote'
>;

export interface Bench {
  readonly clock: Clock;
  readonly http: Http;
  readonly run: BenchLedger;
  /** Where the limits are shared with other processes. */
  readonly pace: PaceOffice;
  /** Throws a `Stop` where the storage is lost. */
  readonly link: (item: Item) => Promise<SignedLink | LinkTrouble | undefined>;
  readonly artifacts: ArtifactFolder;
  readonly log: Log;
  readonly deadlines: Deadlines;
  readonly resendBelow: Nano;
  /** Where the vendor calls back for jobs of this account; undefined where no callback server runs. */
  readonly hookUrl: (account: Account) => string | undefined;
  readonly counters: DispatchCounters;
  /** Of how far this machine's clock can be believed. */
  readonly witness: Witness;
  /** What calls under way hold of the caps, and give back. */
  readonly room: CapRoom;
  /** Rung whenever something may have become possible. */
  readonly bell: Bell;
  /** Aborts when nothing new may start. */
  readonly stop: AbortSignal;
}
