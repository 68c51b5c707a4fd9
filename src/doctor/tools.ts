/** What the doctor has of the outside. */
import type { Clock } from '../domain/clock.ts';
import type { Handler, Http, UrlReader } from '../domain/exchange.ts';
import type { Item, SourcePage } from '../domain/item.ts';
import type { LinkTrouble, ObjectStorage, SignedLink, StorageExaminer } from '../domain/storage.ts';

export interface DoctorTools {
  readonly clock: Pick<Clock, 'now'>;
  readonly storage: ObjectStorage & StorageExaminer;
  readonly http: Http;
  /** Reads from any address: only our own links are tried. */
  readonly urlReader: UrlReader;
  readonly link: (item: Item) => Promise<SignedLink | LinkTrouble | undefined>;
  readonly resolveHost: (host: string) => Promise<'public' | 'private' | 'unknown'>;
  readonly serve: (
    handler: Handler,
    address: { readonly host: string; readonly port: number },
  ) => Promise<{ readonly close: () => Promise<void> }>;
  /** Where reports go, unless to the disk. */
  readonly output?: { readonly name: string; readonly tryWriting: () => Promise<void> } | undefined;
  readonly readFreeBytes: (folder: string) => Promise<number | undefined>;
  /** `undefined` where there is no ledger yet. */
  readonly readHistory: () => Promise<DiskHistory | undefined>;
  /** The rows of a manifest; their objects are not asked for. */
  readonly glance: () => AsyncIterable<SourcePage>;
  /** How long a call or job of the pipeline may take before the media are fetched. */
  readonly mayTakeMs: number;
}

/** What the ledger remembers of runs; tasks of pruned runs take no room and are not counted. */
export interface DiskHistory {
  readonly ledgerBytes: number;
  /** Of all runs that the ledger still holds whole. */
  readonly tasks: number;
  /** Of this pipeline's latest run; absent where it never ran. */
  readonly latestTasks?: number | undefined;
}
