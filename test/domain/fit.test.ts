import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyReason, describeLimits, findMisfit, hasHiddenBounds } from '../../src/domain/fit.ts';
import type { Item, Kind, MediaFacts } from '../../src/domain/item.ts';
import type { MediaLimits } from '../../src/domain/service.ts';
import { catalogue } from '../../src/vendors/index.ts';

const mib = 1024 * 1024;
const limits: MediaLimits = {
  maxBytes: 10 * mib,
  minWidth: 320,
  minHeight: 240,
  maxWidth: 4999,
  maxHeight: 4999,
  maxSeconds: 3600,
  formats: ['mp4', 'mov'],
  source: 'a page',
};

function makeItem(facts: Partial<Item> = {}, kind: Kind = 'video'): Item {
  return { id: 'i', position: new Uint8Array(), kind, ...facts };
}

describe('media outside the limits', () => {
  test.each<[string, Partial<Item>, MediaFacts]>([
    ['fit: 12.4 MB, at most 10 MB', { sizeBytes: 12_400_000 }, {}],
    ['fit: 10.5 MB, at most 10 MB', { sizeBytes: 10 * mib + 1 }, {}],
    ['fit: 12.4 MB, at most 10 MB', {}, { sizeBytes: 12_400_000 }],
    ['fit: 0 B, at least 1 B', { sizeBytes: 0 }, {}],
    ['fit: 239 x 900, at least 320 x 240 pixels', {}, { width: 239, height: 900 }],
    ['fit: 300 x 300, at least 320 x 240 pixels', {}, { width: 300, height: 300 }],
    ['fit: 5000 x 400, at most 4999 x 4999 pixels', {}, { width: 5000, height: 400 }],
    ['fit: 2 h 00 min, at most 1 h 00 min', {}, { durationSeconds: 7200 }],
    ['fit: 2 h 00 min, at most 1 h 00 min', { durationSeconds: 7200 }, { durationSeconds: 1 }],
    ['fit: webm, one of mp4 mov', {}, { format: 'webm' }],
  ])('is told as "%s"', (reason, facts, media) => {
    expect(findMisfit(limits, makeItem(facts), media)).toBe(reason);
  });

  test('excludes nothing that is within, on its side, or not known', () => {
    const inside: readonly [Partial<Item>, MediaFacts][] = [
      [{}, {}],
      [{ sizeBytes: 10 * mib }, { width: 320, height: 240, durationSeconds: 3600, format: 'mov' }],
      [{ sizeBytes: 10_000_001 }, { width: 240, height: 320 }],
      [{}, { width: 4999 }],
    ];
    for (const [facts, media] of inside) expect(findMisfit(limits, makeItem(facts), media)).toBeUndefined();
    expect(findMisfit(limits, makeItem({ sizeBytes: 0 }, 'post'), { width: 1, height: 1 })).toBeUndefined();
  });

  test('needs a look into the file only where the listing does not tell', () => {
    const sized = makeItem({ sizeBytes: 5 });
    expect(hasHiddenBounds(limits, sized)).toBe(true);
    expect(hasHiddenBounds({ maxBytes: 10, source: '' }, sized)).toBe(false);
    expect(hasHiddenBounds({ maxBytes: 10, source: '' }, makeItem())).toBe(true);
    expect(hasHiddenBounds({ source: '' }, makeItem())).toBe(false);
    expect(hasHiddenBounds(limits, makeItem({}, 'post'))).toBe(false);
  });

  test('is counted by its limit, so that a million sizes are one reason', () => {
    const big = fc.integer({ min: 10 * mib + 1, max: Number.MAX_SAFE_INTEGER });
    const long = fc.double({ min: 3601, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(big, long, fc.nat(239), (sizeBytes, durationSeconds, width) => {
        const reasons = [
          findMisfit(limits, makeItem({ sizeBytes })),
          findMisfit(limits, makeItem({ durationSeconds })),
          findMisfit(limits, makeItem(), { width, height: 1000 }),
        ];
        expect(reasons.map((reason) => classifyReason(reason ?? ''))).toEqual([
          'fit: at most 10 MB',
          'fit: at most 1 h 00 min',
          'fit: at least 320 x 240 pixels',
        ]);
      }),
    );
    expect(classifyReason('no-link: the row has no url, and its storage is not known')).toContain(', and');
  });
});

describe('limits of the catalogue', () => {
  const limitsOf = (name: string): MediaLimits =>
    catalogue.flatMap(({ services }) => services).find((service) => service.name === name)?.limits ?? {
      source: '',
    };

  test('are printed as the vendor wrote them', () => {
    expect(describeLimits(limits)).toBe(
      'at most 10 MB, at least 320 x 240 pixels, at most 4999 x 4999 pixels, at most 1 h 00 min, one of mp4 mov',
    );
    expect(describeLimits({ maxBytes: 1000, source: '' })).toBe('at most 1 KB');
    expect(describeLimits({ source: '' })).toBe('no documented limits');
  });

  test('never leave out what the vendor takes: its own samples, either reading of MB, and any picture with faces', () => {
    const image = (sizeBytes: number) => makeItem({ sizeBytes }, 'image');
    for (const bytes of [5_000_000, 5 * mib])
      expect(findMisfit(limitsOf('pai/image-quality'), image(bytes))).toBeUndefined();
    // The video of the manual's batch sample, 568 high.
    const upright = { width: 320, height: 568, durationSeconds: 18.2 };
    expect(findMisfit(limitsOf('pai/video-quality'), makeItem(), upright)).toBeUndefined();
    for (const name of ['pai/face-attributes', 'pai/face-age'])
      expect(findMisfit(limitsOf(name), image(9e7), { width: 90, height: 90 })).toBeUndefined();
  });
});
