/** Looks at the storages of a pipeline: reach, signature, order, StartAfter, clock, and how long credentials live. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Item } from '../domain/item.ts';
import { compareKeys } from '../domain/key-order.ts';
import { kindOf } from '../domain/kind.ts';
import { describeError, exitCodes, Stop } from '../domain/problem.ts';
import { formatDuration } from '../domain/quantity.ts';
import type { BucketSource, Pipeline } from '../domain/settings.ts';
import type { ListedObject, StorageFacts } from '../domain/storage.ts';
import { describeSkew } from './clock.ts';
import type { DoctorTools } from './examine.ts';

/** Behind a key that exists, before the next one: no server needs such a key to be there. */
const behind = '\u{10FFFD}';

export interface StorageDiagnosis {
  readonly diagnoses: readonly Diagnosis[];
  /** The first object that a link can be tried with. */
  readonly item?: Item | undefined;
}

/** Looks at a bucket by listing it, and for a manifest that lies in one. */
export async function examineStorage(pipeline: Pipeline, tools: DoctorTools): Promise<StorageDiagnosis> {
  const { source } = pipeline;
  if (source.form !== 'bucket') {
    const path = source.form === 'inventory' ? source.manifest : source.path;
    return { diagnoses: await examineManifest(path, tools) };
  }
  const subject = `storage ${source.storage}`;
  const request = { storage: source.storage, bucket: source.bucket, prefix: source.prefixes[0] ?? '' };
  let facts: StorageFacts;
  try {
    facts = await tools.storage.examine(request);
  } catch (error) {
    return { diagnoses: [describeFailure(subject, error)] };
  }
  const { objects } = facts.page;
  const order = await examineOrder(source, objects, tools).catch((error: unknown) =>
    describeFailure(subject, error),
  );
  const skew = describeSkew(tools.clock.now(), facts.serverTimeMs);
  const advice = skew.level === 'ok' ? '' : '. Set the clock of this machine.';
  const clock: Diagnosis = {
    level: skew.level,
    subject,
    message: `${skew.words}${advice}`,
    exitCode: skew.level === 'fail' ? exitCodes.wrongUse : undefined,
  };
  const lifetime = describeLifetime(pipeline, facts, tools.clock.now());
  return {
    diagnoses: [order, clock, ...(lifetime === undefined ? [] : [{ ...lifetime, subject }])],
    item: chooseItem(source, objects),
  };
}

async function examineManifest(path: string, { storage }: DoctorTools): Promise<readonly Diagnosis[]> {
  const [, name, bucket, key] = /^s3:\/\/([^/]+)\/([^/]+)\/(.+)$/s.exec(path) ?? [];
  if (name === undefined || bucket === undefined || key === undefined) return [];
  const subject = `storage ${name}`;
  try {
    const facts = await storage.head({ storage: name, bucket, key });
    if (facts !== undefined) return [{ level: 'ok', subject, message: `the manifest ${path} is there` }];
    const message = `there is no manifest ${path}. Correct its path.`;
    return [{ level: 'fail', subject, message, exitCode: exitCodes.wrongUse }];
  } catch (error) {
    return [describeFailure(subject, error)];
  }
}

/** A thrown `Stop` says where and what to do. */
export function describeFailure(subject: string, error: unknown): Diagnosis {
  const isWrong = error instanceof Stop && error.exitCode === exitCodes.wrongUse;
  const exitCode = isWrong ? exitCodes.wrongUse : exitCodes.halted;
  return { level: 'fail', subject, message: describeError(error), exitCode };
}

async function examineOrder(
  source: BucketSource,
  objects: readonly ListedObject[],
  { storage }: DoctorTools,
): Promise<Diagnosis> {
  const subject = `storage ${source.storage}`;
  const reach = `bucket "${source.bucket}" reached and signature accepted`;
  if (objects.length === 0) {
    return { level: 'warn', subject, message: `${reach}, but nothing lies under the prefix. Check prefix.` };
  }
  const wrong = objects.findIndex((object, at) => compareKeys(objects[at - 1]?.key ?? '', object.key) >= 0);
  if (wrong > 0) {
    const message = `${reach}, but keys come out of order: "${objects[wrong]?.key}" after "${objects[wrong - 1]?.key}". Its listing cannot be believed: use a manifest.`;
    return { level: 'fail', subject, message, exitCode: exitCodes.wrongUse };
  }
  const middle = Math.floor((objects.length - 1) / 2);
  const key = objects[middle]?.key ?? '';
  const expected = objects.slice(middle + 1).find((object) => !object.key.startsWith(key))?.key;
  const request = {
    storage: source.storage,
    bucket: source.bucket,
    prefix: source.prefixes[0] ?? '',
    maxKeys: 5,
  };
  const [there, absent] = [
    await storage.list({ ...request, startAfter: key }),
    await storage.list({ ...request, startAfter: `${key}${behind}` }),
  ];
  const isRight =
    there.objects[0]?.key === objects[middle + 1]?.key &&
    (expected === undefined || absent.objects[0]?.key === expected);
  if (objects.length === 1 || isRight || objects[middle + 1] === undefined) {
    return { level: 'ok', subject, message: `${reach}; lists in order, StartAfter works` };
  }
  const message = `${reach}, lists in order, but StartAfter is not honoured: listing goes on one page after another. Set parallel: 1.`;
  return { level: 'warn', subject, message };
}

/** Links die with the credentials that signed them. */
function describeLifetime(
  { access }: Pipeline,
  { credentialEndsAtMs }: StorageFacts,
  nowMs: number,
): Omit<Diagnosis, 'subject'> | undefined {
  if (credentialEndsAtMs === undefined || access.mode !== 'presigned') return undefined;
  const leftMs = credentialEndsAtMs - nowMs;
  const askedMs = access.expiresInSeconds * 1000;
  if (leftMs >= askedMs) {
    return { level: 'ok', message: `credentials end in ${formatDuration(leftMs)}, after the links` };
  }
  const links = `links asked for ${formatDuration(askedMs)}`;
  const message = `credentials end in ${formatDuration(Math.max(0, leftMs))}, ${links}: they live no longer than that. Use credentials that live longer, or a shorter expiresIn.`;
  return { level: 'warn', message };
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
