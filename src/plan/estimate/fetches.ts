/** What vendors will fetch, by storage: sizes of the source, else of headers, else of the files that a sample looked at. */
import type { Item } from '../../domain/item.ts';
import type { LookedItem } from '../plan-tasks.ts';

interface Sums {
  bytes: number;
  unsized: number;
  /** Fetches whose size only a header told, and their bytes; what a sample passed over is like these. */
  told: number;
  toldBytes: number;
  /** Fetches whose size a header would have told. */
  passed: number;
}

export interface FetchedBytes {
  readonly storage: string;
  readonly bytes: number;
  readonly unsized: number;
  readonly scaledBytes?: number | undefined;
}

export class Fetches {
  readonly #sums = new Map<string, Sums>();

  /** One task's media. Pictures and video of a post are links whose sizes nobody tells. */
  add({ item, fileBytes, header }: Pick<LookedItem, 'item' | 'fileBytes' | 'header'>): void {
    const sums = this.#find(storageOf(item));
    if (item.kind === 'post') {
      sums.unsized += (item.images?.length ?? 0) + (item.videoUrl === undefined ? 0 : 1);
      return;
    }
    if (fileBytes === undefined) {
      if (header === 'left') sums.passed += 1;
      else sums.unsized += 1;
      return;
    }
    sums.bytes += fileBytes;
    if (item.sizeBytes !== undefined) return;
    sums.told += 1;
    sums.toldBytes += fileBytes;
  }

  read(): readonly FetchedBytes[] {
    return [...this.#sums].map(([storage, { bytes, unsized, told, toldBytes, passed }]) => {
      if (passed === 0 || told === 0) return { storage, bytes, unsized: unsized + passed };
      const scaledBytes = Math.round((toldBytes / told) * passed);
      return { storage, bytes: bytes + scaledBytes, unsized, scaledBytes };
    });
  }

  #find(storage: string): Sums {
    const found = this.#sums.get(storage) ?? { bytes: 0, unsized: 0, told: 0, toldBytes: 0, passed: 0 };
    this.#sums.set(storage, found);
    return found;
  }
}

/** A row's link is fetched as it is, whatever object it may lead to. */
function storageOf({ url, object }: Item): string {
  return url === undefined ? (object?.storage ?? '') : '';
}
