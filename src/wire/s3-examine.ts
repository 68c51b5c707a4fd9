/** Looks at a storage by one request, also under another region or addressing style than its settings say. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectAddress } from '../domain/item.ts';
import type { Storage } from '../domain/settings.ts';
import type { Addressing, ListPage, ListRequest, StorageFacts, StorageRefusal } from '../domain/storage.ts';
import { locate, nameObject } from './s3-address.ts';
import { type ClientLimits, makeClient } from './s3-client.ts';
import { listPage } from './s3-listing.ts';
import { explainRefusal, judgeRefusal, readField } from './s3-refusal.ts';

const nothingListed: ListPage = { objects: [], isTruncated: false };

/** Through a client of its own, so that what is tried here leaves nothing behind. Never throws for trouble with the storage. */
export async function examine(
  storage: Storage,
  limits: ClientLimits,
  request: ListRequest | ObjectAddress,
  { region, pathStyle }: Addressing = {},
): Promise<StorageFacts | StorageRefusal> {
  const settings: Storage = {
    ...storage,
    region: region ?? storage.region,
    pathStyle: pathStyle ?? storage.pathStyle,
  };
  const deed = 'key' in request ? `head of ${nameObject(request)}` : `listing bucket "${request.bucket}"`;
  const client = await makeClient(settings, limits);
  let serverTimeMs: number | undefined;
  hearDate(client, (date) => {
    const time = Date.parse(date);
    serverTimeMs = Number.isNaN(time) ? undefined : time;
  });
  try {
    let page = nothingListed;
    if ('key' in request) {
      const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
      await client.send(new HeadObjectCommand(locate(request)));
    } else page = await listPage({ client, settings }, request);
    const { expiration, sessionToken } = await client.config.credentials();
    return {
      page,
      serverTimeMs,
      credentialEndsAtMs: expiration?.getTime(),
      isSession: sessionToken !== undefined,
    };
  } catch (error) {
    return { stop: explainRefusal(settings, deed, error), ...judgeRefusal(error), serverTimeMs };
  } finally {
    client.destroy();
  }
}

/** Tells the `Date` header of what the server answers. */
function hearDate(client: S3Client, hear: (date: string) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args).catch((error: unknown) => {
        hearIn(error, '$response', hear);
        throw error;
      });
      hearIn(answer, 'response', hear);
      return answer;
    },
    { step: 'deserialize', name: 'hearDate', priority: 'low' },
  );
}

function hearIn(holder: unknown, name: string, hear: (date: string) => void): void {
  const date = readField(readField(readField(holder, name), 'headers'), 'date');
  if (typeof date === 'string') hear(date);
}
