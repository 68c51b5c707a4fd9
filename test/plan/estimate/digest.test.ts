import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Digest, measureChange } from '../../../src/plan/estimate/digest.ts';

function digest(ids: readonly string[]) {
  const sum = new Digest();
  for (const id of ids) sum.add(id, 'image');
  return sum.read();
}

const name = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `content-${from + index}`);

describe('the digest of a library', () => {
  test('is the same whatever the order, and another one where anything is added, left out, doubled or replaced', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 30 }), fc.nat(), (ids, pick) => {
        const whole = digest(ids);
        expect(digest(ids.toReversed())).toEqual(whole);
        const at = pick % ids.length;
        const changes = [
          [...ids, 'one more'],
          ids.toSpliced(at, 1),
          [...ids, ids[at] as string],
          ids.toSpliced(at, 1, `${ids[at]} changed`),
        ];
        for (const changed of changes) expect(digest(changed).sum).not.toBe(whole.sum);
      }),
    );
  });

  test('tells an image from a video of the same content', () => {
    const [one, other] = [new Digest(), new Digest()];
    one.add('a', 'image');
    other.add('a', 'video');
    expect(one.read().sum).not.toBe(other.read().sum);
  });
});

describe('the share that two libraries do not have in common', () => {
  test('is none for the same one and all for another one', () => {
    expect(measureChange(digest(name(900)), digest(name(900).reverse()))).toBe(0);
    expect(measureChange(digest(name(900)), digest(name(900, 5000)))).toBe(1);
    expect(measureChange(digest([]), digest([]))).toBe(0);
    expect(measureChange(digest([]), digest(['a']))).toBe(1);
  });

  test('is exact for small libraries', () => {
    // 10 of 110 are in one of them only.
    expect(measureChange(digest(name(100)), digest(name(110)))).toBeCloseTo(10 / 110, 10);
    expect(measureChange(digest(name(100)), digest(name(100, 1)))).toBeCloseTo(2 / 101, 10);
  });

  test.each([
    [100_000, 1000],
    [100_000, 5000],
    [50_000, 25_000],
  ])('is told within five hundredths for %i items of which %i are new', (count, fresh) => {
    const told = measureChange(digest(name(count)), digest(name(count + fresh)));
    expect(Math.abs(told - fresh / (count + fresh))).toBeLessThan(0.05);
  });

  test('holds no more than 512 hashes of a library of any size', () => {
    expect(digest(name(3000)).least).toHaveLength(512);
  });
});
