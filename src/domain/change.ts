/** What differs between two runs: of one item, and counted over all of them. Pure. */
import type { Finding } from './finding.ts';
import type { Item } from './item.ts';
import { type JudgedTask, type Policy, scoreOf, type Verdict } from './policy.ts';

/** A verdict; `none` where no service applied to the item. */
export type ChangeVerdict = Verdict | 'none';

/** An item as one of the two runs had it. */
export interface ComparedItem {
  /** Identity of the content. */
  readonly content?: string | undefined;
  /** Empty where no service applied. */
  readonly verdict: Verdict | '';
  readonly tasks: readonly JudgedTask[];
}

/** A label's score, or a metric that the policy asks for, before and after; 0 where a label was not seen. */
export interface Movement {
  readonly service: string;
  readonly op?: string | undefined;
  /** The label, or the metric's name. */
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** 0 to 1: the distance of scores; of metrics, whose scale is not known, the share of the larger one. */
  readonly by: number;
}

/** `changed`: the content is another one. */
export interface ItemChange {
  readonly is: 'new' | 'changed' | 'same';
  readonly verdict: ChangeVerdict;
  /** Absent where the item is new. */
  readonly verdictBefore?: ChangeVerdict | undefined;
  /** The widest movement; absent where nothing moved. */
  readonly movement?: Movement | undefined;
}

export interface VerdictChange {
  readonly from: ChangeVerdict;
  readonly to: ChangeVerdict;
  readonly count: number;
}

/** The difference between a run and an earlier one, as `summary.json` holds it under `change`. */
export interface RunChange {
  /** Id of the earlier run. */
  readonly previous: string;
  /** When that one began. ISO 8601, UTC. */
  readonly previousStartedAt: string;
  /** Items that the earlier run did not have. */
  readonly new: number;
  /** Items whose content is another one now. */
  readonly changed: number;
  /** Items that this run does not have any more, or does not select; null where it was not listed to its end. */
  readonly gone: number | null;
  readonly verdictChanged: number;
  /** The same by verdicts, most frequent first; new items are not among them. */
  readonly verdicts: readonly VerdictChange[];
  /** Items to review or block that were not so before, new ones included. */
  readonly newlyFlagged: number;
  /** Items that were to review or block, and are no more. */
  readonly cleared: number;
  /** Items with a score that moved by more than `movedBy`. */
  readonly scoreMoved: number;
  readonly movedBy: number;
  readonly charge: {
    /** Decimal strings. */
    readonly before: string;
    readonly after: string;
    readonly currency: string;
    /** False where a unit of either run has no price. */
    readonly complete: boolean;
  };
}

/** What in an item's answers a rule held for. */
export interface Evidence {
  /** Why, in the rule's words. */
  readonly rule: string;
  readonly service: string;
  readonly op?: string | undefined;
  /** The label, or the metric's name. */
  readonly name: string;
  /** The score, or the metric's value. */
  readonly value: number | string;
}

/** An item that another policy gives another verdict. */
export interface Flip {
  readonly item: Item;
  readonly from: ChangeVerdict;
  readonly to: ChangeVerdict;
  /** Of the graver verdict of the two. */
  readonly evidence?: Evidence | undefined;
}

/** An item that two runs do not have alike. */
export interface Difference extends Omit<ItemChange, 'is' | 'verdict'> {
  readonly item: Item;
  readonly is: ItemChange['is'] | 'gone';
  /** Absent where the item is gone. */
  readonly verdict?: ChangeVerdict | undefined;
}

/** By how much a score must move to be told of. */
export const defaultMovedBy = 0.1;

export function compareItem(
  before: ComparedItem | undefined,
  after: ComparedItem,
  policy: Policy,
): ItemChange {
  const verdict = nameVerdict(after.verdict);
  if (before === undefined) return { is: 'new', verdict };
  return {
    is: before.content === after.content ? 'same' : 'changed',
    verdict,
    verdictBefore: nameVerdict(before.verdict),
    movement: findMovement(before.tasks, after.tasks, policy),
  };
}

export function isFlagged(verdict: ChangeVerdict | ''): boolean {
  return verdict === 'review' || verdict === 'block';
}

export type ChangeCounts = Omit<RunChange, 'previous' | 'previousStartedAt' | 'gone' | 'charge'>;

