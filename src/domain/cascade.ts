/**
 * Cascades: a service with `when` waits, item by item, for the answer of another one of the pipeline, and then goes or is
 * skipped. Pure.
 */
import type { Finding } from './finding.ts';
import { type Condition, formatCondition, meets } from './policy.ts';
import type { TaskState } from './task.ts';

/** The task of the other service on the same item. */
export interface OtherTask {
  readonly state: TaskState;
  readonly finding?: Finding | undefined;
}

export type CascadeStep =
  | { readonly next: 'wait' }
  | { readonly next: 'go' }
  | { readonly next: 'skip'; readonly reason: string };

const mark = 'when: ';

/** What becomes of a task with `when`; `other` is absent where the other service does not apply to the item. */
export function decideWhen(when: Condition, other: OtherTask | undefined): CascadeStep {
  if (!other) return skip(`${when.service} does not apply`);
  switch (other.state) {
    case 'planned':
    case 'pending':
    case 'waiting':
    case 'intent':
    case 'accepted':
      return { next: 'wait' };
    case 'answered':
    case 'reused':
      return other.finding && meets(when, other.finding)
        ? { next: 'go' }
        : skip(`${formatCondition(when)} does not hold`);
    case 'skipped':
    case 'over-cap':
    case 'held':
    case 'failed':
      return skip(`${when.service} has no answer (${other.state})`);
  }
}

function skip(why: string): CascadeStep {
  return { next: 'skip', reason: `${mark}${why}` };
}

/** Whether a skipped task was skipped because of its `when`. */
function isSkippedByWhen(reason: string): boolean {
  return reason.startsWith(mark);
}

/** Whether the condition of a skipped task was looked at and did not hold: what it would have used is saved. */
export function isSparedByWhen(reason: string): boolean {
  return isSkippedByWhen(reason) && reason.endsWith(' does not hold');
}

/** Whether a `when` kept it from being asked only for want of an answer, which may come yet. */
export function lacksAnswer(reason: string): boolean {
  return isSkippedByWhen(reason) && /has no answer \((?:skipped|over-cap|held|failed)\)$/.test(reason);
}

interface Placed {
  readonly name: string;
  readonly when?: Condition | undefined;
}

/** Each service behind the one that it waits for; otherwise as they stand. Those of a circle are left out. */
export function sortByWhen<Use extends Placed>(services: readonly Use[]): readonly Use[] {
  const sorted: Use[] = [];
  let left = services;
  for (;;) {
    const isFree = ({ when }: Use) => when === undefined || sorted.some(({ name }) => name === when.service);
    const free = left.filter(isFree);
    if (free.length === 0) return sorted;
    sorted.push(...free);
    left = left.filter((use) => !free.includes(use));
  }
}

/** The names given, and those of the services that they wait for, directly or by way of others. */
export function withAwaited(services: readonly Placed[], names: readonly string[]): readonly string[] {
  const all = new Set(names);
  for (const name of all) {
    const awaited = services.find((one) => one.name === name)?.when?.service;
    if (awaited !== undefined) all.add(awaited);
  }
  return [...all];
}
