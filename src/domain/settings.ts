/** A pipeline and the world around it, as the stages see them: checked, defaults filled in, variables replaced. */
import type { BookingRule } from './booking.ts';
import type { Canary } from './canary.ts';
import type { Caps } from './caps.ts';
import type { FitMode } from './fit.ts';
import type { Kind } from './item.ts';
import type { Condition, Policy } from './policy.ts';
import type { BillingFacts, Nano, PriceBook } from './pricing.ts';
import type { Delivery, Service, Signer, Vendor } from './service.ts';
import type { Assumptions } from './usage.ts';

export interface Limits {
  readonly concurrency: number;
  /** Every request to the account counts, polls and lists too. */
  readonly perSecond: number;
  /** Jobs open at the vendor at once; a batch counts its elements. */
  readonly maxOpenJobs: number;
  /** Submissions of one task that may be refused with "try again"; absent: as the service has it. */
  readonly maxAttempts?: number | undefined;
}

export const defaultLimits: Limits = { concurrency: 8, perSecond: 10, maxOpenJobs: 100 };

export interface Storage {
  readonly name: string;
  /** Absent for AWS. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Absent for the AWS credential chain. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  /** Price of 2^30 bytes that leave it, in the price book's currency. */
  readonly egress?: Nano | undefined;
}

export interface Account extends Signer {
  readonly name: string;
  readonly vendor: Vendor;
  readonly limits: Limits;
  readonly billing: Readonly<Record<string, BillingFacts>>;
  readonly booking: BookingRule;
  readonly assume: Assumptions;
  readonly returnsEmptyFrames: boolean;
  /** Where our own server listens for the vendor's callbacks, and the address under which the vendor reaches it. */
  readonly callback?:
    | { readonly listen: { readonly host: string; readonly port: number }; readonly publicUrl: string }
    | undefined;
  /**
   * True for a stand-in on a loopback address: its answers, failures and usage are kept apart from everyone else's.
   */
  readonly isLoopback: boolean;
  /** What everything on the ledger for this account may not pass in a calendar month. */
  readonly caps?: { readonly month?: Nano | undefined } | undefined;
}

export interface BucketSource {
  readonly form: 'bucket';
  readonly storage: string;
  readonly bucket: string;
  /** At least one; `''` for the whole bucket. */
  readonly prefixes: readonly string[];
  /** Listings at a time; one where absent. */
  readonly parallel?: number | undefined;
}

/** The fields a manifest row may have, in the order of the default columns. */
export const manifestFields = [
  'id',
  'bucket',
  'key',
  'version',
  'url',
  'etag',
  'size',
  'last_modified',
  'content_type',
  'kind',
  'title',
  'text',
  'images',
  'video_url',
  'duration',
] as const;
export type ManifestField = (typeof manifestFields)[number];

/** How the text of a manifest is written. A byte order mark of UTF-8 or UTF-16 is believed before this. */
export const encodings = ['utf-8', 'gb18030', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];

/** What manifests have in common. */
interface ManifestSource {
  /** Absolute path of a local file, `s3://storage/bucket/key`, or `-` for standard input. Compressed with gzip or not. */
  readonly path: string;
  readonly encoding: Encoding;
  /** For rows that name none. */
  readonly storage?: string | undefined;
  readonly bucket?: string | undefined;
  /** Probing of URLs on private, loopback and link-local addresses. */
  readonly allowPrivateAddresses: boolean;
  /** More broken rows end the run; any number may be broken where absent. */
  readonly maxBrokenRows?: number | undefined;
}

export interface CsvSource extends ManifestSource {
  readonly form: 'csv';
  /** Without header and columns, rows of two or three columns are those of S3 Batch: bucket, URL-encoded key, version. */
  readonly header: boolean;
  /** Our field to their column name, or to its position from 1. */
  readonly columns: Readonly<Partial<Record<ManifestField, string | number>>>;
  readonly delimiter: string;
}

/** One JSON object a line, with our fields or as in our own `tasks.jsonl`. */
export interface JsonlSource extends ManifestSource {
  readonly form: 'jsonl';
}

/** An S3 Inventory in CSV. */
export interface InventorySource {
  readonly form: 'inventory';
  /** `s3://storage/bucket/key` of its manifest.json; the parts lie in the same bucket. */
  readonly manifest: string;
  /** Where the media lie. */
  readonly storage: string;
  readonly maxBrokenRows?: number | undefined;
}

export type SourceSettings = BucketSource | CsvSource | JsonlSource | InventorySource;

