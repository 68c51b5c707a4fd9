import { describe, expect, test } from 'vitest';
import type { CheckedFile } from '../../src/cli/spine.ts';
import { makeTerminal, speak } from './desk.ts';

const problem = {
  file: 'pipelines/nightly.yaml',
  line: 8,
  column: 19,
  path: 'services[0].options.tag_top_k',
  message: 'expected a whole number from 1 to 10, found 50.',
};
const unset = {
  ...problem,
  file: 'config/accounts.yaml',
  line: 4,
  column: 62,
  path: 'accounts.p.token',
  message: 'is not set.',
};
const good: CheckedFile = {
  path: 'pipelines/a.yaml',
  problems: [],
  warnings: [],
  about: 'images of media/, pai/image-quality',
};
const checking = (files: readonly CheckedFile[]) => ({ check: async () => files });

describe('check', () => {
  test('prints every problem once with its place, then how many there are, and exits 2', async () => {
    const files = [
      { path: 'pipelines/nightly.yaml', problems: [problem, unset], warnings: [] },
      { path: 'pipelines/other.yaml', problems: [unset], warnings: [] },
      good,
    ];
    expect(await speak('check', checking(files))).toEqual({
      exitCode: 2,
      out:
        'pipelines/nightly.yaml:8:19 services[0].options.tag_top_k: expected a whole number from 1 to 10, found 50.\n' +
        'config/accounts.yaml:4:62 accounts.p.token: is not set.\n' +
        '2 problems in 2 files.\n',
      err: '',
    });
  });

  test('says "1 problem in 1 file."', async () => {
    const { out } = await speak('check', checking([{ path: 'x.yaml', problems: [problem], warnings: [] }]));
    expect(out.split('\n').at(-2)).toBe('1 problem in 1 file.');
  });

  test('without a problem says what each pipeline would do, and exits 0', async () => {
    const files = [good, { ...good, path: 'pipelines/夜间.yaml', about: 'videos' }];
    expect(await speak('check', checking(files))).toEqual({
      exitCode: 0,
      out:
        'ok  pipelines/a.yaml     images of media/, pai/image-quality\n' +
        'ok  pipelines/夜间.yaml  videos\n',
      err: '',
    });
  });

  test('shows warnings on stderr, which change no exit code', async () => {
    const warnings = [{ ...problem, message: 'has no effect.' }];
    const { exitCode, out, err } = await speak('check', checking([{ ...good, warnings }]));
    expect(exitCode).toBe(0);
    expect(out).toContain('ok  pipelines/a.yaml');
    expect(err).toBe('warn pipelines/nightly.yaml:8:19 services[0].options.tag_top_k: has no effect.\n');
  });

  test('hands on the paths and the places', async () => {
    const asked: unknown[] = [];
    const check = async (...given: unknown[]) => {
      asked.push(given);
      return [good];
    };
    await speak('check a.yaml b.yaml --config c', { check });
    expect(asked).toEqual([[['a.yaml', 'b.yaml'], { config: 'c', state: undefined, out: undefined }]]);
  });

  test('with --json prints one document, problems or not', async () => {
    const files = [{ path: 'x.yaml', problems: [problem], warnings: [unset] }, good];
    const bad = await speak('check --json', checking(files));
    expect(bad.exitCode).toBe(2);
    expect(bad.err).toBe('');
    expect(JSON.parse(bad.out)).toEqual({
      pipelines: [{ path: 'x.yaml' }, { path: 'pipelines/a.yaml', about: good.about }],
      problems: [problem],
      warnings: [unset],
    });
  });

  test('of no pipeline at all is wrong use', async () => {
    expect(await speak('check', checking([]))).toEqual({
      exitCode: 2,
      out: '',
      err: 'error mediasweep check: there is no pipeline in pipelines/. Write one, or name its file.\n',
    });
  });

  test('shows control characters of a file instead of obeying them', async () => {
    const hostile = { ...problem, message: 'found "\x1b[2J".' };
    const { out } = await speak('check', checking([{ path: 'x', problems: [hostile], warnings: [] }]));
    expect(out).toContain('found "\\x1b[2J".');
  });

  test('has the colours of its words only', async () => {
    const terminal = makeTerminal({ useColour: true, isTerminal: true });
    const { out } = await speak('check', checking([good]), { terminal });
    expect(out.startsWith('\x1b[32mok\x1b[39m  pipelines/a.yaml')).toBe(true);
  });
});
