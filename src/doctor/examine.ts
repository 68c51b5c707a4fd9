/** Looks at everything that a pipeline needs of the world, without one paid call. */
import type { Clock } from '../domain/clock.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Handler, Http, UrlReader } from '../domain/exchange.ts';
import type { Item, SourcePage } from '../domain/item.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { LinkTrouble, ObjectStorage, SignedLink, StorageExaminer } from '../domain/storage.ts';
import { examineAccount } from './account.ts';
import { examineCallback } from './callback.ts';
import { type DiskHistory, examineDisk } from './disk.ts';
import { examineLinks } from './link.ts';
import { examineOutput } from './output.ts';
import { examineStorage } from './storage.ts';

/** What the doctor has of the outside. */
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

/** One diagnosis or more for each storage, the links, each account, its callbacks, and the disk. Never throws for trouble. */
export async function examine(
  pipeline: Pipeline,
  folders: readonly string[],
  tools: DoctorTools,
): Promise<readonly Diagnosis[]> {
  const accounts = [...new Set(pipeline.services.map(({ account }) => account))];
  const calledBack = new Set(
    pipeline.services.filter(({ delivery }) => delivery === 'callback').map(({ account }) => account),
  );
  const { diagnoses, item } = await examineStorage(pipeline, tools);
  const parts = [
    examineLinks(pipeline, item, tools),
    ...accounts.map((account) => examineAccount(account, tools)),
    ...[...calledBack].map((account) => examineCallback(account, tools)),
    examineDisk(folders, tools),
    examineOutput(tools),
  ];
  const looked = await Promise.all(parts);
  return [...diagnoses, ...looked.flat()];
}
