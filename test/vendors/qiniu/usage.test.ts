import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item, MediaFacts } from '../../../src/domain/item.ts';
import type { Account } from '../../../src/domain/settings.ts';
import { videoCensor } from '../../../src/vendors/qiniu/video-censor.ts';

const ask = (
  vframe: { mode?: 0 | 1; interval?: number } | undefined,
  item: Partial<Item>,
  media: MediaFacts = {},
  assume: Account['assume'] = {},
) =>
  videoCensor.usage({
    item: { id: 'a', position: new Uint8Array(), ...item },
    media,
    use: { options: { ops: [{ op: 'politician' }, { op: 'terror' }], vframe }, unitsPerCall: 1 },
    assume,
  });
const both = (units: number) => ({ 'qiniu/politician-image': units, 'qiniu/terror-image': units });

describe('mode 0', () => {
  it.each([
    [10, 5, 2],
    [10.001, 5, 3],
    [26.4, 5, 6],
    [0.2, 5, 1],
    [3600, 60, 60],
    [6.6, 1.1, 6],
    [7.7, 1.1, 7],
  ])('of %d s every %d s cuts %i frames', (durationSeconds, interval, frames) => {
    expect(ask({ mode: 0, interval }, { durationSeconds })).toEqual({
      units: both(frames),
      basis: 'estimated',
    });
  });

  it('has an interval of 5 s by default', () => {
    expect(ask({ mode: 0 }, { durationSeconds: 20 }).units).toEqual(both(4));
  });

  it('cuts at least one frame, and all frames lie below the duration', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.integer({ min: 1000, max: 60_000 }),
        (ms, stepMs) => {
          const frames =
            ask({ mode: 0, interval: stepMs / 1000 }, { durationSeconds: ms / 1000 }).units[
              'qiniu/terror-image'
            ] ?? 0;
          expect(frames).toBeGreaterThanOrEqual(1);
          expect((frames - 1) * stepMs).toBeLessThan(ms);
          expect(frames * stepMs).toBeGreaterThanOrEqual(ms);
        },
      ),
    );
  });

  it('takes the duration of the manifest before that of the file', () => {
    expect(ask({ mode: 0 }, { durationSeconds: 50 }, { durationSeconds: 5 }).units).toEqual(both(10));
    expect(ask({ mode: 0 }, {}, { durationSeconds: 5 }).units).toEqual(both(1));
  });

  it('assumes 600 s, or what the account says, where the duration is unknown, and names it', () => {
    expect(ask({ mode: 0 }, {})).toEqual({
      units: both(120),
      basis: 'estimated',
      assumptions: ['videos of unknown duration last 600 s'],
    });
    expect(ask({ mode: 0 }, { durationSeconds: 0 }, {}, { durationSeconds: 60 })).toEqual({
      units: both(12),
      basis: 'estimated',
      assumptions: ['videos of unknown duration last 60 s'],
    });
  });
});

describe('mode 1, the default', () => {
  it('counts the key frames of the file, whatever the interval', () => {
    const media = { durationSeconds: 100, keyFrames: 17 };
    expect(ask({ interval: 5 }, {}, media)).toEqual({ units: both(17), basis: 'estimated' });
    expect(ask(undefined, { durationSeconds: 3 }, media).units).toEqual(both(17));
    expect(ask({ mode: 1 }, {}, { keyFrames: 0 }).units).toEqual(both(1));
  });

  it('counts what an index names that may leave key frames out, and says so', () => {
    const media = { durationSeconds: 100, keyFrames: 17, hasSparseIndex: true };
    expect(ask({ mode: 1 }, {}, media)).toEqual({
      units: both(17),
      basis: 'estimated',
      assumptions: ['MKV, WebM and fragmented MP4 have no key frames but those that their index names'],
    });
    expect(ask({ mode: 0, interval: 50 }, {}, media)).toEqual({ units: both(2), basis: 'estimated' });
  });

  it('needs the key frames of a file only in mode 1', () => {
    const needs = (mode: 0 | 1) => videoCensor.pricedBy?.({ ops: [{ op: 'pulp' }], vframe: { mode } });
    expect(needs(0)).toEqual(['durationSeconds']);
    expect(needs(1)).toEqual(['durationSeconds', 'keyFrames']);
  });

  it('assumes a key frame every 2 s, or what the account says, where the file has no index, and names it', () => {
    expect(ask(undefined, { durationSeconds: 9 })).toEqual({
      units: both(5),
      basis: 'estimated',
      assumptions: ['videos without an index have a key frame every 2 s'],
    });
    expect(ask(undefined, {}, {}, { keyFrameGapSeconds: 10 })).toEqual({
      units: both(60),
      basis: 'estimated',
      assumptions: [
        'videos of unknown duration last 600 s',
        'videos without an index have a key frame every 10 s',
      ],
    });
  });
});
