/** What other dialects of S3 do differently, for trying how a client bears it. */
export interface Quirks {
  /** Buckets named in the path are refused, as Alibaba OSS does. */
  readonly isVirtualHostedOnly?: boolean | undefined;
  /** As S3 Express does. */
  readonly ignoresStartAfter?: boolean | undefined;
  /** Keys of a page stand in another order, as in S3 Express. */
  readonly reversesPages?: boolean | undefined;
}
