/** What a person decided about an item's content, and the words in which people write it down. */

/** The verdicts that a person gives. */
export const decisionVerdicts = ['pass', 'review', 'block'] as const;
export type DecisionVerdict = (typeof decisionVerdicts)[number];

/** Holds for the content, under whatever name and in whatever run it is met, until the content changes. */
export interface Decision {
  readonly verdict: DecisionVerdict;
  /** Who decided. */
  readonly by: string;
  /** When it was stored. ISO 8601, UTC. */
  readonly at: string;
  readonly comment: string;
}

/** A decision as it is to be stored; without a verdict it takes back what was decided before. */
export interface NewDecision {
  readonly content: string;
  readonly verdict?: DecisionVerdict | undefined;
  readonly comment: string;
  /** The item and the run that the reviewer had before them. */
  readonly item: string;
  readonly run: string;
}

export interface DecisionRow extends Decision {
  readonly content: string;
  readonly item: string;
  readonly run: string;
}

/** How many rows of a batch said something new; the others say what was decided already. */
export interface Decided {
  readonly stored: number;
  readonly unchanged: number;
}

/** What each word of a decision column means, in English and Chinese; `clear` takes an earlier decision back. */
const words: Readonly<Record<DecisionVerdict | 'clear', readonly string[]>> = {
  pass: ['pass', '通过'],
  review: ['review', '复审', '复核'],
  block: ['block', '屏蔽', '封禁'],
  clear: ['clear', '撤销'],
};

/** What may stand in a decision column, for messages. */
export const decisionWords = 'pass, review, block or clear (通过, 复审, 屏蔽, 撤销)';

/** Case and blanks around a word do not count. `undefined` for anything else. */
export function parseDecision(text: string): DecisionVerdict | 'clear' | undefined {
  const word = text.normalize('NFKC').trim().toLowerCase();
  return ([...decisionVerdicts, 'clear'] as const).find((one) => words[one].includes(word));
}