export interface SelectSettings {
  /** Globs over the key (or the URL's path); empty for all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Empty for all. */
  readonly kinds: readonly Kind[];
  readonly minSizeBytes?: number | undefined;
  readonly maxSizeBytes?: number | undefined;
  /** ISO 8601 instant. */
  readonly modifiedAfter?: string | undefined;
  readonly modifiedWithinMs?: number | undefined;
  /** Share of the items, above 0 and up to 1; the same ones whenever they are looked at. */
  readonly sample?: number | undefined;
  /** What to do with media outside the services' limits; `warn` where absent. */
  readonly fit?: FitMode | undefined;
}

export type AccessSettings =
  | { readonly mode: 'presigned'; readonly expiresInSeconds: number }
  | { readonly mode: 'public'; readonly baseUrl: string }
  /** Links of the vendor's own object store, signed with an account's keys. */
  | {
      readonly mode: 'qiniu-private';
      readonly baseUrl: string;
      readonly account: Account;
      readonly expiresInSeconds: number;
    }
  /** The image itself goes with the call, for stores that the vendor cannot reach. */
  | { readonly mode: 'inline' };

/** Largest image that is sent inside a call: twice what PAI's manual advises, and a third more in base64. */
export const mostInlineBytes = 10_000_000;

/** One entry of `services:`. */
export interface ServiceUse {
  /** `as`, else `use`: the name that stands for it everywhere. */
  readonly name: string;
  readonly service: Service;
  readonly account: Account;
  /** Parsed by the service's own shape. */
  readonly options: unknown;
  /** `model_name`; empty for the general model. */
  readonly model: string;
  readonly unitsPerCall: number;
  /** Most elements of one call; 1 where the service has no batch form. */
  readonly batch: number;
  readonly delivery: Delivery;
  /** Asked of an item only where the answer of another service of the pipeline meets this. */
  readonly when?: Condition | undefined;
  /** Of this service alone, beside the account's. */
  readonly limits?: Partial<Limits> | undefined;
}

export const reportFormats = ['csv', 'jsonl', 'html'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export interface ReportSettings {
  readonly formats: readonly ReportFormat[];
  /** IANA zone of the times in the HTML. */
  readonly timezone: string;
  /** BOM and formula guard in the tables for people; false for exact bytes. */
  readonly excel: boolean;
  /** Of the HTML. */
  readonly language: Language;
}

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];
/** What people may be told of: the end of a run in general, or for a reason; 80 % of a cap while it goes on. */
export const noticeEvents = ['failure', 'flagged', 'cap80', 'finished'] as const;
export type NoticeEvent = (typeof noticeEvents)[number];

export const noticeFormats = ['json', 'dingtalk', 'feishu'] as const;
export type NoticeFormat = (typeof noticeFormats)[number];

/** One entry of `notify:`. */
export interface NotifySettings {
  /** Secret: whoever knows it may write there. */
  readonly webhook: string;
  readonly format: NoticeFormat;
  /** What messages are signed with. */
  readonly secret?: string | undefined;
  readonly on: readonly NoticeEvent[];
}

export interface Deadlines {
  /** Longest wait for a reply. */
  readonly callMs: number;
  /** Longest wait for the reply of a `delivery: sync` call. */
  readonly syncCallMs: number;
  readonly jobMs: number;
  /** Longest time that one session of a run may take; absent for none. */
  readonly runMs?: number | undefined;
}

export interface Pipeline {
  /** The file's name without its ending. */
  readonly name: string;
  readonly path: string;
  readonly about?: string | undefined;
  readonly source: SourceSettings;
  readonly select: SelectSettings;
  readonly access: AccessSettings;
  readonly services: readonly ServiceUse[];
  readonly policy: Policy;
  readonly reports: ReportSettings;
  readonly reuse: {
    readonly by: 'content' | 'path' | 'never';
    readonly maxAgeMs?: number | undefined;
    readonly retryFailedAfterMs: number;
  };
  /** A call of unknown fate is sent again only if its whole charge is below this. */
  readonly resendBelow: Nano;
  readonly deadlines: Deadlines;
  /** Empty also where nothing is to be called. */
  readonly notify: readonly NotifySettings[];
  readonly caps?: Caps | undefined;
  readonly canary?: Canary | undefined;
  /** Those that the pipeline uses, by name. */
  readonly storages: ReadonlyMap<string, Storage>;
  readonly prices: PriceBook;
  /** Of the file and of all it uses, without secrets: tells whether two runs had the same configuration. */
  readonly hash: string;
  /** Of source, select, access and services apart from limits, batch and delivery: a run goes on only under the same. */
  readonly shapeHash: string;
  /** The file as plain data before variables are replaced, so that it holds no secret; what the ledger keeps. */
  readonly written: unknown;
}
