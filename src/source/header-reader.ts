/** Reads parts of one media file through windows, within a budget of requests and bytes. */
import type { UrlReader } from '../domain/exchange.ts';
import type { Item } from '../domain/item.ts';
import type { ObjectStorage } from '../domain/storage.ts';

/** What a probe may use of the outside. */
export interface ProbeTools {
  readonly storage: ObjectStorage;
  readonly urlReader: UrlReader;
}

/** Most requests and bytes that one file may cost. */
export const probeBudget = { reads: 8, bytes: 1024 * 1024 };

/** Why a header could not be read; the message goes into `MediaFacts.trouble`. */
export class MediaTrouble extends Error {}

/** What is read beside what matters: `undefined` where it would take more than the budget, or is not there. */
export async function attempt<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MediaTrouble) return undefined;
    throw error;
  }
}

interface Fetched {
  readonly bytes: Uint8Array;
  readonly totalBytes?: number | undefined;
}

type Fetch = (start: number, end: number) => Promise<Fetched>;

interface Window {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Where an item's bytes come from: its object, else its URL; `undefined` where it has neither. */
export function openHeader(item: Item, tools: ProbeTools, windowBytes: number): HeaderReader | undefined {
  const { object, url } = item;
  if (object !== undefined) {
    const fetch: Fetch = async (start, end) => ({ bytes: await tools.storage.read(object, start, end) });
    const head = async (): Promise<number | undefined> => (await tools.storage.head(object))?.sizeBytes;
    return new HeaderReader(fetch, windowBytes, item.sizeBytes, head);
  }
  if (url === undefined) return undefined;
  const fetch: Fetch = async (start, end) => {
    const answer = await tools.urlReader.read(url, start, end);
    if (answer.ok) return answer;
    const status =
      answer.status === undefined || answer.message.includes(String(answer.status))
        ? ''
        : ` (${answer.status})`;
    throw new MediaTrouble(`${answer.message}${status}`);
  };
  return new HeaderReader(fetch, windowBytes);
}

/**
 * Its life is that of one probe. A read that no window holds fetches a window from there on; one that goes on where a
 * window ends makes that window longer, twice as much each time; one at the file's end fetches the window before it.
 */
export class HeaderReader {
  readonly #fetch: Fetch;
  readonly #head: (() => Promise<number | undefined>) | undefined;
  #windowBytes: number;
  #size: number | undefined;
  #windows: readonly Window[] = [];
  #reads = 0;
  #bytes = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  constructor(fetch: Fetch, windowBytes: number, size?: number, head?: () => Promise<number | undefined>) {
    this.#fetch = fetch;
    this.#windowBytes = windowBytes;
    this.#size = size;
    this.#head = head;
  }

  /** What a fetch threw last, since a parser in between may have put an error of its own in its place. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Bytes of the whole file, where they are known already. */
  get knownSize(): number | undefined {
    return this.#size;
  }

  /** Bytes of the whole file. */
  async size(): Promise<number> {
    if (this.#size === undefined && this.#head !== undefined) {
      this.#size = await this.#head();
      if (this.#size === undefined) throw new MediaTrouble('the object does not exist');
    }
    if (this.#size === undefined) await this.read(0, 1);
    if (this.#size === undefined) throw new MediaTrouble('the server does not tell how long the file is');
    if (this.#size === 0) throw new MediaTrouble('the file is empty');
    return this.#size;
  }

  /** Bytes `start` to `end` (exclusive), fewer at the end of the file. One read at a time. */
  read(start: number, end: number): Promise<Uint8Array> {
    const next = this.#queue.then(() => this.#readNow(start, end));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #readNow(start: number, end: number): Promise<Uint8Array> {
    const last = Math.min(end, this.#size ?? end);
    if (last <= start || start < 0) return new Uint8Array();
    const held = this.#windows.find((window) => window.start <= start && start <= endOf(window));
    if (held !== undefined && last <= endOf(held)) return cut(held, start, last);
    const grown = held === undefined ? await this.#fetchAt(start, last) : await this.#grow(held, last);
    return cut(grown, start, last);
  }

  async #fetchAt(start: number, end: number): Promise<Window> {
    const latest = this.#size === undefined ? start : Math.max(0, this.#size - this.#windowBytes);
    const from = Math.min(start, latest);
    const window = {
      start: from,
      bytes: await this.#spend(from, Math.max(end, from + this.#windowBytes), end),
    };
    this.#windows = [...this.#windows, window];
    return window;
  }

  async #grow(held: Window, end: number): Promise<Window> {
    this.#windowBytes *= 2;
    const from = endOf(held);
    const more = await this.#spend(from, Math.max(end, from + this.#windowBytes), end);
    const grown = { start: held.start, bytes: Buffer.concat([held.bytes, more]) };
    this.#windows = this.#windows.map((window) => (window === held ? grown : window));
    return grown;
  }

  /** Fetches `from` to `wanted`, or less where the budget ends before it, but never less than to `needed`. */
  async #spend(from: number, wanted: number, needed: number): Promise<Uint8Array> {
    const left = probeBudget.bytes - this.#bytes;
    const until = Math.min(wanted, this.#size ?? wanted, Math.max(needed, from + left));
    if (this.#reads >= probeBudget.reads || until - from > left) {
      throw new MediaTrouble(
        `more than ${probeBudget.reads} reads or ${probeBudget.bytes} bytes would be needed`,
      );
    }
    this.#reads += 1;
    this.#bytes += until - from;
    try {
      const { bytes, totalBytes } = await this.#fetch(from, until);
      this.#size ??= totalBytes ?? (bytes.length < until - from ? from + bytes.length : undefined);
      return bytes;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

function endOf(window: Window): number {
  return window.start + window.bytes.length;
}

function cut(window: Window, start: number, end: number): Uint8Array {
  return window.bytes.subarray(start - window.start, end - window.start);
}
