/**
 * Lists a bucket by several listings at a time, each of a range of keys.
 *
 * One listing begins at each prefix. Whenever a place is free, the range with most left is cut in two: the right half
 * begins behind a key that need not exist, and its first page tells where its keys really begin. From then on the left
 * half lists up to that key. Where the right half shows no key, the left one lists on to the end that it had before, so
 * that a server that finds nothing behind a key that does not exist costs time and no key. A cut is therefore only ever a
 * matter of speed.
 *
 * A page's place covers what was yielded: every range of which something is left, from its last yielded key on.
 */
import type { SourcePage } from '../../domain/item.ts';
import type { Log } from '../../domain/log.ts';
import { exitCodes, Stop } from '../../domain/problem.ts';
import type { BucketSource } from '../../domain/settings.ts';
import type { ListedObject, ListPage, ObjectStorage } from '../../domain/storage.ts';
import { Alphabet } from './alphabet.ts';
import { chooseCut } from './cut.ts';
import { commonLength, compareKeys } from '../../domain/key-order.ts';
import { Lane } from './lane.ts';
import { ListingFault, listPage, OrderFault } from './list-page.ts';
import { listPlainly } from './list-plainly.ts';
import { listUnordered } from './list-unordered.ts';
import type { KeyRange, Place } from './place.ts';

/** Cuts with nothing behind them cost a page each: so many are free, and one more for so many pages. */
const freeEmptyCuts = 32;
const pagesAnEmptyCut = 8;
/** A range with less left than this many pages is listed by one listing: a cut costs a page itself. */
const pagesWorthACut = 1;

export interface Listed {
  readonly objects: readonly ListedObject[];
  readonly place: Place;
  readonly isLast: boolean;
  /** Present where the listing began anew in the server's own order: keys that were yielded before come again. */
  readonly anew?: SourcePage['anew'];
}

export interface ListingParts {
  readonly source: BucketSource;
  /** Sorted, none inside another. */
  readonly prefixes: readonly string[];
  readonly storage: Pick<ObjectStorage, 'list'>;
  readonly log: Log;
}

/**
 * Every object under the prefixes from `place` on, once each, in the order of its range; with `parallel: 1` in the order of
 * all. At most `parallel` pages are asked for or wait at a time. Where the server misbehaves, what is left is listed
 * once more by its own tokens alone; where it orders keys in another way, everything is, in its order.
 *
 * @throws ListingFault where that is faulty too; Stop where the storage is lost
 */
export async function* listObjects(parts: ListingParts, place: Place): AsyncGenerator<Listed> {
  if (place.isUnordered === true) {
    warnUnordered(parts, 'its keys came in another order than that of UTF-8 bytes before');
    yield* listUnordered(parts);
    return;
  }
  try {
    yield* listInOrder(parts, place);
    return;
  } catch (error) {
    if (!(error instanceof OrderFault)) throw error;
    warnUnordered(parts, error.message);
  }
  yield* listUnordered(parts);
}

function warnUnordered({ source: { storage, bucket }, log }: ListingParts, why: string): void {
  log.warn(
    `storage "${storage}": listing bucket "${bucket}": ${why}. The server orders keys in a way of its own: going on with one listing from the beginning by its tokens alone. Nothing is planned twice; where the run is interrupted, it lists from the beginning again.`,
  );
}

async function* listInOrder(parts: ListingParts, place: Place): AsyncGenerator<Listed> {
  const listing = new Listing(parts, place);
  try {
    yield* listing.list();
    return;
  } catch (error) {
    if (!(error instanceof ListingFault) || !listing.canFallBack) throw error;
    const { storage, bucket } = parts.source;
    parts.log.warn(
      `storage "${storage}": listing bucket "${bucket}": ${error.message}. Ranges of keys cannot be listed there: going on with one listing from the beginning.`,
    );
  }
  yield* listPlainly(parts, listing.place);
}

interface Arrival {
  readonly lane: Lane;
  /** How many were under way at most when it was asked for. */
  readonly width: number;
  readonly page?: ListPage;
  readonly error?: unknown;
}

