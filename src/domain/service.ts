/**
 * The contract of a vendor: a translator, not a client. It turns tasks into a call and a reply into outcomes, as pure
 * functions; pacing, retrying, polling, deadlines, redaction, archiving and metering exist once, in dispatch.
 */
import type { z } from 'zod';
import type { Call, Reply, SignedCall } from './exchange.ts';
import type { Item, Kind, MediaFacts } from './item.ts';
import type { Outcome, Refusal } from './outcome.ts';
import type { Language } from './settings.ts';
import type { Assumptions, Sku, Usage } from './usage.ts';

/**
 * How the answer comes: `call` in the reply itself; `poll` by reading a job; `callback` by a callback, with polls as a
 * safety net; `sync` in the reply itself where a job form exists too, which may take many minutes.
 */
export type Delivery = 'call' | 'poll' | 'callback' | 'sync';

/** One task as a submission needs it. */
export interface SubmitElement {
  /** Our own reference of this attempt; unique over the ledger's life; `A-Z a-z 0-9 . _ ~ -` only. */
  readonly ref: string;
  readonly item: Item;
  /** Link to the item's media, signed if need be; absent for a post. */
  readonly link?: string | undefined;
}

export interface Submission {
  /** One, or up to `batch` of them where the service has a batch form. */
  readonly elements: readonly SubmitElement[];
  readonly options: unknown;
  readonly model: string;
  readonly delivery: Delivery;
  readonly isBatch: boolean;
  /** Where the vendor is to call back, for `delivery: callback`. */
  readonly hookUrl?: string | undefined;
}

/** What is remembered of an element of a job, so that its result can be told from the others'. */
export interface JobElement {
  readonly ref: string;
  /** Place in the batch, from 0. */
  readonly position: number;
  /** Hash of the link as submitted, as `hashLink` computes it. */
  readonly linkHash: string;
}

export interface JobReading {
  readonly job: string;
  readonly elements: readonly JobElement[];
  readonly options: unknown;
  readonly isBatch: boolean;
}

/** What a task is expected to use is computed from this. */
export interface UsageQuestion {
  readonly item: Item;
  readonly media: MediaFacts;
  readonly use: { readonly options: unknown; readonly unitsPerCall: number };
  readonly assume: Assumptions;
}

export interface TopColumn {
  readonly op?: string | undefined;
  /** Labels that mean "nothing special"; `top_label` passes over them if there is another. */
  readonly normal: readonly string[];
  /** What labels that are mere codes stand for, in the languages of the page. */
  readonly meanings?: Readonly<Record<string, Readonly<Record<Language, string>>>> | undefined;
}

/** Columns of `items.csv` that a service fills, known before any answer. */
export interface ServiceColumns {
  /** Metric names, as in `Finding.metrics`. */
  readonly metrics: readonly string[];
  /** One `top_label` and `top_score` each. */
  readonly tops: readonly TopColumn[];
}

/** What the vendor accepts or advises of a media file; `undefined` where nothing is documented. */
export interface MediaLimits {
  /** A vendor's MB is taken for 1024 x 1024 bytes, the larger reading. */
  readonly maxBytes?: number | undefined;
  /** Pixels, width and height together; a picture on its side is measured on its side. */
  readonly minWidth?: number | undefined;
  readonly minHeight?: number | undefined;
  readonly maxWidth?: number | undefined;
  readonly maxHeight?: number | undefined;
  readonly maxSeconds?: number | undefined;
  /** As `MediaFacts` has them: `jpg`, `mp4`. */
  readonly formats?: readonly string[] | undefined;
  /** True where the page only advises, so that media outside may well be answered. */
  readonly isAdvice?: boolean | undefined;
  /** What the page asks of the picture that no header tells. */
  readonly note?: string | undefined;
  /** The page and its words. */
  readonly source: string;
}

/** What a header tells that a price may hang on. */
export type PricedFact = 'durationSeconds' | 'keyFrames';

export interface ListedJob {
  readonly job: string;
  /** Milliseconds since 1970 by the vendor's clock, as far as it tells. */
  readonly createdAtMs?: number | undefined;
}

/** How jobs that we may have submitted are found again at a vendor that can be asked. */
export interface JobSearch {
  /** One call for each list that must be read to see every job. */
  readonly lists: readonly Call[];
  /** `undefined` where the reply is not a complete list. */
  readList(reply: Reply): readonly ListedJob[] | undefined;
  /** The reference under which a job was submitted; `undefined` where the reply does not tell. */
  readRef(reply: Reply): string | undefined;
}

