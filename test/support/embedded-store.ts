/** The embedded store on a socket, with a client of Amazon's own making beside it. */
import { S3Client } from '@aws-sdk/client-s3';
import { makeStore, type Store, type StoreOptions } from '../../src/rehearsal/store.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { serve } from '../../src/wire/server.ts';

export interface StoreAccess {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface EmbeddedStore extends StoreAccess {
  readonly store: Store;
  stop(): Promise<void>;
}

/** Over memory, with the machine's clock and one credential, unless told otherwise. */
export async function startEmbeddedStore(options: Partial<StoreOptions> = {}): Promise<EmbeddedStore> {
  const [accessKeyId, secretAccessKey] = ['AKIDREHEARSAL', 'test-secret-of-the-embedded-store'];
  const shelf = options.shelf ?? (await openShelf(makeMemoryVault()));
  const store = makeStore({
    clock: systemClock,
    credentials: { [accessKeyId]: secretAccessKey },
    ...options,
    shelf,
  });
  const server = await serve(store.handler, { maxBodyBytes: 64 * 1024 * 1024, timeoutMs: 30_000 });
  return { endpoint: server.url, accessKeyId, secretAccessKey, store, stop: () => server.close() };
}

/** The real client, with the settings that other dialects of S3 need, and without retries. */
export function openClient(
  access: StoreAccess,
  settings: ConstructorParameters<typeof S3Client>[0] = {},
): S3Client {
  const { accessKeyId, secretAccessKey } = access;
  return new S3Client({
    endpoint: access.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    ...settings,
  });
}