class Listing {
  readonly #parts: ListingParts;
  readonly #alphabet = new Alphabet();
  /** In the order of their keys. */
  readonly #lanes: Lane[];
  readonly #arrived: Arrival[] = [];
  #wake: (() => void) | undefined;
  #next: number;
  #inFlight = 0;
  #width: number;
  #pages = 0;
  #emptyCuts = 0;
  /** Objects of the largest page so far. */
  #pageSize = 0;
  #wasStartedAfter = false;
  /** How far the last prefix was listed, once its end was seen: what comes behind that later can be listed still. */
  #end: KeyRange | undefined;

  constructor(parts: ListingParts, place: Place) {
    this.#parts = parts;
    this.#width = parts.source.parallel ?? 1;
    this.#lanes = place.open.map((range) => new Lane(range, false));
    this.#next = place.next;
  }

  /** True where listing by tokens alone would ask something else than was asked so far. */
  get canFallBack(): boolean {
    return this.#wasStartedAfter;
  }

  get place(): Place {
    const open: KeyRange[] = this.#lanes.filter((lane) => !lane.isUnknown);
    if (open.length === 0 && this.#end !== undefined && this.#next === this.#parts.prefixes.length) {
      return { open: [this.#end], next: this.#next };
    }
    return { open, next: this.#next };
  }

  async *list(): AsyncGenerator<Listed> {
    this.#fill();
    if (this.#isOver) yield { objects: [], place: this.place, isLast: true };
    while (!this.#isOver) {
      const arrival = await this.#takeArrival();
      const { lane, page } = arrival;
      if (page === undefined) this.#narrow(arrival);
      else {
        const objects = this.#accept(lane, page);
        if (this.#width > 1) this.#fill();
        if (objects.length > 0 || this.#isOver) {
          yield { objects, place: this.place, isLast: this.#isOver };
        }
        if ((await this.#settleDoubts()) && this.#isOver) {
          yield { objects: [], place: this.place, isLast: true };
        }
      }
      this.#fill();
    }
  }

  get #isOver(): boolean {
    return this.#lanes.length === 0 && this.#next >= this.#parts.prefixes.length;
  }

  #accept(lane: Lane, page: ListPage): readonly ListedObject[] {
    const objects = lane.accept(page);
    this.#pages += 1;
    this.#pageSize = Math.max(this.#pageSize, page.objects.length);
    this.#alphabet.observe(objects.map(({ key }) => key));
    if (objects.length > 0) lane.after = lane.last;
    const left = this.#lanes.find(({ right }) => right?.lane === lane);
    if (left !== undefined) this.#introduce(left, lane);
    if (lane.isListed) this.#close(lane);
    return objects;
  }

  /** The first page of a right half came. */
  #introduce(left: Lane, lane: Lane): void {
    if (lane.first === undefined) {
      this.#emptyCuts += 1;
      left.suspected = measureShared(left);
    } else {
      // The keys part where the left half's last key and this one do, if that was in question at all.
      const parting = commonLength(Array.from(left.last), Array.from(lane.first));
      lane.suspected = Math.min(left.suspected, parting);
    }
    left.meetRight();
    if (left.isListed) this.#close(left);
  }

  /**
   * A range whose end is gone is listed to its end: its neighbour has what comes next. True where there was one.
   *
   * @throws BorderFault where the end is still there, so that the server orders keys in another way
   */
  async #settleDoubts(): Promise<boolean> {
    const doubted = this.#lanes.filter(({ doubt }) => doubt !== undefined);
    for (const lane of doubted) {
      const { doubt } = lane;
      if (doubt !== undefined && !(await this.#isGone(doubt.border))) throw doubt;
      lane.doubt = undefined;
      lane.isListed = true;
      this.#close(lane);
    }
    return doubted.length > 0;
  }

  /** True for a key that was deleted since another listing found it: it would come before all that begins with it. */
  async #isGone(key: string): Promise<boolean> {
    const { source, storage } = this.#parts;
    const page = await storage.list({ storage: source.storage, bucket: source.bucket, prefix: key });
    return !page.objects.some((object) => object.key === key);
  }

  #close(lane: Lane): void {
    this.#lanes.splice(this.#lanes.indexOf(lane), 1);
    const isTail = lane.prefix === this.#parts.prefixes.length - 1 && lane.before === undefined;
    if (!isTail || (lane.isCut && lane.first === undefined)) return;
    if (this.#end === undefined || compareKeys(this.#end.after, lane.after) < 0) {
      this.#end = { prefix: lane.prefix, after: lane.after };
    }
  }

  /** Asks for as many pages as may be under way. */
  #fill(): void {
    while (this.#inFlight < this.#width) {
      const lane = this.#lanes.find((one) => !one.isFetching && !one.isHeld) ?? this.#begin() ?? this.#cut();
      if (lane === undefined) return;
      this.#fetch(lane);
    }
  }

  /** The next prefix that was not begun; without parallel listings, only when the one before is through. */
  #begin(): Lane | undefined {
    if (this.#next >= this.#parts.prefixes.length) return undefined;
    const lane = new Lane({ prefix: this.#next, after: '' }, false);
    this.#next += 1;
    this.#lanes.push(lane);
    return lane;
  }

  /** Cuts the range with most left. */
  #cut(): Lane | undefined {
    if (this.#width === 1 || this.#emptyCuts > freeEmptyCuts + this.#pages / pagesAnEmptyCut)
      return undefined;
    const candidates = this.#lanes
      .filter((lane) => lane.right === undefined && lane.seen > 0 && !lane.isListed)
      .map((lane) => ({ lane, left: lane.guessLeft(this.#alphabet) }))
      .filter(({ left }) => left > this.#pageSize * pagesWorthACut)
      .sort((a, b) => b.left - a.left);
    for (const { lane } of candidates) {
      const { last, ceiling, prefix, before } = lane;
      const shared = Array.from(this.#parts.prefixes[prefix] ?? '').length;
      const isNew = !lane.isCut && ceiling === undefined;
      const suspected = isNew ? measureShared(lane) : lane.suspected;
      const cut = chooseCut({ last, ceiling, shared, suspected }, this.#alphabet);
      if (cut === undefined) continue;
      lane.suspected = suspected;
      const right = new Lane({ prefix, after: cut, before }, true);
      right.ceiling = ceiling;
      lane.right = { lane: right, cut };
      this.#lanes.splice(this.#lanes.indexOf(lane) + 1, 0, right);
      return right;
    }
    return undefined;
  }

  #fetch(lane: Lane): void {
    const { source, prefixes, storage } = this.#parts;
    lane.isFetching = true;
    this.#inFlight += 1;
    if (lane.token === undefined && lane.last !== '') this.#wasStartedAfter = true;
    const request = { prefix: prefixes[lane.prefix] ?? '', after: lane.last, token: lane.token };
    const width = this.#width;
    void listPage(storage, source, request).then(
      (page) => this.#arrive({ lane, width, page }),
      (error: unknown) => this.#arrive({ lane, width, error }),
    );
  }

  #arrive(arrival: Arrival): void {
    this.#inFlight -= 1;
    this.#arrived.push(arrival);
    this.#wake?.();
  }

  async #takeArrival(): Promise<Arrival> {
    for (;;) {
      const arrival = this.#arrived.shift();
      if (arrival !== undefined) {
        arrival.lane.isFetching = false;
        return arrival;
      }
      if (this.#inFlight === 0) throw new Error('a listing is not over, and nothing is under way');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A server that is lost under many requests may bear fewer; one that refuses a cut may take its own tokens. */
  #narrow({ lane, width, error }: Arrival): void {
    if (!(error instanceof Stop)) throw error;
    const isLost = error.exitCode === exitCodes.halted;
    if (!isLost && lane.isUnknown) throw new ListingFault(`listing after "${lane.after}" was refused`);
    if (!isLost || width === 1) throw error;
    if (width > this.#width) return;
    this.#width = Math.floor(this.#width / 2);
    this.#parts.log.warn(`${error.message} Listing ${this.#width} at a time from here on.`);
  }
}

/** How many characters the keys that a lane listed have in common. */
function measureShared({ first, last }: Lane): number {
  return commonLength(Array.from(first ?? last), Array.from(last));
}
