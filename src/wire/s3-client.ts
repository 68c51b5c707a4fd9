/** Makes the S3 clients, so that they speak what every dialect takes and print nothing. */
import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { Storage } from '../domain/settings.ts';

export interface ClientLimits {
  /** For the connection, the answer's headers, and silence within its body. */
  readonly timeoutMs: number;
  /** Tries of a request; all that we send are reads, whole objects and whole parts, so each may be repeated. */
  readonly maxAttempts: number;
  /** How host names are found; as this machine does where absent. */
  readonly lookup?: LookupFunction | undefined;
}

const silentLogger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A client for one storage. The SDK is imported here and only when first needed: it takes most of 100 ms. */
export async function makeClient(storage: Storage, limits: ClientLimits): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const client = constructQuietly(() => new S3Client(configure(storage, limits)));
  client.middlewareStack.add(
    (next) => (args) => {
      dropOperationName(args.request);
      return next(args);
    },
    { step: 'build', name: 'dropOperationName' },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      await boundRefusal(answer.response);
      return answer;
    },
    { step: 'deserialize', name: 'boundRefusal', priority: 'low' },
  );
  return client;
}

/** A refusal's XML has some hundred bytes. */
const mostRefusalBytes = 256 * 1024;

/** The SDK reads the words of a refusal to their end, however far that is; what is no refusal's length is left unread. */
async function boundRefusal(response: unknown): Promise<void> {
  if (typeof response !== 'object' || response === null) return;
  const body: unknown = Reflect.get(response, 'body');
  if (Number(Reflect.get(response, 'statusCode')) < 300 || !(body instanceof Readable)) return;
  Reflect.set(response, 'body', (await readAtMost(body, mostRefusalBytes)) ?? Buffer.alloc(0));
}

/** A whole body; `undefined`, and the rest unread, where it is longer than that. Rejects where it breaks off. */
export async function readAtMost(body: Readable, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > most) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function configure(storage: Storage, limits: ClientLimits): S3ClientConfig {
  return {
    region: storage.region,
    forcePathStyle: storage.pathStyle,
    // Other dialects refuse or ignore the checksum headers that the SDK sends by default since 2025.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: limits.maxAttempts,
    logger: silentLogger,
    requestHandler: {
      connectionTimeout: limits.timeoutMs,
      requestTimeout: limits.timeoutMs,
      socketTimeout: limits.timeoutMs,
      throwOnRequestTimeout: true,
      logger: silentLogger,
      ...(limits.lookup !== undefined && {
        httpAgent: { lookup: limits.lookup },
        httpsAgent: { lookup: limits.lookup },
      }),
    },
    ...(storage.endpoint === undefined ? {} : { endpoint: storage.endpoint }),
    ...(storage.accessKeyId === undefined ? {} : { credentials: readCredentials(storage) }),
  };
}

function readCredentials(storage: Storage): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  return {
    accessKeyId: storage.accessKeyId ?? '',
    secretAccessKey: storage.secretAccessKey ?? '',
    ...(storage.sessionToken === undefined ? {} : { sessionToken: storage.sessionToken }),
  };
}

/**
 * Makes the SDK without its notice that some Node version will once be too old, which concerns no user of ours. Its
 * own switch is an environment variable, which would also reach other code and child processes; so the one function
 * that it warns through is exchanged while the constructor runs, which is synchronous, and put back at once.
 */
function constructQuietly<T>(construct: () => T): T {
  const original = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  if (original === undefined || typeof original.value !== 'function') return construct();
  const emit: (...args: readonly unknown[]) => void = original.value.bind(process);
  process.emitWarning = (...args: readonly unknown[]): void => {
    if (!String(args[0]).startsWith('NodeVersionSupportWarning')) emit(...args);
  };
  try {
    return construct();
  } finally {
    Object.defineProperty(process, 'emitWarning', original);
  }
}

/** `x-id=GetObject` in the query means nothing to any server; without it links are plainer and other dialects happier. */
function dropOperationName(request: unknown): void {
  if (typeof request !== 'object' || request === null || !('query' in request)) return;
  const { query } = request;
  if (typeof query === 'object' && query !== null) Reflect.deleteProperty(query, 'x-id');
}
