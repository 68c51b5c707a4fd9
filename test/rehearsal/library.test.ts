/** The media library is what its table says, and the table is what ffprobe says. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listLibrary, measureFile } from '../../scripts/measure-library.ts';
import {
  type LibraryRow,
  libraryFolder,
  loadLibrary,
  loadTable,
  makeKnownMedia,
  nameOnDisk,
} from '../../src/rehearsal/library.ts';
import { seedLibrary } from '../../src/rehearsal/seed.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { findMissingPrograms } from '../support/programs.ts';
import { describeReal } from '../support/server.ts';

const table = await loadTable();
const images = table.filter((row) => row.mediaType.startsWith('image/'));
const videos = table.filter((row) => row.mediaType.startsWith('video/'));
const typesOf = (rows: readonly LibraryRow[]): number => new Set(rows.map((row) => row.mediaType)).size;

describe('the library', () => {
  it('has at least 12 images in 4 formats and 6 videos in 5 containers, below 1.5 MB in all', () => {
    expect(images.length).toBeGreaterThanOrEqual(12);
    expect(typesOf(images)).toBe(4);
    expect(videos.length).toBeGreaterThanOrEqual(6);
    expect(typesOf(videos)).toBe(5);
    expect(table.reduce((sum, row) => sum + row.bytes, 0)).toBeLessThan(1_500_000);
  });

  it('has what a real one has: small and large pictures, short and long videos, awkward names', () => {
    expect(images.some((row) => row.width < 240 && row.height < 240)).toBe(true);
    expect(images.some((row) => row.width >= 1000)).toBe(true);
    expect(videos.some((row) => row.durationSeconds === 1)).toBe(true);
    expect(videos.some((row) => (row.durationSeconds ?? 0) >= 12)).toBe(true);
    for (const awkward of ['用户上传/', ' ', '+', '%', '(']) {
      expect(table.some((row) => row.path.includes(awkward))).toBe(true);
    }
  });

  it('has an mp4 with its index first and one with its index last', () => {
    const isIndexFirst = (path: string): boolean => {
      const bytes = readFileSync(join(libraryFolder, path));
      return bytes.indexOf('moov') < bytes.indexOf('mdat');
    };
    expect(isIndexFirst('videos/index-first.mp4')).toBe(true);
    expect(isIndexFirst('videos/index-last.mp4')).toBe(false);
  });

  it('is its table: the same files, lengths and hashes', async () => {
    expect(table.map((row) => row.path)).toEqual(await listLibrary());
    for (const row of table) {
      const bytes = readFileSync(join(libraryFolder, nameOnDisk(row.path)));
      expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([
        row.bytes,
        row.sha256,
      ]);
    }
  });

  it('holds no file twice, so that a hash names one of them', async () => {
    const known = makeKnownMedia(await loadLibrary());
    expect(known.size).toBe(table.length);
    const { sha256 = '' } = table.find((row) => row.path === 'videos/index-last.mp4') ?? {};
    expect(known.get(sha256)).toEqual({
      width: 320,
      height: 180,
      durationSeconds: 12.028,
      framesPerSecond: 10,
      keyFramesMs: [0, 3000, 6000, 9000],
    });
  });

  it('lies in the store after seeding, and a second seeding changes nothing', async () => {
    const shelf = await openShelf(makeMemoryVault());
    await seedLibrary(shelf, { bucket: 'media', prefix: 'in/', nowMs: 1_000_000 });
    const first = shelf.listObjects('media');
    await seedLibrary(shelf, { bucket: 'media', prefix: 'in/', nowMs: 9_000_000 });
    expect(shelf.listObjects('media')).toEqual(first);
    expect(first.map((object) => [object.key, object.sizeBytes, object.contentType])).toEqual(
      table.map((row) => [`in/${row.path}`, row.bytes, row.mediaType]),
    );
    await shelf.put('media', `in/${table[0]?.path}`, Buffer.from('other'), { lastModifiedMs: 1_000_000 });
    await seedLibrary(shelf, { bucket: 'media', prefix: 'in/', nowMs: 9_000_000 });
    expect(shelf.listObjects('media')[0]?.lastModifiedMs).toBe(9_000_000);
  });
});

describeReal('ffprobe', findMissingPrograms(['ffprobe', 'ffmpeg']), () => {
  it.each(table.map((row) => row.path))('measures %j as the table has it', async (path) => {
    expect(await measureFile(path)).toEqual(table.find((row) => row.path === path));
  });

  it.each(videos.map((row) => row.path))('%j plays without an error', (path) => {
    const args = ['-v', 'error', '-xerror', '-i', join(libraryFolder, nameOnDisk(path)), '-f', 'null', '-'];
    expect(() => execFileSync('ffmpeg', args, { stdio: 'pipe' })).not.toThrow();
  });

  it('finds one picture that is much darker than the rest', () => {
    const brightness = images.map((row) => {
      const args = [
        '-v',
        'error',
        '-i',
        join(libraryFolder, row.path),
        '-frames:v',
        '1',
        '-vf',
        'scale=1:1,format=gray',
        '-f',
        'rawvideo',
        '-',
      ];
      return { path: row.path, level: execFileSync('ffmpeg', args, { stdio: 'pipe' })[0] ?? 255 };
    });
    const dark = brightness.find(({ path }) => path.includes('dark'));
    expect(dark?.level).toBeLessThan(60);
    expect(statSync(join(libraryFolder, dark?.path ?? '')).size).toBeLessThan(10_000);
  });
});
