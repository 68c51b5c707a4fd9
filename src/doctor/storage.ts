/** Looks at the storages of a pipeline: reach, region, addressing, signature, order, clock, and how long credentials live. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Item, ObjectAddress } from '../domain/item.ts';
import { kindOf } from '../domain/kind.ts';
import { exitCodes } from '../domain/problem.ts';
import type { BucketSource, Pipeline } from '../domain/settings.ts';
import type { ListedObject, ListRequest, StorageFacts } from '../domain/storage.ts';
import { findAddressing, isRefused } from './addressing.ts';
import { describeSkew } from './clock.ts';
import type { DoctorTools } from './tools.ts';
import { describeFailure } from './failure.ts';
import { examineCredentials } from './lifetime.ts';
import { examineManifest, type ManifestSettings } from './manifest.ts';
import { examineOrder } from './order.ts';

/** Of a list of prefixes, so many are looked at. */
const mostPrefixes = 64;

export type StorageTools = Pick<DoctorTools, 'storage' | 'clock' | 'glance'>;

export interface StorageDiagnosis {
  readonly diagnoses: readonly Diagnosis[];
  /** The first object that a link can be tried with. */
  readonly item?: Item | undefined;
}

/** Looks at a bucket by listing it; at a manifest, where it lies, and where the media of its first row lie. */
export async function examineStorage(pipeline: Pipeline, tools: StorageTools): Promise<StorageDiagnosis> {
  const { source } = pipeline;
  return source.form === 'bucket'
    ? await examineBucket(pipeline, source, tools)
    : await examineManifestStorages(pipeline, source, tools);
}

async function examineBucket(
  pipeline: Pipeline,
  source: BucketSource,
  tools: StorageTools,
): Promise<StorageDiagnosis> {
  const { storage, bucket, prefixes } = source;
  const request: ListRequest = { storage, bucket, prefix: prefixes[0] ?? '' };
  const { diagnoses, facts } = await reachStorage(pipeline, request, tools);
  if (facts === undefined) return { diagnoses };
  const subject = `storage ${storage}`;
  const reach = `bucket "${bucket}" reached${nameAddressing(pipeline, storage)} and signature accepted`;
  try {
    const found = [
      { prefix: request.prefix, objects: facts.page.objects },
      ...(await listOthers(source, tools)),
    ];
    const empty = found.filter(({ objects }) => objects.length === 0).map(({ prefix }) => prefix);
    if (empty.length === found.length) {
      const isWhole = empty.length === 1 && empty[0] === '';
      const lack = isWhole
        ? 'the bucket is empty. Check bucket.'
        : `nothing lies under ${nameAll(empty)}. Check prefix.`;
      const message = `${reach}, but ${lack}`;
      return { diagnoses: [{ level: 'warn', subject, message }, ...diagnoses] };
    }
    // The fullest one shows most of how the server lists.
    const fullest = found.reduce((best, one) => (one.objects.length > best.objects.length ? one : best));
    const order = await examineOrder(source, fullest, reach, tools.storage);
    const lacks: readonly Diagnosis[] =
      empty.length === 0
        ? []
        : [{ level: 'warn', subject, message: `nothing lies under ${nameAll(empty)}. Check prefix.` }];
    const item = found.map(({ objects }) => chooseItem(source, objects)).find((one) => one !== undefined);
    return { diagnoses: [order, ...lacks, ...diagnoses], item };
  } catch (error) {
    return { diagnoses: [describeFailure(subject, error), ...diagnoses] };
  }
}

/** What lies under the prefixes behind the first, a page each, of as many as a person waits for. */
async function listOthers(
  { storage, bucket, prefixes }: BucketSource,
  tools: StorageTools,
): Promise<readonly { readonly prefix: string; readonly objects: readonly ListedObject[] }[]> {
  return await Promise.all(
    prefixes.slice(1, mostPrefixes).map(async (prefix) => {
      const { objects } = await tools.storage.list({ storage, bucket, prefix });
      return { prefix, objects };
    }),
  );
}

