/** A small S3-compatible store that runs inside this process: for the rehearsal, for tests and for trials. */
import type { Clock } from '../domain/clock.ts';
import { jitter } from '../domain/clock.ts';
import type { Handler, ServerAnswer, ServerRequest } from '../domain/exchange.ts';
import { Uploads } from './uploads.ts';
import { findOperation, isAnonymousAllowed, type Operation } from './operation.ts';
import type { Quirks } from './quirk.ts';
import { isRefusal, type Refusal, refuse, statusOf } from './refusal.ts';
import type { Shelf } from './shelf.ts';
import { verifySignature } from './signature.ts';
import { readTarget } from './target.ts';
import { writeXml } from './xml.ts';

export interface StoreOptions {
  readonly clock: Clock;
  readonly shelf: Shelf;
  /** Secret access keys by access key id. */
  readonly credentials: Readonly<Record<string, string>>;
  /** The only region that signatures may name; any where absent. */
  readonly region?: string;
  /** Hosts before which a label is a bucket; `localhost` by default. */
  readonly baseHosts?: readonly string[];
  /** Buckets whose objects anyone may GET and HEAD without a signature. */
  readonly publicBuckets?: readonly string[];
  /** Most keys on a page of a listing; 1000 by default. */
  readonly pageCap?: number;
  /** Milliseconds added to every answer. */
  readonly delayMs?: number;
  /** Chance from 0 to 1 that a request is answered `SlowDown`; decided by seed and the request's number. */
  readonly slowDown?: { readonly seed: string; readonly chance: number };
  /** None by default. */
  readonly quirks?: Quirks;
}

export interface Store {
  readonly handler: Handler;
  /** For seeding and looking without requests. */
  readonly shelf: Shelf;
  /** Uploads in parts that were begun and neither completed nor given up. */
  readonly openUploads: () => number;
  /** How often each operation was asked for, by its name at AWS, refused ones too; `Unknown` for the rest. */
  readonly counts: () => Readonly<Record<string, number>>;
}

/**
 * A request is read, counted, perhaps slowed down, checked for its signature, and only then carried out.
 * Nothing here trusts the client: a broken signature changes nothing and reads nothing.
 */
export function makeStore(options: StoreOptions): Store {
  const counts = new Map<string, number>();
  const uploads = new Uploads();
  let requests = 0;
  const handler: Handler = async (request) => {
    requests += 1;
    const id = requests.toString(16).toUpperCase().padStart(16, '0');
    const answer = await answerRequest(request, { ...options, uploads }, requests, (operation) =>
      counts.set(operation, (counts.get(operation) ?? 0) + 1),
    );
    const finished = isRefusal(answer) ? writeRefusal(request, answer, id) : answer;
    const date = new Date(options.clock.now()).toUTCString();
    const headers = { ...finished.headers, 'x-amz-request-id': id, date, server: 'mediasweep-rehearsal' };
    return { ...finished, headers, delayMs: options.delayMs ?? 0 };
  };
  return {
    handler,
    shelf: options.shelf,
    openUploads: () => uploads.open,
    counts: () => Object.fromEntries(counts),
  };
}

async function answerRequest(
  request: ServerRequest,
  options: StoreOptions & { readonly uploads: Uploads },
  number: number,
  count: (operation: string) => void,
): Promise<ServerAnswer | Refusal> {
  const target = readTarget(request, options.baseHosts ?? ['localhost']);
  const operation: Operation | Refusal = isRefusal(target) ? target : findOperation(request, target);
  count(isRefusal(operation) ? 'Unknown' : operation.name);
  const { slowDown } = options;
  if (slowDown !== undefined && jitter(`${slowDown.seed} ${number}`) < slowDown.chance)
    return refuse('SlowDown');
  if (isRefusal(target)) return target;
  if (options.quirks?.isVirtualHostedOnly === true && target.bucket !== undefined && !target.isVirtualHosted)
    return refuse('SecondLevelDomainForbidden');
  const credentials = new Map(Object.entries(options.credentials));
  const signer = verifySignature(request, target, {
    credentials,
    region: options.region,
    nowMs: options.clock.now(),
  });
  if (isRefusal(signer)) return signer;
  if (isRefusal(operation)) return operation;
  if (signer === undefined && !isAnonymousAllowed(operation, target, options.publicBuckets ?? [])) {
    return refuse('AccessDenied');
  }
  const { shelf, uploads, clock, pageCap, quirks } = options;
  return operation.run({ request, target, signer, shelf, uploads, nowMs: clock.now(), pageCap, quirks });
}

function writeRefusal(request: ServerRequest, refusal: Refusal, id: string): ServerAnswer {
  const status = statusOf(refusal);
  const isBare = status === 304 || request.method === 'HEAD';
  const range = refusal.details?.['ActualObjectSize'];
  const headers = {
    'content-type': 'application/xml',
    ...(range === undefined ? {} : { 'content-range': `bytes */${range}` }),
  };
  if (isBare) return { status, headers };
  const shared = { Code: refusal.refused, Message: refusal.message, Resource: request.path, RequestId: id };
  return { status, headers, body: writeXml('Error', { ...shared, ...refusal.details }) };
}
