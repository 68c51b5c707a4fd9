/** What the pipeline looks at: one image, one video, or one post, and where it lies. */

export const kinds = ['image', 'video', 'post'] as const;
export type Kind = (typeof kinds)[number];

/** Where an object lies in a bucket. `storage` names an entry of `config/storages.yaml`. */
export interface ObjectAddress {
  readonly storage: string;
  readonly bucket: string;
  readonly key: string;
  readonly version?: string | undefined;
}

/**
 * One media object as its source describes it.
 *
 * An item has an address (`object`), a URL, both, or (a post) only text. `url` may carry a signature and
 * therefore lives in memory only; what the ledger and the reports get is cut by `safeUrl`.
 */
export interface Item {
  /** Unique in a run: the row's id, else bucket/key, else key, else URL without signature, else `row-N`. */
  readonly id: string;
  /** Orders the items as their source does, compared byte by byte: UTF-8 of the key, or the line number big-endian. */
  readonly position: Uint8Array;
  readonly kind?: Kind | undefined;
  readonly object?: ObjectAddress | undefined;
  readonly url?: string | undefined;
  /** True where the ledger holds this item's URL only in part, so that the manifest must be read again for it. */
  readonly isUrlCut?: boolean | undefined;
  /** Rows of a source that names no storage keep their bucket and key here as plain facts. */
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly version?: string | undefined;
  readonly etag?: string | undefined;
  readonly sizeBytes?: number | undefined;
  /** ISO 8601, UTC. */
  readonly lastModified?: string | undefined;
  readonly contentType?: string | undefined;
  readonly title?: string | undefined;
  readonly text?: string | undefined;
  /** Image URLs of a post. */
  readonly images?: readonly string[] | undefined;
  /** Video URL of a post. */
  readonly videoUrl?: string | undefined;
  readonly durationSeconds?: number | undefined;
  /** A row that names services runs only those (our own `failures.csv` and `tasks.jsonl` as manifests). */
  readonly onlyServices?: readonly string[] | undefined;
}

/** Of a manifest's row, its own id and what the ledger may hold in part only. */
export type RowLinks = Pick<Item, 'id' | 'url' | 'videoUrl' | 'images' | 'title' | 'text'>;

/** Facts read from a media file's header, cached by content. */
export interface MediaFacts {
  /** Of the whole file, as its server tells. */
  readonly sizeBytes?: number | undefined;
  readonly durationSeconds?: number | undefined;
  /** As the picture is shown. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Counted from the file's index; absent where the container has none. */
  readonly keyFrames?: number | undefined;
  /** True where the index may leave key frames out: `Cues` of MKV and WebM, `mfra` of fragmented MP4. */
  readonly hasSparseIndex?: boolean | undefined;
  /** Container or image format, e.g. `mp4`, `webm`, `jpg`. */
  readonly format?: string | undefined;
  /** Why nothing (more) could be read. */
  readonly trouble?: string | undefined;
}

/** A row of a manifest that could not be understood; it is counted and reported, and the rest goes on. */
export interface BrokenRow {
  readonly line: number;
  readonly message: string;
}

/** Lines of a manifest's later parts are counted behind so many of those before it. */
export const linesOfPart = 0x1_0000_0000;

/** The line as an editor counts it, in the part that the message names where there are several. */
export function lineInFile({ line }: BrokenRow): number {
  return line % linesOfPart;
}

/** What a source yields at a time: selected items, and what it left out. */
export interface SourcePage {
  readonly items: readonly Item[];
  readonly unselected: number;
  readonly broken: readonly BrokenRow[];
  /** Where a later session may go on listing; absent where the source is read again from its beginning. */
  readonly checkpoint?: string | undefined;
  readonly isLast: boolean;
  /**
   * Present where a listing began anew, with its first page: what pages before that told is told again, and counts from
   * there. An item that was planned stays as it was.
   */
  readonly anew?: 'first' | 'later' | undefined;
}
