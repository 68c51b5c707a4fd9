/** What a request is about: its bucket, its key and its query, by path or by the name of the host. */
import type { ServerRequest } from '../domain/exchange.ts';
import { type Refusal, refuse } from './refusal.ts';
import { decodeUri, type QueryPair, readQuery } from './uri.ts';

export interface Target {
  /** The whole path, decoded; what is signed. */
  readonly path: string;
  readonly pairs: readonly QueryPair[];
  /** The same query by name; the last one wins. */
  readonly query: ReadonlyMap<string, string>;
  /** Absent for the list of buckets. */
  readonly bucket?: string | undefined;
  /** Absent for the bucket itself. */
  readonly key?: string | undefined;
  /** True where the bucket is named by the host. */
  readonly isVirtualHosted: boolean;
}

/**
 * Reads path style (`/bucket/key`), and virtual host style where the Host header is a label before one of
 * `baseHosts` (`media.localhost:9000`).
 */
export function readTarget(request: ServerRequest, baseHosts: readonly string[]): Target | Refusal {
  const path = decodeUri(request.path);
  const pairs = readQuery(request.query);
  if (path === undefined || pairs === undefined) return refuse('InvalidURI');
  const label = readHostLabel(request.headers['host'] ?? '', baseHosts);
  const shared = { path, pairs, query: new Map(pairs), isVirtualHosted: label !== undefined };
  const rest = label === undefined ? path.slice(1) : `${label}/${path.slice(1)}`;
  const cut = rest.indexOf('/');
  const bucket = cut < 0 ? rest : rest.slice(0, cut);
  const key = cut < 0 ? '' : rest.slice(cut + 1);
  if (bucket === '') return key === '' ? shared : refuse('InvalidBucketName');
  return key === '' ? { ...shared, bucket } : { ...shared, bucket, key };
}

function readHostLabel(host: string, baseHosts: readonly string[]): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const base = baseHosts.find((candidate) => name.endsWith(`.${candidate}`));
  return base === undefined ? undefined : name.slice(0, -base.length - 1);
}
