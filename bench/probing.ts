/**
 * What it costs to probe a film of 100 MB, with its index first and last, over S3 and over HTTP: requests, bytes and time,
 * against a bare loop that makes the same ranged reads. The store is a process of its own and adds 20 ms to each answer.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { Agent, request } from 'undici';
import type { Item } from '../src/domain/item.ts';
import type { ObjectStorage } from '../src/domain/storage.ts';
import { makeProber } from '../src/source/probe.ts';
import { openObjectStorage } from '../src/wire/s3.ts';
import { makeUrlReader } from '../src/wire/url-reader.ts';
import { filmKeys } from '../test/support/sparse-store.ts';
import { compare, type Result, tellFigure } from './measure.ts';

const sizeBytes = 100_000_000;
const windowBytes = 64 * 1024;
/** As many of one host as the prober reads at once. */
const atOnce = 16;
const delayMs = 20;

interface Count {
  readonly requests: number;
  readonly bytes: number;
}

export async function benchProbing(files: number, pairs: number): Promise<readonly Result[]> {
  const child = fork(join(import.meta.dirname, 'film-server.js'), [String(delayMs)]);
  const [{ url: endpoint }] = (await once(child, 'message')) as [{ url: string }];
  const count = async (): Promise<Count> => {
    child.send('count');
    const [told] = (await once(child, 'message')) as [Count];
    return told;
  };
  const place = { name: 'main', endpoint, region: 'us-east-1', pathStyle: true, ...filmKeys };
  const storage = openObjectStorage(new Map([['main', place]]));
  const urlReader = makeUrlReader({ allowPrivateAddresses: true, maxBytes: 1024 * 1024, timeoutMs: 30_000 });
  const agent = new Agent({ connections: atOnce });
  const results: Result[] = [];
  try {
    for (const key of ['first.mp4', 'last.mp4']) {
      const { url } = await storage.sign({ storage: 'main', bucket: 'films', key }, 86_400);
      const index = key === 'first.mp4' ? 'first' : 'last';
      const places = await findPlaces(storage, key);
      for (const over of ['S3', 'HTTP'] as const) {
        const probe = makeProber({ storage, urlReader });
        const item = over === 'S3' ? makeObject(key) : makeRow(url);
        const name = `probing a film of 100 MB, index ${index}, over ${over}`;
        await probe(item);
        results.push(...(await measureOne(name, () => probe(item), count)));
        const ours = () => rate(files, async () => void (await probe(item)));
        const limit = pLimit(atOnce);
        const bare = () => rate(files, () => limit(() => readBare(agent, url, places)));
        results.push(await compare(name, 'films/s', 'a bare loop of the same reads', pairs, ours, bare));
      }
    }
    return results;
  } finally {
    storage.close();
    await Promise.all([urlReader.close(), agent.close()]);
    child.disconnect();
  }
}

async function measureOne(
  name: string,
  probe: () => Promise<unknown>,
  count: () => Promise<Count>,
): Promise<readonly Result[]> {
  const before = await count();
  const begin = performance.now();
  await probe();
  const ms = performance.now() - begin;
  const after = await count();
  const figures = [
    { name: `${name}: requests`, value: after.requests - before.requests, unit: 'requests' },
    { name: `${name}: bytes`, value: after.bytes - before.bytes, unit: 'bytes' },
    { name: `${name}: time, ${delayMs} ms added to each answer`, value: ms, unit: 'ms' },
  ];
  for (const figure of figures) tellFigure(figure);
  return figures;
}

/** Films a second; all are asked for at once, and whoever reads them bounds how many are under way. */
async function rate(files: number, read: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await Promise.all(Array.from({ length: files }, read));
  return files / ((performance.now() - begin) / 1000);
}

/** Which ranges the prober reads. */
async function findPlaces(
  storage: ObjectStorage,
  key: string,
): Promise<readonly (readonly [number, number])[]> {
  const places: [number, number][] = [];
  const watched: ObjectStorage = {
    ...storage,
    read: (address, start, end) => {
      places.push([start, end]);
      return storage.read(address, start, end);
    },
  };
  const urlReader = { read: async () => ({ ok: false, message: 'not asked for' }) as const };
  const { durationSeconds } = await makeProber({ storage: watched, urlReader })(makeObject(key));
  if (durationSeconds !== 400) throw new Error(`${key} was not measured`);
  return places;
}

async function readBare(
  agent: Agent,
  url: string,
  places: readonly (readonly [number, number])[],
): Promise<void> {
  for (const [start, end] of places) {
    const answer = await request(url, {
      dispatcher: agent,
      headers: { range: `bytes=${start}-${end - 1}` },
    });
    const bytes = await answer.body.arrayBuffer();
    if (bytes.byteLength > windowBytes * 2) throw new Error('the server ignored the range');
  }
}

function makeObject(key: string): Item {
  return { ...makeRow(''), url: undefined, object: { storage: 'main', bucket: 'films', key }, sizeBytes };
}

function makeRow(url: string): Item {
  return { id: url, position: new Uint8Array(), kind: 'video', url };
}
