/** The object stores that the contract suites run against, each over a real socket. */
import { findMissingForCeph, startCephRgw } from './ceph-rgw.ts';
import { findMissingForSwift, startSwift } from './swift-s3.ts';
import { type StoreAccess, startEmbeddedStore } from './embedded-store.ts';

interface Startable {
  readonly name: string;
  readonly missing: readonly string[];
  readonly start: () => Promise<StoreAccess & { stop(): Promise<void> }>;
}

/** Those that hold to all of S3 that the suites know. */
export const stores: readonly Startable[] = [
  { name: 'the embedded store', missing: [], start: startEmbeddedStore },
  { name: 'Ceph RGW', missing: findMissingForCeph(), start: startCephRgw },
];

/** Those that can be listed; Swift differs in conditional puts and in the words of some refusals. */
export const listedStores: readonly Startable[] = [
  ...stores,
  { name: 'OpenStack Swift', missing: findMissingForSwift(), start: startSwift },
];
