/** Rules over findings, and the verdict of an item. */

export const verdicts = ['pass', 'incomplete', 'review', 'block'] as const;
export type Verdict = (typeof verdicts)[number];

export const comparators = ['<', '<=', '>', '>=', '==', '!='] as const;
export type Comparator = (typeof comparators)[number];

export interface Comparison {
  readonly comparator: Comparator;
  readonly value: number | string;
}

/** What a rule, and a cascade's `when`, ask of one service's finding. */
export interface Condition {
  /** Name of the service in the pipeline: its `as`, else its `use`. */
  readonly service: string;
  readonly op?: string | undefined;
  /** Any of these texts; absent for any label. */
  readonly labels?: readonly string[] | undefined;
  readonly score?: Comparison | undefined;
  readonly metric?: string | undefined;
  readonly is?: Comparison | undefined;
}

export interface Rule extends Condition {
  /** What a report gives as the reason: the rule's name, else its own text. */
  readonly reason: string;
  readonly verdict: Exclude<Verdict, 'incomplete'>;
}

export interface Policy {
  /** Name of the file, `inline`, or `none`. */
  readonly name: string;
  readonly rules: readonly Rule[];
}
