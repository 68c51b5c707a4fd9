/** A range of keys that is being listed, and how much of it is probably left. */
import type { ListedObject, ListPage } from '../../domain/storage.ts';
import { type Alphabet, findFirst } from './alphabet.ts';
import { commonLength, compareKeys } from '../../domain/key-order.ts';
import { BorderFault } from './list-page.ts';
import type { KeyRange } from './place.ts';

/** Places that count when a distance is measured. */
const placesMeasured = 3;

export class Lane {
  readonly prefix: number;
  readonly isCut: boolean;
  /** The last key that was yielded, or where the range begins; exclusive. */
  after: string;
  /** The last key that was listed. */
  last: string;
  before: string | undefined;
  /** No key was found at or behind this; a guess, by which cuts are chosen. */
  ceiling: string | undefined;
  /** Characters that its keys are suspected to share. */
  suspected = 0;
  first: string | undefined;
  /** Keys listed so far. */
  seen = 0;
  token: string | undefined;
  isFetching = false;
  isListed = false;
  /** What was cut off behind, until its first key is known: till then this lane lists no further than the cut. */
  right: { readonly lane: Lane; readonly cut: string } | undefined;
  /** The first key of a page that lay behind the cut. */
  spilled: string | undefined;

  /** `isCut`: nothing of it was listed yet, so whether there is a key in it is not known. */
  constructor(range: KeyRange, isCut: boolean) {
    this.prefix = range.prefix;
    this.after = range.after;
    this.last = range.after;
    this.before = range.before;
    this.ceiling = range.before;
    this.isCut = isCut;
  }

  /** A key behind its end came before that end did, and whether the end is gone has to be asked. */
  doubt: BorderFault | undefined;

  /** Waiting for its right neighbour to show its first key, or for what it doubts. */
  get isHeld(): boolean {
    return (this.right !== undefined && this.spilled !== undefined) || this.doubt !== undefined;
  }

  /** True until the first page of what was cut off came. */
  get isUnknown(): boolean {
    return this.isCut && this.seen === 0 && !this.isListed;
  }

  /** Takes a page in, and answers those of its objects that belong to this lane. */
  accept(page: ListPage): readonly ListedObject[] {
    const limit = this.right === undefined ? this.before : `${this.right.cut}\0`;
    const end = limit === undefined ? page.objects.length : findEnd(page.objects, limit);
    const objects = page.objects.slice(0, end);
    this.token = page.isTruncated ? page.nextToken : undefined;
    this.first ??= objects[0]?.key;
    this.last = objects.at(-1)?.key ?? this.last;
    this.seen += objects.length;
    if (end < page.objects.length && this.right !== undefined) {
      const next = page.objects[end]?.key ?? '';
      if (this.#isAtEnd(next)) this.isListed = true;
      else this.spilled = next;
    } else {
      this.isListed = !page.isTruncated || this.#isAtEnd(page.objects[end]?.key);
    }
    return objects;
  }

  /**
   * True at the key that the neighbour began with. Between both nothing is left out then, whatever the server's order.
   * At a key behind that one it is doubted: the server orders keys in another way, or that one is gone.
   */
  #isAtEnd(key: string | undefined): boolean {
    const { before } = this;
    if (key === undefined || before === undefined || compareKeys(key, before) < 0) return false;
    if (key === before) return true;
    this.doubt = new BorderFault(before, key, this.last);
    return false;
  }

  /** The first page of what was cut off came: where this lane really ends is known now. */
  meetRight(): void {
    if (this.right === undefined) return;
    const { lane, cut } = this.right;
    this.right = undefined;
    if (lane.first === undefined) this.ceiling = cut;
    else {
      this.before = lane.first;
      this.ceiling = cut;
    }
    const { spilled } = this;
    if (spilled === undefined) return;
    this.spilled = undefined;
    this.isListed = this.#isAtEnd(spilled);
    // A key that the right lane did not see, since it came later or the server skipped it, is listed by this one.
    this.token = undefined;
  }

  /** About how many keys are left, from how far it has come. */
  guessLeft(alphabet: Alphabet): number {
    const first = Array.from(this.first ?? this.last);
    const last = Array.from(this.last);
    const ceiling = this.ceiling === undefined ? undefined : Array.from(this.ceiling);
    const shared = commonLength(first, ceiling ?? last);
    const from = ceiling === undefined ? Math.min(shared, this.suspected) : shared;
    const begun = measure(first, from, alphabet);
    const come = measure(last, from, alphabet);
    const whole = ceiling === undefined ? 1 : measure(ceiling, from, alphabet);
    return (this.seen * Math.max(0, whole - come)) / Math.max(come - begun, 1e-9);
  }
}

function findEnd(objects: readonly ListedObject[], limit: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(objects[middle]?.key ?? '', limit) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a key stands between 0 and 1 among all that its alphabet could spell behind `from`. */
function measure(key: readonly string[], from: number, alphabet: Alphabet): number {
  let sum = 0;
  let weight = 1;
  for (let place = from; place < Math.min(key.length, from + placesMeasured); place += 1) {
    const known = alphabet.at(place);
    weight /= known.length + 1;
    sum += findFirst(known, key[place]?.codePointAt(0) ?? 0) * weight;
  }
  return Math.min(sum, 1);
}
