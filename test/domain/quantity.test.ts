import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from '../../src/domain/quantity.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['100s', 100_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['180d', 15_552_000_000],
    ['2w', 1_209_600_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    [' 30 m ', 1_800_000],
  ])('reads %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '100',
    's',
    '-5s',
    '1h30m',
    '5 minutes',
    '5M',
    '1e3s',
    '9999999999999w',
    'none',
    '1constructor',
  ])('takes %j for no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each([
    [-5, '0 ms'],
    [0, '0 ms'],
    [850, '850 ms'],
    [999.6, '1 s'],
    [3200, '3.2 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_400, '59 s'],
    [59_500, '1 min 00 s'],
    [725_000, '12 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [32_640_000, '9 h 04 min'],
    [86_399_000, '1 d 00 h'],
    [273_600_000, '3 d 04 h'],
    [86_400_000_000, '1,000 d 00 h'],
  ])('shows %d ms as %s', (ms, shown) => {
    expect(formatDuration(ms)).toBe(shown);
  });
});

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['12B', 12],
    ['12 b', 12],
    ['1KB', 1000],
    ['1kb', 1000],
    ['1KiB', 1024],
    ['100MB', 100_000_000],
    ['1MiB', 1_048_576],
    ['1.5 GB', 1_500_000_000],
    ['2GiB', 2_147_483_648],
    ['1TB', 1_000_000_000_000],
    ['1TiB', 1_099_511_627_776],
  ])('reads %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    '',
    'KB',
    '-1',
    '1.5',
    '0.5B',
    '1 2KB',
    '5 megabytes',
    '1PB',
    '99999999999TB',
    '1e6',
  ])('takes %j for no size', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [1000, '1 KB'],
    [1536, '1.5 KB'],
    [9960, '10 KB'],
    [999_400, '999 KB'],
    [999_500, '1 MB'],
    [20_000_000, '20 MB'],
    [1_234_567_890, '1.2 GB'],
    [1_500_000_000_000_000, '1,500 TB'],
  ])('shows %d bytes as %s', (bytes, shown) => {
    expect(formatSize(bytes)).toBe(shown);
  });
});

describe('counts', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [118_204, '118,204'],
    [1_000_000, '1,000,000'],
  ])('shows %d as %s', (count, shown) => {
    expect(formatCount(count)).toBe(shown);
  });
});
