/** Commands that only look: at files, and at the world around them. */
import { dirname, join, resolve } from 'node:path';
import type { Places } from '../cli/spine.ts';
import { checkFiles, listPipelines } from '../config/check.ts';
import { readRedisFacts } from '../cluster/redis-facts.ts';
import { type Folders, findFolders, openCluster, openPipeline, openPrices } from '../config/open.ts';
import { findLongest, makeLinker } from '../dispatch/link.ts';
import { examine } from '../doctor/examine.ts';
import { examineLedger } from '../doctor/ledger.ts';
import { examineRedis } from '../doctor/redis.ts';
import type { DiskHistory } from '../doctor/tools.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { RunRecord } from '../domain/ledger.ts';
import { isBucketPlace } from '../domain/output.ts';
import { inspectSource } from '../source/inspect.ts';
import { openSource } from '../source/open-source.ts';
import { readFileBytes, readFreeBytes } from '../store/free-space.ts';
import { readPostgresFacts } from '../store/postgres-ledger.ts';
import { catalogue } from '../vendors/index.ts';
import { openHttp } from '../wire/http.ts';
import { resolveHost } from '../wire/resolve-host.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { makeUrlReader } from '../wire/url-reader.ts';
import { findPostgres, withLedger } from './ledger.ts';
import { withOutput } from './output.ts';
import { type Outside, probeLimits, serveTrial } from './outside.ts';

const shownRuns = 20;

/** A person waits: a server that does not answer is told so soon. */
const patience = { timeoutMs: 10_000, maxAttempts: 2 };

export async function check({ environment, folder }: Outside, paths: readonly string[], places: Places) {
  const { config } = await findFolders(folder, places);
  const isConfigNamed = places.config !== undefined;
  return await checkFiles({
    paths,
    folder,
    config,
    isConfigNamed,
    environment,
    catalogue,
    inspect: inspectSource,
  });
}

/** Looks at the world around one pipeline or all; what several of them share is told once. */
export async function doctor(
  outside: Outside,
  path: string | undefined,
  places: Places,
): Promise<readonly Diagnosis[]> {
  const { folder } = outside;
  const { config } = await findFolders(folder, places);
  const paths = path === undefined ? await listPipelines({ config, folder }) : [path];
  const told = new Map<string, Diagnosis>();
  const cluster = await openCluster(config, outside.environment);
  const postgres = await findPostgres({ config }, outside);
  const shared = cluster
    ? [
        ...(await examineRedis(cluster.redis, outside.clock, readRedisFacts)),
        ...(postgres ? await examineLedger(postgres.access, () => readPostgresFacts(postgres)) : []),
      ]
    : [];
  for (const diagnosis of shared) told.set(`${diagnosis.subject}\n${diagnosis.message}`, diagnosis);
  for (const one of paths) {
    const diagnoses = await examinePipeline(outside, resolve(folder, one), places);
    for (const diagnosis of diagnoses) told.set(`${diagnosis.subject}\n${diagnosis.message}`, diagnosis);
  }
  return [...told.values()];
}

async function examinePipeline(outside: Outside, path: string, places: Places) {
  const { environment, clock } = outside;
  const pipeline = await openPipeline({ path, configFolder: places.config, environment, catalogue });
  const folders = await findFolders(dirname(pipeline.path), places);
  const { state, out } = folders;
  const isInBucket = isBucketPlace(out);
  const tryWriting = () =>
    withOutput(outside, { pipeline, folders, places }, (output) => output.tryWriting());
  const storage = openObjectStorage(pipeline.storages, { ...patience, nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses: true });
  const http = openHttp({ connections: 4 });
  const link = makeLinker(pipeline.access, storage, clock);
  const mayTakeMs = findLongest(pipeline.services, pipeline.deadlines);
  const glance = () => openSource(pipeline, { storage, nowMs: clock.now(), isGlance: true });
  const readHistory = () => readDiskHistory(outside, folders, pipeline.name);
  const outer = { clock, storage, http, urlReader, link, resolveHost, serve: serveTrial, readFreeBytes };
  try {
    return await examine(pipeline, isInBucket ? [state] : [state, out], {
      ...outer,
      mayTakeMs,
      glance,
      readHistory,
      ...(isInBucket && { output: { name: out, tryWriting } }),
    });
  } finally {
    await Promise.all([http.close(), urlReader.close()]);
    storage.close();
  }
}

async function readDiskHistory(
  outside: Outside,
  folders: Folders,
  pipeline: string,
): Promise<DiskHistory | undefined> {
  const ledgerBytes = await readFileBytes(join(folders.state, 'ledger.db'));
  if (ledgerBytes === undefined) return undefined;
  return await withLedger(folders, outside, async (ledger) => {
    const runs = (await ledger.listRuns(shownRuns)).filter(({ isPruned }) => isPruned !== true);
    const [latest] = await ledger.listRuns(1, pipeline);
    const tasks = runs.reduce((sum, run) => sum + countPlanned(run), 0);
    return { ledgerBytes, tasks, latestTasks: latest && countPlanned(latest) };
  });
}

function countPlanned({ counters, services }: RunRecord): number {
  return counters.items * services.length - counters.notApplicable;
}

export async function prices({ environment, folder }: Outside, places: Places) {
  const { config } = await findFolders(folder, places);
  return await openPrices({ configFolder: config, environment, catalogue });
}
