/** Reports and artifacts on the disk: whole or not at all, and nowhere else. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openArtifactFolder } from '../../src/store/artifact-folder.ts';
import { openReportFolder, tryReportFolder } from '../../src/store/report-folder.ts';

let out: string;

beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'mediasweep-out-'));
});

afterEach(async () => {
  await rm(out, { recursive: true });
});

describe('a report folder', () => {
  test('writes a file whole, in the order of its texts', async () => {
    const folder = openReportFolder(out, 'nightly', 'run-1');
    const lines = Array.from({ length: 20_000 }, (_, index) => `row ${index} 数据\n`);
    await folder.write('items.csv', async (sink) => {
      for (const line of lines) await sink.write(line);
    });
    expect(folder.path).toBe(join(out, 'nightly', 'run-1'));
    expect(await readFile(join(folder.path, 'items.csv'), 'utf8')).toBe(lines.join(''));
    expect(await readdir(folder.path)).toEqual(['items.csv']);
  });

  test('keeps the old file where the new one fails halfway', async () => {
    const folder = openReportFolder(out, 'nightly', 'run-1');
    await folder.write('items.csv', (sink) => sink.write('old'));
    const failing = folder.write('items.csv', async (sink) => {
      await sink.write('x'.repeat(200_000));
      throw new Error('the ledger was closed');
    });
    await expect(failing).rejects.toThrow('the ledger was closed');
    expect(await readFile(join(folder.path, 'items.csv'), 'utf8')).toBe('old');
    expect(await readdir(folder.path)).toEqual(['items.csv']);
  });

  test('is rid of what killed writers of this machine left, in all runs of the pipeline, and of nothing else', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const host = hostname().replaceAll(/[^\w.-]/g, '_');
    const dead = `.${host}-${child.pid}-1.part`;
    const kept = [
      `.${host}-${process.ppid}-1.part`,
      `.elsewhere-${child.pid}-1.part`,
      '.notes.part',
      'items.csv',
    ];
    const folders = [join(out, 'nightly'), join(out, 'nightly', 'run-0'), join(out, 'nightly', 'artifacts')];
    for (const folder of folders) {
      await mkdir(folder, { recursive: true });
      for (const name of [dead, ...kept]) await writeFile(join(folder, name), 'half');
    }
    await openReportFolder(out, 'nightly', 'run-1').write('bill.csv', (sink) => sink.write('bill'));
    for (const folder of folders) {
      const names = await readdir(folder);
      expect(names).toEqual(expect.arrayContaining(kept));
      expect(names).not.toContain(dead);
    }
  });

  test('shows nothing of a file until it is whole', async () => {
    const folder = openReportFolder(out, 'nightly', 'run-1');
    await folder.write('items.csv', async (sink) => {
      await sink.write('x'.repeat(200_000));
      await expect(stat(join(folder.path, 'items.csv'))).rejects.toMatchObject({ code: 'ENOENT' });
    });
    expect((await stat(join(folder.path, 'items.csv'))).size).toBe(200_000);
  });

  test('leads latest to the newest run by a relative link', async () => {
    await openReportFolder(out, 'nightly', 'run-1').markLatest();
    expect(await readlink(join(out, 'nightly', 'latest'))).toBe('run-1');
    const second = openReportFolder(out, 'nightly', 'run-2');
    await second.write('bill.csv', (sink) => sink.write('bill'));
    await second.markLatest();
    expect(await readlink(join(out, 'nightly', 'latest'))).toBe('run-2');
    expect(await readFile(join(out, 'nightly', 'latest', 'bill.csv'), 'utf8')).toBe('bill');
    expect((await readdir(join(out, 'nightly'))).sort()).toEqual(['latest', 'run-1', 'run-2']);
  });

  test('is tried before anything is spent, and tells a place that cannot be written', async () => {
    await tryReportFolder(join(out, 'deep', 'er'), 'nightly');
    expect(await readdir(join(out, 'deep', 'er', 'nightly'))).toEqual([]);
    await writeFile(join(out, 'file'), '');
    await expect(tryReportFolder(join(out, 'file'), 'nightly')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^report folder ".*nightly": something else stands there/) as string,
    });
    await expect(tryReportFolder('/proc/nowhere', 'nightly')).rejects.toMatchObject({
      exitCode: 2,
      message: 'report folder "/proc/nowhere/nightly": there is no such folder. Make it, or name another.',
    });
    // The superuser may write where others may not; the kernel's own files are for nobody.
    await expect(tryReportFolder('/sys', 'nightly')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^report folder "\/sys\/nightly": it cannot be written: E\w+/) as string,
    });
  });

  test('says so where something else is called latest', async () => {
    await mkdir(join(out, 'nightly', 'latest', 'mine'), { recursive: true });
    await expect(openReportFolder(out, 'nightly', 'run-1').markLatest()).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^link ".*latest": something else stands there.*Move it away/) as string,
    });
    expect((await readdir(join(out, 'nightly'))).sort()).toEqual(['latest', 'run-1']);
  });

  test.each([
    '../items.csv',
    'a/b.csv',
    '',
    '.',
    '..',
    'a\0b',
    'a\\b',
  ])('refuses the name %j', async (name) => {
    const folder = openReportFolder(out, 'nightly', 'run-1');
    await expect(folder.write(name, (sink) => sink.write('x'))).rejects.toThrow('is not a name for a file');
    expect(() => openReportFolder(out, 'nightly', name)).toThrow('is not a name for a file');
    expect(() => openReportFolder(out, name, 'run-1')).toThrow('is not a name for a file');
  });

  test('names the folder where a file stands in its way', async () => {
    await writeFile(join(out, 'nightly'), '');
    await expect(
      openReportFolder(out, 'nightly', 'run-1').write('items.csv', (sink) => sink.write('x')),
    ).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^report folder ".*run-1": something else stands there/) as string,
    });
  });

  test('says so where the disk is full', async () => {
    const folder = openReportFolder(out, 'nightly', 'run-1');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    await expect(folder.write('items.csv', () => Promise.reject(full))).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /^file "items\.csv" in ".*run-1": the disk is full: .*Free some space, then run again to go on\.$/,
      ) as string,
    });
  });
});

describe('an artifact folder', () => {
  const bytes = new TextEncoder().encode('an image');
  const hash = createHash('sha256').update(bytes).digest('hex');

  test('names what it saves by its content', async () => {
    const artifact = await openArtifactFolder(out, 'nightly').save(bytes, 'png', 'image/png');
    expect(artifact).toEqual({ path: `artifacts/${hash}.png`, mediaType: 'image/png', bytes: 8 });
    expect(await readFile(join(out, 'nightly', artifact.path), 'utf8')).toBe('an image');
  });

  test('saves the same content once', async () => {
    const folder = openArtifactFolder(out, 'nightly');
    const saved = await Promise.all([1, 2, 3].map(() => folder.save(bytes, 'png', 'image/png')));
    const before = await stat(join(out, 'nightly', saved[0]?.path ?? ''));
    await folder.save(bytes, 'png', 'image/png');
    expect(await readdir(join(out, 'nightly', 'artifacts'))).toEqual([`${hash}.png`]);
    expect((await stat(join(out, 'nightly', saved[0]?.path ?? ''))).ino).toBe(before.ino);
  });

  test('mends a file that was cut short', async () => {
    const path = join(out, 'nightly', 'artifacts', `${hash}.png`);
    await mkdir(join(out, 'nightly', 'artifacts'), { recursive: true });
    await writeFile(path, 'an i');
    await openArtifactFolder(out, 'nightly').save(bytes, 'png', 'image/png');
    expect(await readFile(path, 'utf8')).toBe('an image');
  });

  test.each([
    ['../../etc/x', 'bin'],
    ['.PNG', 'png'],
    ['', 'bin'],
    ['a/b', 'bin'],
    ['waytoolongname', 'bin'],
  ])('makes of the extension %j .%s', async (extension, expected) => {
    const artifact = await openArtifactFolder(out, 'nightly').save(bytes, extension, 'image/png');
    expect(artifact.path).toBe(`artifacts/${hash}.${expected}`);
  });

  test('is not led away by a link in a file’s place', async () => {
    const elsewhere = join(out, 'elsewhere');
    await writeFile(elsewhere, 'not mine');
    await mkdir(join(out, 'nightly', 'artifacts'), { recursive: true });
    await symlink(elsewhere, join(out, 'nightly', 'artifacts', `${hash}.png`));
    await openArtifactFolder(out, 'nightly').save(bytes, 'png', 'image/png');
    expect(await readFile(elsewhere, 'utf8')).toBe('not mine');
    expect(await readFile(join(out, 'nightly', 'artifacts', `${hash}.png`), 'utf8')).toBe('an image');
  });
});
