/** The object stores that the contract suites run against, each over a real socket. */
import { findMissingForCeph, startCephRgw } from './ceph-rgw.ts';
import { type StoreAccess, startEmbeddedStore } from './embedded-store.ts';

export const stores: readonly {
  readonly name: string;
  readonly missing: readonly string[];
  readonly start: () => Promise<StoreAccess & { stop(): Promise<void> }>;
}[] = [
  { name: 'the embedded store', missing: [], start: startEmbeddedStore },
  { name: 'Ceph RGW', missing: findMissingForCeph(), start: startCephRgw },
];
