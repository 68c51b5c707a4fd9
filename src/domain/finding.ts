/** A vendor's answer in our common tongue. */

/** One label of an answer. Labels are strings throughout: Qiniu's integer 0 is `"0"`. */
export interface Label {
  /** The op, `classification`, `tag`, or the face attribute; absent where a service has one kind of label. */
  readonly op?: string | undefined;
  readonly label: string;
  /** Our own aggregate: the maximum over all segments and cuts. 0 to 1. */
  readonly score: number;
  /** The vendor's own op-level score. Rules see the larger of the two. */
  readonly reportedScore?: number | undefined;
  /** Begin and end, in milliseconds, of the first segment that reached `score`. */
  readonly beginMs?: number | undefined;
  readonly endMs?: number | undefined;
  /** How many segments show the label. */
  readonly segments?: number | undefined;
  readonly needsReview?: boolean | undefined;
}

/** One label within one segment of a video. */
export interface Segment {
  readonly op: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly label: string;
  readonly maxScore: number;
  /** How many cut frames of the segment show the label. */
  readonly cuts: number;
  readonly needsReview: boolean;
}

/** An image that a vendor returned, saved below the output folder. */
export interface Artifact {
  /** Relative to `<out>/<pipeline>/`, with forward slashes. */
  readonly path: string;
  readonly mediaType: string;
  readonly bytes: number;
}

export interface Finding {
  readonly labels: readonly Label[];
  readonly segments: readonly Segment[];
  /** Under the vendor's own field names. */
  readonly metrics: Readonly<Record<string, number | string>>;
  readonly artifact?: Artifact | undefined;
  /** Feature vectors by name; kept out of CSV, in the JSONL. */
  readonly embeddings?: Readonly<Record<string, string>> | undefined;
}

export const emptyFinding: Finding = { labels: [], segments: [], metrics: {} };
