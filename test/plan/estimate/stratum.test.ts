import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { extrapolate, Stratum } from '../../../src/plan/estimate/stratum.ts';

/** From 0 to 1, the same in every run of the test. */
function chance(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32;
}

/** Videos of three sizes; the larger ones are longer, and every one has a length of its own. */
function listLengths(seed: number): readonly { readonly size: number; readonly frames: number }[] {
  return Array.from({ length: 2500 }, (_, index) => {
    const size = index % 10 < 6 ? 0 : index % 10 < 9 ? 1 : 2;
    const base = [10, 120, 900][size] as number;
    return { size, frames: Math.ceil(base * (0.4 + 1.2 * chance(`${seed}/${index}`))) };
  });
}

function sample(videos: ReturnType<typeof listLengths>, share: number, seed: number) {
  const strata = [new Stratum(), new Stratum(), new Stratum()];
  for (const [index, { size, frames }] of videos.entries()) {
    const stratum = strata[size] as Stratum;
    if (chance(`draw ${seed}/${index}`) < share) stratum.look({ sku: frames }, frames > 800 ? ['long'] : []);
    else stratum.pass({ sku: 120 }, ['unknown']);
  }
  return extrapolate(strata);
}

describe('a sample scaled up', () => {
  test('holds the true total in about 95 cases of 100, and is not off to one side', () => {
    let held = 0;
    let error = 0;
    const draws = 150;
    for (let seed = 0; seed < draws; seed += 1) {
      const videos = listLengths(seed);
      const truth = videos.reduce((sum, { frames }) => sum + frames, 0);
      const told = sample(videos, 0.1, seed)?.units.get('sku');
      if (!told) throw new Error('nothing was told');
      expect(told.low).toBeLessThanOrEqual(told.units);
      expect(told.high).toBeGreaterThanOrEqual(told.units);
      if (told.low <= truth && truth <= told.high) held += 1;
      error += told.units / truth - 1;
    }
    expect(held / draws).toBeGreaterThan(0.9);
    expect(held / draws).toBeLessThanOrEqual(0.99);
    expect(Math.abs(error / draws)).toBeLessThan(0.005);
  });

  test('is narrower with strata than all in one', () => {
    const videos = listLengths(1);
    const spread = (one: ReturnType<typeof extrapolate>) => {
      const { low, high } = one?.units.get('sku') ?? { low: 0, high: 0 };
      return high - low;
    };
    const alike = videos.map((video) => ({ ...video, size: 0 }));
    expect(spread(sample(videos, 0.05, 1))).toBeLessThan(spread(sample(alike, 0.05, 1)) / 2);
  });

  test('is exact where everything was looked at', () => {
    const videos = listLengths(2).slice(0, 50);
    const truth = videos.reduce((sum, { frames }) => sum + frames, 0);
    expect(sample(videos, 1, 1)?.units.get('sku')).toEqual({ units: truth, low: truth, high: truth });
  });

  test('takes together what says too little alone, and says nothing where next to nothing was looked at', () => {
    const [seen, unseen] = [new Stratum(), new Stratum()];
    for (let index = 0; index < 10; index += 1) seen.look({ sku: 4 }, []);
    for (let index = 0; index < 10; index += 1) unseen.pass({ sku: 99 }, []);
    expect(extrapolate([seen, unseen])?.units.get('sku')?.units).toBe(80);
    expect(extrapolate([unseen])).toBeUndefined();
    const [one] = [new Stratum()];
    one.look({ sku: 4 }, []);
    one.pass({ sku: 9 }, []);
    expect(extrapolate([one])).toBeUndefined();
  });

  test('takes as many others together as two looks need, where each stratum is a file or two', () => {
    const strata = [4, 8, 6].map((frames) => {
      const stratum = new Stratum();
      stratum.look({ sku: frames }, []);
      return stratum;
    });
    const unseen = new Stratum();
    for (let index = 0; index < 4; index += 1) unseen.pass({ sku: 600 }, []);
    const told = extrapolate([...strata, unseen])?.units.get('sku');
    // Two looks of whole strata stand for the four that were not looked at; the third stays by itself.
    expect(told?.units).toBeGreaterThanOrEqual(18);
    expect(told?.units).toBeLessThanOrEqual(7 * 8);
    expect(told?.high).toBeGreaterThan(told?.units ?? 0);
  });

  test('scales up how many tasks an assumption stands in for', () => {
    const videos = listLengths(3);
    const long = videos.filter(({ frames }) => frames > 800).length;
    const told = sample(videos, 0.5, 3)?.assumed.get('long') ?? 0;
    expect(Math.abs(told / long - 1)).toBeLessThan(0.2);
  });
});
