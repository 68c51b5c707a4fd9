/** All storages of a pipeline behind one door: listing, heads, ranged reads, presigned links and writing over S3. */
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectAddress } from '../domain/item.ts';
import { Stop, wrongUse } from '../domain/problem.ts';
import type { Storage } from '../domain/settings.ts';
import type { ObjectFacts, ObjectStorage, ObjectWriter, StorageExaminer } from '../domain/storage.ts';
import { formatTime, locate, nameObject } from './s3-address.ts';
import { type ClientLimits, makeClient, readAtMost } from './s3-client.ts';
import { examine } from './s3-examine.ts';
import { plainEtag } from './s3-key.ts';
import { LinkSigner } from './s3-link.ts';
import { listPage } from './s3-listing.ts';
import { explainRefusal, isAbsent, nameStorage } from './s3-refusal.ts';
import { PartedUpload, putObject, tryWriting } from './s3-upload.ts';

const defaultLimits: ClientLimits = { timeoutMs: 30_000, maxAttempts: 5 };

export interface StorageOptions extends Partial<ClientLimits> {
  /** The time that links are signed at, in milliseconds since 1970. */
  readonly nowMs?: () => number;
}

interface OpenClient {
  readonly client: S3Client;
  readonly links: LinkSigner;
}

interface OpenStorage extends OpenClient {
  readonly settings: Storage;
}

/**
 * Opens the storages; a client is made, and the SDK loaded, when a storage is first used.
 * Errors are `Stop`s: exit 2 for credentials, bucket, endpoint, region; exit 3 for a lost server.
 */
export function openObjectStorage(
  storages: ReadonlyMap<string, Storage>,
  options: StorageOptions = {},
): ObjectStorage & StorageExaminer & ObjectWriter {
  const limits = { ...defaultLimits, ...options };
  const nowMs = options.nowMs ?? Date.now;
  const clients = new Map<string, Promise<OpenClient>>();

  const find = (name: string): Storage => {
    const settings = storages.get(name);
    if (settings === undefined) throw wrongUse(nameUnknown(name, storages));
    return settings;
  };
  const use = async <T>(name: string, deed: string, act: (opened: OpenStorage) => Promise<T>): Promise<T> => {
    const settings = find(name);
    const client = clients.get(name) ?? openClient(settings, limits);
    clients.set(name, client);
    try {
      return await act({ settings, ...(await client) });
    } catch (error) {
      throw explainRefusal(settings, deed, error);
    }
  };

  return {
    list: (request) =>
      use(request.storage, `listing bucket "${request.bucket}"`, (opened) => listPage(opened, request)),
    examine: (request, addressing) => examine(find(request.storage), limits, request, addressing),
    head: (address) =>
      use(address.storage, `head of ${nameObject(address)}`, (opened) => readHead(opened, address)),
    read: (address, start, end) =>
      use(address.storage, `reading ${nameObject(address)}`, (opened) =>
        readRange(opened, address, start, end, limits.maxAttempts),
      ),
    sign: (address, lifetimeSeconds) =>
      use(address.storage, `signing a link to ${nameObject(address)}`, (opened) =>
        opened.links.sign(address, lifetimeSeconds, nowMs()),
      ),
    tryWriting: (address) =>
      use(address.storage, `writing ${nameObject(address)}`, ({ client }) => tryWriting(client, address)),
    put: (address, bytes, mediaType) =>
      use(address.storage, `writing ${nameObject(address)}`, ({ client }) =>
        putObject(client, address, bytes, mediaType),
      ),
    upload: (address, mediaType) =>
      new PartedUpload(
        (act) => use(address.storage, `writing ${nameObject(address)}`, ({ client }) => act(client)),
        address,
        mediaType,
      ),
    close: () => {
      for (const client of clients.values())
        void client.then((opened) => opened.client.destroy()).catch(() => undefined);
      clients.clear();
    },
  };
}

async function openClient(settings: Storage, limits: ClientLimits): Promise<OpenClient> {
  const client = await makeClient(settings, limits);
  return { client, links: new LinkSigner(client) };
}

async function readHead({ client }: OpenStorage, address: ObjectAddress): Promise<ObjectFacts | undefined> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
  try {
    const head = await client.send(new HeadObjectCommand(locate(address)));
    return {
      sizeBytes: head.ContentLength,
      etag: plainEtag(head.ETag),
      lastModified: formatTime(head.LastModified),
      contentType: head.ContentType,
    };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The SDK repeats a request until its headers are there; a body that breaks off is repeated here. */
async function readRange(
  { client, settings }: OpenStorage,
  address: ObjectAddress,
  start: number,
  end: number,
  maxAttempts: number,
): Promise<Uint8Array> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  for (let attempt = 1; ; attempt += 1) {
    const object = await client.send(
      new GetObjectCommand({ ...locate(address), Range: `bytes=${start}-${end - 1}` }),
    );
    const isWhole = object.ContentRange === undefined;
    if (isWhole && (object.ContentLength ?? Number.POSITIVE_INFINITY) > end) {
      // Left unread, the rest of a large object would come over this connection.
      if (object.Body instanceof Readable) object.Body.destroy();
      throw wrongUse(`${nameStorage(settings)}: reading ${nameObject(address)}: the server ignores ranges.`);
    }
    try {
      const most = isWhole ? end : end - start;
      const bytes = object.Body instanceof Readable ? await readAtMost(object.Body, most) : Buffer.alloc(0);
      if (bytes === undefined || (!isWhole && !beginsAt(object.ContentRange, start))) {
        throw wrongUse(
          `${nameStorage(settings)}: reading ${nameObject(address)}: the server sent another range than bytes ${start} to ${end - 1}.`,
        );
      }
      return isWhole ? bytes.subarray(start, end) : bytes;
    } catch (error) {
      if (attempt >= maxAttempts || error instanceof Stop) throw error;
    }
  }
}

function beginsAt(contentRange = '', start: number): boolean {
  return contentRange.trim().startsWith(`bytes ${start}-`);
}

function nameUnknown(name: string, storages: ReadonlyMap<string, Storage>): string {
  const known = [...storages.keys()].map((storage) => `"${storage}"`).join(', ');
  const expected = known === '' ? 'none is configured' : `expected one of ${known}`;
  return `storage "${name}": ${expected}. Add it to the storages, or correct the name.`;
}
