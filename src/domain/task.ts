/** One item for one service: the unit of work, of payment and of accounting. */
import type { Item } from './item.ts';
import type { Usage } from './usage.ts';

/**
 * planned -> intent -> accepted -> answered, with side ends. `waiting`: another open attempt has the same reuse key,
 * and this task takes its result. `pending`: the answer of another service on the same item decides whether it is asked
 * (`when`); it is planned then, or skipped. A try-again sends a task back to planned.
 */
export const taskStates = [
  'planned',
  'pending',
  'waiting',
  'intent',
  'accepted',
  'answered',
  'reused',
  'skipped',
  'over-cap',
  'held',
  'failed',
] as const;
export type TaskState = (typeof taskStates)[number];

/** Nothing more becomes of a task in one of these, unless a run is gone on with. */
export type EndState = Extract<TaskState, 'answered' | 'reused' | 'skipped' | 'over-cap' | 'held' | 'failed'>;

/** What reports and the accounting identity speak of, from the best to the worst. */
export const statuses = ['answered', 'reused', 'skipped', 'over-cap', 'open', 'held', 'failed'] as const;
export type Status = (typeof statuses)[number];

/** The status that a state stands for: every state that is not an end is `open`. */
export function statusOf(state: TaskState): Status {
  switch (state) {
    case 'planned':
    case 'pending':
    case 'waiting':
    case 'intent':
    case 'accepted':
      return 'open';
    case 'answered':
    case 'reused':
    case 'skipped':
    case 'over-cap':
    case 'held':
    case 'failed':
      return state;
  }
}

/** A task that may be sent. */
export interface Task {
  /** Ascending in the order of planning, over the ledger's life. */
  readonly id: number;
  readonly item: Item;
  /** Name of the service in the pipeline. */
  readonly service: string;
  readonly reuseKey: string;
  readonly usage: Usage;
  /** Attempts of this task that count against its bound. */
  readonly attempts: number;
  /** How often its call was sent again although it may have been billed. */
  readonly resends: number;
}
