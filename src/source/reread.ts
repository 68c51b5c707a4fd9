/**
 * Rows of a manifest, read a second time for what the ledger may not keep of them. Whoever asks goes forward as a rule, as
 * shards do, so that the manifest is read once for many questions; who asks for what lies behind has it read from its
 * beginning. Bytes between two questions are not kept.
 */
import { Buffer } from 'node:buffer';
import pLimit from 'p-limit';
import type { Item, RowLinks } from '../domain/item.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import { openSource } from './open-source.ts';

/** What the row was selected by need not hold any more: it was planned. */
const everything = { include: [], exclude: [], kinds: [] };

export class ManifestReader {
  readonly #open: () => AsyncIterator<readonly Item[]>;
  /** One goes forward at a time. */
  readonly #turn = pLimit(1);
  #reading: AsyncIterator<readonly Item[]> | undefined;
  /** Rows that were read and lie at or behind what was asked for last. */
  #ahead: readonly Item[] = [];
  #at = 0;
  /** Up to here they are gone. */
  #passed: Uint8Array | undefined;

  constructor(
    { source }: Pick<Pipeline, 'source'>,
    tools: { readonly storage: ObjectStorage; readonly nowMs: number },
  ) {
    this.#open = () => readItems(openSource({ source, select: everything }, { ...tools, isGlance: true }));
  }

  /**
   * The rows at these positions, which ascend; those that the manifest does not have are left out.
   *
   * @throws Stop as reading the manifest does
   */
  read(positions: readonly Uint8Array[]): Promise<ReadonlyMap<string, RowLinks>> {
    return this.#turn(() => this.#read(positions));
  }

  /** Lets the file go; who asks again has it opened again. */
  close(): Promise<void> {
    return this.#turn(() => this.#end());
  }

  async #read(positions: readonly Uint8Array[]): Promise<ReadonlyMap<string, RowLinks>> {
    const found = new Map<string, RowLinks>();
    const [first] = positions;
    if (!first) return found;
    if (this.#passed && Buffer.compare(first, this.#passed) <= 0) await this.#end();
    try {
      for (const position of positions) {
        const row = await this.#seek(position);
        if (!row) continue;
        const { id, url, videoUrl, images, title, text } = row;
        found.set(namePosition(position), { id, url, videoUrl, images, title, text });
      }
      return found;
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async #seek(position: Uint8Array): Promise<Item | undefined> {
    for (;;) {
      for (; this.#at < this.#ahead.length; this.#at += 1) {
        const row = this.#ahead[this.#at] as Item;
        const order = Buffer.compare(row.position, position);
        if (order >= 0) {
          this.#passed = position;
          return order === 0 ? row : undefined;
        }
      }
      this.#reading ??= this.#open();
      const next = await this.#reading.next();
      this.#ahead = next.done === true ? [] : next.value;
      this.#at = 0;
      if (next.done === true) {
        this.#passed = position;
        return undefined;
      }
    }
  }

  async #end(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    this.#ahead = [];
    this.#at = 0;
    this.#passed = undefined;
    await reading?.return?.();
  }
}

/** A position as a key of a map. */
export function namePosition(position: Uint8Array): string {
  return Buffer.from(position).toString('hex');
}

async function* readItems(pages: ReturnType<typeof openSource>): AsyncGenerator<readonly Item[]> {
  for await (const { items } of pages) yield items;
}