/** One thing that a vendor can do to an item. */
export interface Service {
  /** `vendor/what`, as in the catalogue. */
  readonly name: string;
  /** The vendor's own name of the call. */
  readonly vendorCall: string;
  readonly about: string;
  /** The vendor's page and its date. */
  readonly manual: string;
  readonly kinds: readonly Kind[];
  /** Strict shape of `options:`; the vendor's spelling; each key with description, range, default. */
  readonly options: z.ZodType;
  /** An `options:` value to paste. */
  readonly exampleOptions: unknown;
  /** The model sent when none is set; users may name a custom one. Absent where the vendor knows no models. */
  readonly defaultModel?: string | undefined;
  /** First is the default. */
  readonly deliveries: readonly Delivery[];
  /** Most elements of one call; 1 where there is no batch form. */
  readonly maxBatch: number;
  readonly limits: MediaLimits;
  /** Submissions of one task that may be refused with "try again" before it fails, where no limits say otherwise. */
  readonly maxAttempts?: number | undefined;
  /** What `usage` wants to know of the file under these options; nothing where absent. */
  readonly pricedBy?: ((options: unknown) => readonly PricedFact[]) | undefined;
  /** True where the link may be a `data:` link, which holds the media itself in base64. */
  readonly takesInline?: boolean | undefined;
  /** True where the vendor is sent the item's title, so that it is part of the answer's identity. */
  readonly sendsTitle: boolean;
  readonly skus: (options: unknown) => readonly string[];
  readonly columns: (options: unknown) => ServiceColumns;
  readonly usage: (question: UsageQuestion) => Usage;
  /** Warnings about options that are allowed but probably not meant. */
  readonly warn?: ((options: unknown) => readonly string[]) | undefined;
  readonly submit: (submission: Submission) => Call;
  /** One outcome per element of the submission, in its order. */
  readonly readSubmission: (reply: Reply, submission: Submission) => readonly Outcome[];
  /** Present where there are jobs. Reads are free and are always repeated. */
  readonly poll?: ((job: string, isBatch: boolean) => Call) | undefined;
  /** One outcome per element, in its order. */
  readonly readJob?: ((reply: Reply, reading: JobReading) => readonly Outcome[]) | undefined;
  /** Present where the vendor can be asked for jobs by listing them. */
  readonly search?: JobSearch | undefined;
  /** The element reference that a callback's body names; the body is a hint only and is never believed. */
  readonly readCallback?: ((body: string) => string | undefined) | undefined;
}

/** What an account lends a signature. */
export interface Signer {
  /** Without a trailing slash. */
  readonly endpoint: string;
  /** The vendor's own credential fields. Secret: never stored, logged or printed. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** A vendor: its credentials, its signature, its prices' names and its services. */
export interface Vendor {
  readonly name: string;
  readonly about: string;
  /** Strict shape of the credential fields of an account; every value is secret. */
  readonly credentials: z.ZodType<Record<string, string>>;
  /** Where the vendor answers when the account names no endpoint. */
  readonly endpoint: string;
  readonly skus: readonly Sku[];
  readonly services: readonly Service[];
  /** Adds URL and signature; pure. */
  readonly sign: (call: Call, signer: Signer, nowMs: number) => SignedCall;
  /**
   * Signs a link to the vendor's own object store, whose key is percent-encoded already, good until `deadlineSeconds`
   * since 1970; pure. Absent where the vendor has no store, or signs as S3 does.
   */
  readonly signLink?: ((url: string, deadlineSeconds: number, signer: Signer) => string) | undefined;
  /** A refusal as the vendor's table has it, for replies that no service reads (lists, reads of unknown jobs). */
  readonly readRefusal: (reply: Reply) => Refusal | undefined;
}

/** All vendors. Everything iterates it; nobody enumerates services by hand. */
export type Catalogue = readonly Vendor[];

/** The service of that name and its vendor, if there is one. */
export function findService(
  catalogue: Catalogue,
  name: string,
): { vendor: Vendor; service: Service } | undefined {
  for (const vendor of catalogue) {
    const service = vendor.services.find((one) => one.name === name);
    if (service) return { vendor, service };
  }
  return undefined;
}

/** Types a service by its options inside its own file, and erases the type for everyone else. */
export function defineService<Options>(
  definition: Omit<
    Service,
    | 'options'
    | 'skus'
    | 'columns'
    | 'pricedBy'
    | 'usage'
    | 'warn'
    | 'submit'
    | 'readSubmission'
    | 'readJob'
    | 'exampleOptions'
  > & {
    readonly options: z.ZodType<Options>;
    readonly exampleOptions: z.input<z.ZodType<Options>>;
    readonly skus: (options: Options) => readonly string[];
    readonly columns: (options: Options) => ServiceColumns;
    readonly pricedBy?: (options: Options) => readonly PricedFact[];
    readonly usage: (
      question: UsageQuestion & {
        readonly use: { readonly options: Options; readonly unitsPerCall: number };
      },
    ) => Usage;
    readonly warn?: (options: Options) => readonly string[];
    readonly submit: (submission: Submission & { readonly options: Options }) => Call;
    readonly readSubmission: (
      reply: Reply,
      submission: Submission & { readonly options: Options },
    ) => readonly Outcome[];
    readonly readJob?: (
      reply: Reply,
      reading: JobReading & { readonly options: Options },
    ) => readonly Outcome[];
  },
): Service {
  // Options were parsed by this service's own shape when the pipeline was loaded, so the cast holds.
  return definition as unknown as Service;
}
