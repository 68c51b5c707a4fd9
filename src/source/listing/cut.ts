/**
 * Where a range of keys is cut in two. Only speed depends on it: wherever the cut falls, both halves together hold the
 * same keys.
 *
 * Nothing says beforehand where keys lie. While their common beginning is not known, the cut falls behind everything
 * that shares a part of the last key, half of what is in question at a time: the right half shows at once whether keys
 * lie there. Once it is known where keys part, the cut falls in the middle of the characters seen at that place.
 */
import { type Alphabet, findFirst } from './alphabet.ts';
import { commonLength, compareKeys } from '../../domain/key-order.ts';

/** Behind all that people use, and still a character that XML may hold. */
const lastCharacter = '\u{10FFFD}';
/** The longest key of S3, in bytes. AWS, "Naming Amazon S3 objects", read 2026-11-20. */
const longestKeyBytes = 1024;
/** With so many characters seen at a place, others are not guessed at. */
const enoughCharacters = 8;
/** How many places behind the first that differs are looked at. */
const placesLookedAt = 12;

export interface CutQuestion {
  /** The last key that was listed. */
  readonly last: string;
  /** No key is known at or behind this; absent for the end of the prefix. */
  readonly ceiling?: string | undefined;
  /** Length of what all keys of the range are known to share without a ceiling: the prefix, in characters. */
  readonly shared: number;
  /** How many characters the keys listed so far share, where it is not known whether those to come do too. */
  readonly suspected: number;
}

/** A key, there or not, between `last` and `ceiling`; `undefined` where no good place is known. */
export function chooseCut(question: CutQuestion, alphabet: Alphabet): string | undefined {
  const last = Array.from(question.last);
  const ceiling = question.ceiling === undefined ? undefined : Array.from(question.ceiling);
  const shared = ceiling === undefined ? question.shared : commonLength(last, ceiling);
  const suspected = Math.min(question.suspected, last.length);
  const cut =
    suspected > shared
      ? last.slice(0, shared + Math.ceil((suspected - shared) / 2)).join('') + lastCharacter
      : chooseMiddle(last, ceiling?.[shared], shared, alphabet);
  if (cut === undefined || compareKeys(question.last, cut) >= 0) return undefined;
  if (question.ceiling !== undefined && compareKeys(cut, question.ceiling) >= 0) return undefined;
  return Buffer.byteLength(cut) > longestKeyBytes ? undefined : cut;
}

function chooseMiddle(
  last: readonly string[],
  limit: string | undefined,
  shared: number,
  alphabet: Alphabet,
): string | undefined {
  for (let place = shared; place <= Math.min(last.length, shared + placesLookedAt); place += 1) {
    const low = last[place]?.codePointAt(0) ?? -1;
    const high = (place === shared ? limit?.codePointAt(0) : undefined) ?? 0x10fffd;
    const middle = chooseCharacter(low, high, place, alphabet);
    if (middle !== undefined) return last.slice(0, place).join('') + String.fromCodePoint(middle);
  }
  return undefined;
}

/** A code point between two, both exclusive. */
function chooseCharacter(low: number, high: number, place: number, alphabet: Alphabet): number | undefined {
  const here = alphabet.at(place);
  const seen = findMedian(here, low, high);
  if (seen !== undefined || here.length >= enoughCharacters) return seen;
  return findMedian(alphabet.all, low, high) ?? guessMiddle(low, high);
}

function findMedian(sorted: readonly number[], low: number, high: number): number | undefined {
  const from = findFirst(sorted, low + 1);
  const to = findFirst(sorted, high);
  return from < to ? sorted[from + Math.floor((to - from) / 2)] : undefined;
}

/** Scripts lie close together: twice the low one before the far middle. */
function guessMiddle(low: number, high: number): number | undefined {
  const middle = Math.min(Math.floor((low + high) / 2), Math.max(low, 0x20) * 2);
  if (middle <= low || middle >= high) return undefined;
  return middle >= 0xd800 && middle < 0xe000 ? undefined : middle;
}