function nameAll(prefixes: readonly string[]): string {
  const named = prefixes.slice(0, 5).map((prefix) => JSON.stringify(prefix));
  const more = prefixes.length > named.length ? ` and ${prefixes.length - named.length} more` : '';
  return `${prefixes.length === 1 ? 'prefix' : 'prefixes'} ${named.join(', ')}${more}`;
}

async function examineManifestStorages(
  pipeline: Pipeline,
  source: ManifestSettings,
  tools: StorageTools,
): Promise<StorageDiagnosis> {
  const path = source.form === 'inventory' ? source.manifest : source.path;
  const [, storage, bucket, key] = /^s3:\/\/([^/]+)\/([^/]+)\/(.+)$/s.exec(path) ?? [];
  const own: Diagnosis[] = [];
  if (storage !== undefined && bucket !== undefined && key !== undefined) {
    const { diagnoses, facts } = await reachStorage(pipeline, { storage, bucket, key }, tools);
    own.push(...diagnoses);
    if (facts === undefined) return { diagnoses: own };
  }
  const { diagnoses, item } = await examineManifest(source, tools);
  const media =
    item?.object === undefined ? { diagnoses: [] } : await reachStorage(pipeline, item.object, tools);
  // The manifest may lie in the storage of the media, which says the same of itself twice then.
  const more = media.diagnoses.filter(
    ({ message }) => !own.some((one) => one.subject === `storage ${storage}` && one.message === message),
  );
  return { diagnoses: [...own, ...diagnoses, ...more], item };
}

/** What one request tells, after other ways of addressing where the configured one is refused. */
async function reachStorage(
  pipeline: Pipeline,
  request: ListRequest | ObjectAddress,
  tools: StorageTools,
): Promise<{ readonly diagnoses: readonly Diagnosis[]; readonly facts?: StorageFacts | undefined }> {
  const { storage, clock } = tools;
  const subject = `storage ${request.storage}`;
  const settings = pipeline.storages.get(request.storage);
  try {
    const answer = await storage.examine(request);
    const nowMs = clock.now();
    if (!isRefused(answer)) {
      const skew = examineClock(subject, nowMs, answer.serverTimeMs);
      const credentials = examineCredentials(pipeline, subject, answer, nowMs);
      const there: readonly Diagnosis[] =
        'key' in request ? [{ level: 'ok', subject, message: `${nameObject(request)} is there` }] : [];
      return { diagnoses: [...there, skew, ...credentials], facts: answer };
    }
    const found = settings && (await findAddressing(settings, request, answer, storage));
    const failure = describeFailure(subject, answer.stop, found?.advice);
    const told = found?.facts?.serverTimeMs ?? answer.serverTimeMs;
    if (told === undefined) return { diagnoses: [failure] };
    return { diagnoses: [failure, examineClock(subject, nowMs, told)] };
  } catch (error) {
    return { diagnoses: [describeFailure(subject, error)] };
  }
}

function nameObject({ storage, bucket, key }: ObjectAddress): string {
  return `s3://${storage}/${bucket}/${key}`;
}

function nameAddressing({ storages }: Pipeline, name: string): string {
  const settings = storages.get(name);
  if (settings === undefined) return '';
  return ` (region ${settings.region}, ${settings.pathStyle ? 'path' : 'virtual-hosted'} style)`;
}

function examineClock(subject: string, nowMs: number, serverTimeMs: number | undefined): Diagnosis {
  const { level, words } = describeSkew(nowMs, serverTimeMs);
  const advice = level === 'ok' ? '' : '. Set the clock of this machine.';
  const exitCode = level === 'fail' ? exitCodes.wrongUse : undefined;
  return { level, subject, message: `${words}${advice}`, exitCode };
}

function chooseItem({ storage, bucket }: BucketSource, objects: readonly ListedObject[]): Item | undefined {
  const isMedia = ({ key, sizeBytes }: ListedObject): boolean =>
    sizeBytes > 0 && kindOf({ key }) !== undefined;
  const object = objects.find(isMedia) ?? objects.find(({ sizeBytes }) => sizeBytes > 0);
  if (object === undefined) return undefined;
  const { key } = object;
  return {
    id: key,
    position: Buffer.from(key),
    kind: 'image',
    object: { storage, bucket, key },
    bucket,
    key,
  };
}
