/** What `init` asks a person for, and what it makes of flags. */
import { describe, expect, test } from 'vitest';
import type { InitResult } from '../../src/cli/spine.ts';
import type { DraftAnswers } from '../../src/domain/draft.ts';
import { toyCatalogue } from '../support/toy-catalogue.ts';
import { makeTerminal, speak } from './desk.ts';

const result: InitResult = {
  pipeline: 'pipelines/nightly.yaml',
  written: ['pipelines/nightly.yaml', 'config/storages.yaml'],
  kept: ['config/accounts.yaml'],
  unset: ['S3_KEY', 'S3_SECRET'],
  problems: [{ file: 'config/accounts.yaml', line: 1, column: 1, path: 'accounts', message: 'hm.' }],
};

async function begin(line: string | readonly string[], replies?: readonly (string | undefined)[]) {
  const asked: string[] = [];
  const answers: DraftAnswers[] = [];
  const left = [...(replies ?? [])];
  const ask = async (question: string) => {
    asked.push(question);
    return left.shift();
  };
  const terminal = { ...makeTerminal({ isTerminal: true }), ...(replies && { ask }) };
  const spoken = await speak(
    line,
    {
      catalogue: async () => toyCatalogue,
      init: async (folder, given) => {
        answers.push(given);
        return { ...result, pipeline: `${folder}/pipelines/${given.name}.yaml` };
      },
    },
    { terminal },
  );
  return { ...spoken, asked, answers };
}

describe('init', () => {
  test('takes everything from flags where nobody can be asked', async () => {
    const { exitCode, answers, out } = await begin([
      ...'init audit --name lib --bucket media --prefix ugc/ --endpoint https://s3.example --region r-1'.split(
        ' ',
      ),
      ...'--timezone Asia/Shanghai --use toy/image toy/watch --cap'.split(' '),
      '100 CNY',
    ]);
    expect(exitCode).toBe(0);
    expect(answers).toEqual([
      {
        name: 'lib',
        source: { form: 'bucket', bucket: 'media', prefix: 'ugc/' },
        endpoint: 'https://s3.example',
        region: 'r-1',
        services: ['toy/image', 'toy/watch'],
        cap: '100 CNY',
        timezone: 'Asia/Shanghai',
      },
    ]);
    expect(out).toBe(`wrote  pipelines/nightly.yaml
wrote  config/storages.yaml
kept   config/accounts.yaml (was there)
config/accounts.yaml:1:1 accounts: hm.

next:
  export S3_KEY=... S3_SECRET=...
  mediasweep check audit/pipelines/lib.yaml
  mediasweep doctor audit/pipelines/lib.yaml
  mediasweep estimate audit/pipelines/lib.yaml
  mediasweep run audit/pipelines/lib.yaml --limit 20
`);
  });

  test('asks for what flags leave open, and an empty line takes what stands in brackets', async () => {
    const { asked, answers } = await begin('init --name lib', ['', '', '', '', '', '', '']);
    expect(asked).toEqual([
      'where the media is: a bucket, or a file that lists it (.csv, .jsonl) [bucket]: ',
      'name of the bucket [media]: ',
      'only keys that begin with, empty for all: ',
      'address of the store, empty for AWS: ',
      'region [us-east-1]: ',
      'services, by number or name, separated by commas [1]: ',
      'money that one run may not pass, or none [100 CNY]: ',
    ]);
    expect(answers).toMatchObject([
      {
        name: 'lib',
        source: { bucket: 'media', prefix: '' },
        services: [expect.any(String)],
        cap: '100 CNY',
      },
    ]);
    expect(answers[0]).not.toHaveProperty('endpoint');
  });

  test('asks again where an answer cannot be used, and nothing of a store for a manifest', async () => {
    const { answers, err } = await begin('init', ['', 'list.csv', '99', 'toy/image, 2', 'much', 'none']);
    expect(answers).toMatchObject([
      {
        name: 'nightly',
        source: { form: 'csv', path: 'list.csv' },
        services: ['toy/image', expect.any(String)],
      },
    ]);
    expect(answers[0]).not.toHaveProperty('cap');
    expect(err).toContain('there is no 99\n');
    expect(err).toContain('expected an amount such as 100 CNY\n');
  });

  test('writes nothing where the person leaves', async () => {
    const { exitCode, err, answers } = await begin('init', ['nightly', undefined]);
    expect([exitCode, answers]).toEqual([2, []]);
    expect(err).toContain('init: ended before the last question. Nothing was written.');
  });

  test.each([
    ['init', 'expected one of --bucket, --csv and --jsonl, and --use, since there is no terminal to ask on.'],
    ['init --csv a.csv', 'expected --use, since there is no terminal to ask on.'],
    ['init --csv a.csv --bucket b --use x', 'cannot be used with option'],
    ['init --csv a.csv --use x --cap much', 'expected an amount such as 100CNY'],
  ])('%s without a terminal is refused', async (line, message) => {
    const { exitCode, err } = await begin(line);
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
  });

  test('prints one document with --json', async () => {
    const { out } = await begin('init --csv a.csv --use x --json');
    expect(JSON.parse(out)).toEqual({ ...result, pipeline: './pipelines/nightly.yaml' });
  });
});
