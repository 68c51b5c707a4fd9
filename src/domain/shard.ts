/**
 * A run in parts. The coordinator plans the whole of it and cuts the tasks, in the order of their ids, into shards; items are
 * never divided. A shard is carried out by one worker at a time, its holder, who claims it in the ledger: a queue may offer
 * it twice, or to a second worker while the first still lives, and the ledger decides. What a dead holder left open is taken
 * up by the next one, as a later session takes up what an earlier one left.
 */

/** Tasks with an id above `afterTask`, up to and with `lastTask`. */
export interface TaskRange {
  readonly afterTask: number;
  readonly lastTask: number;
}

/** An account that stands still, as a dispatch ends with it. */
export interface ShardHalt {
  readonly account: string;
  readonly service?: string | undefined;
  readonly reason: string;
}

export interface Shard extends TaskRange {
  /** From 1, within its run. */
  readonly number: number;
  readonly isDone: boolean;
  /** The process that carries it out. */
  readonly holder?: string | undefined;
  /** How often it was claimed. */
  readonly claims: number;
  /** Accounts that stood still when its last holder left it. */
  readonly halts: readonly ShardHalt[];
}

/** `held`: someone else has it, who must be dead before it can be claimed from them. */
export type Claim =
  | { readonly is: 'claimed'; readonly shard: Shard }
  | { readonly is: 'held'; readonly holder: string }
  | { readonly is: 'done' };

/** What the queue hands out: a shard by its name. */
export interface ShardOrder {
  readonly run: string;
  readonly number: number;
}
