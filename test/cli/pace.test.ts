import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/cli/pace.ts';
import { makeProgress } from './desk.ts';

const at = (pace: Pace, seconds: number, answered: number, planned = 1000, isListed = true) =>
  pace.read(makeProgress({ isListed, planned, answered }), seconds * 1000);

describe('the pace', () => {
  test('is that of the last ten seconds', () => {
    const pace = new Pace();
    at(pace, 0, 0);
    at(pace, 10, 500);
    expect(at(pace, 15, 500).perSecond).toBeCloseTo(500 / 15);
    expect(at(pace, 20, 510).perSecond).toBeCloseTo(1);
    expect(at(pace, 40, 510).perSecond).toBe(0);
  });

  test('counts failed and held tasks as done', () => {
    const pace = new Pace();
    pace.read(makeProgress({ planned: 10, isListed: true }), 0);
    const reading = pace.read(
      makeProgress({ planned: 10, isListed: true, answered: 1, failed: 2, held: 3 }),
      1000,
    );
    expect(reading.perSecond).toBe(6);
    expect(reading.leftMs).toBeCloseTo(4000 / 6);
  });

  test('foresees the end over the last minute', () => {
    const pace = new Pace();
    at(pace, 0, 0);
    at(pace, 30, 300);
    const reading = at(pace, 60, 300);
    expect(reading.perSecond).toBe(0);
    expect(reading.leftMs).toBeCloseTo((700 / 5) * 1000);
  });

  test.each([
    ['while media is still listed', 300, 1000, false],
    ['when nothing is left', 1000, 1000, true],
    ['when nothing moves', 0, 1000, true],
  ])('foresees no end %s', (_, answered, planned, isListed) => {
    const pace = new Pace();
    at(pace, 0, 0, planned, isListed);
    expect(at(pace, 10, answered, planned, isListed).leftMs).toBeUndefined();
  });

  test('of the first moment is 0', () => {
    expect(new Pace().read(makeProgress({ answered: 5 }), 0)).toEqual({ perSecond: 0, leftMs: undefined });
  });

  test('goes by the last two readings where they are far apart', () => {
    const pace = new Pace();
    at(pace, 0, 0);
    at(pace, 60, 60);
    expect(at(pace, 120, 180).perSecond).toBe(2);
  });
});