export interface ChangeTally {
  readonly add: (change: ItemChange) => void;
  /** Items that both runs have. */
  readonly matched: () => number;
  readonly counts: () => ChangeCounts;
}

/** Counts pairs of verdicts, most frequent first. */
export function makeVerdictTally() {
  const verdicts = new Map<string, { from: ChangeVerdict; to: ChangeVerdict; count: number }>();
  return {
    add(from: ChangeVerdict, to: ChangeVerdict): void {
      const key = `${from} ${to}`;
      const found = verdicts.get(key);
      if (found) found.count += 1;
      else verdicts.set(key, { from, to, count: 1 });
    },
    list: (): readonly VerdictChange[] => [...verdicts.values()].sort((a, b) => b.count - a.count),
  };
}

/** Counts changes of items in memory that does not grow with them. */
export function makeChangeTally(movedBy: number): ChangeTally {
  const verdicts = makeVerdictTally();
  let [fresh, changed, matched, newlyFlagged, cleared, scoreMoved] = [0, 0, 0, 0, 0, 0];
  return {
    add(change) {
      const { is, verdict, verdictBefore: from } = change;
      if (is === 'new') fresh += 1;
      else matched += 1;
      if (is === 'changed') changed += 1;
      if (isFlagged(verdict) && !isFlagged(from ?? '')) newlyFlagged += 1;
      if (!isFlagged(verdict) && isFlagged(from ?? '')) cleared += 1;
      if (hasMoved(change, movedBy)) scoreMoved += 1;
      if (from !== undefined && from !== verdict) verdicts.add(from, verdict);
    },
    matched: () => matched,
    counts: () => ({
      new: fresh,
      changed,
      verdictChanged: verdicts.list().reduce((sum, { count }) => sum + count, 0),
      verdicts: verdicts.list(),
      newlyFlagged,
      cleared,
      scoreMoved,
      movedBy,
    }),
  };
}

/** Whether a score moved by more than that; what arithmetic adds to a distance of just as much does not count. */
export function hasMoved({ movement }: ItemChange, movedBy: number): boolean {
  return movement !== undefined && movement.by > movedBy + 1e-9;
}

/** Only services that answered in both runs are compared: a label is not gone because a call failed. */
function findMovement(
  before: readonly JudgedTask[],
  after: readonly JudgedTask[],
  policy: Policy,
): Movement | undefined {
  let widest: Movement | undefined;
  for (const { service, finding } of after) {
    const former = before.find((task) => task.service === service)?.finding;
    if (finding === undefined || former === undefined) continue;
    for (const movement of listMovements(service, former, finding, policy)) {
      if (movement.by > (widest?.by ?? 0)) widest = movement;
    }
  }
  return widest;
}

function* listMovements(
  service: string,
  before: Finding,
  after: Finding,
  policy: Policy,
): Generator<Movement> {
  const [scores, later] = [indexScores(before), indexScores(after)];
  for (const [key, [op, name, score]] of later) {
    const former = scores.get(key)?.[2] ?? 0;
    yield { service, op, name, before: former, after: score, by: Math.abs(score - former) };
  }
  for (const [key, [op, name, score]] of scores) {
    if (!later.has(key)) yield { service, op, name, before: score, after: 0, by: score };
  }
  for (const name of new Set(policy.rules.map((rule) => rule.service === service && rule.metric))) {
    if (name === false || name === undefined) continue;
    const [from, to] = [readMetric(before, name), readMetric(after, name)];
    if (from === undefined || to === undefined) continue;
    const scale = Math.max(Math.abs(from), Math.abs(to));
    yield { service, name, before: from, after: to, by: scale === 0 ? 0 : Math.abs(to - from) / scale };
  }
}

type Score = readonly [op: string | undefined, label: string, score: number];

function indexScores({ labels }: Finding): ReadonlyMap<string, Score> {
  const scores = new Map<string, Score>();
  for (const label of labels) {
    const key = `${label.op ?? ''}\n${label.label}`;
    const score = scoreOf(label);
    if (score > (scores.get(key)?.[2] ?? -1)) scores.set(key, [label.op, label.label, score]);
  }
  return scores;
}

function readMetric({ metrics }: Finding, name: string): number | undefined {
  const value = Object.hasOwn(metrics, name) ? Number(metrics[name]) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** As people and scripts read it. */
export function nameVerdict(verdict: Verdict | ''): ChangeVerdict {
  return verdict === '' ? 'none' : verdict;
}
