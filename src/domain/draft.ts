/** What a person says of a project that is to be begun. */

export interface DraftAnswers {
  /** Name of the pipeline. */
  readonly name: string;
  readonly source:
    | { readonly form: 'bucket'; readonly bucket: string; readonly prefix: string }
    /** As the person gave it: relative to the folder that the program was started in. */
    | { readonly form: 'csv' | 'jsonl'; readonly path: string };
  /** Of the store; AWS where there is none. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Names of services in the catalogue. */
  readonly services: readonly string[];
  /** As written, such as `100 CNY`. */
  readonly cap?: string | undefined;
  /** IANA zone of the times in the HTML. */
  readonly timezone: string;
}

/** A pipeline's name is its file's, its folder's in the reports, and part of its run ids. */
export function isPipelineName(name: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u.test(name) && name !== 'latest';
}
