import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkFiles } from '../../src/config/check.ts';
import { findFolders, openPipeline } from '../../src/config/open.ts';
import { type Stop, wrongUse } from '../../src/domain/problem.ts';
import { toyCatalogue } from '../support/toy-catalogue.ts';

const account = (key: string) =>
  `accounts: { toy-one: { vendor: toy, endpoint: "http://127.0.0.1:1", key: ${key}, secret: "long enough" } }\n`;
const pipeline = 'source: { csv: { path: a.csv } }\nservices: [{ use: toy/image }]\n';

async function makeProject(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'mediasweep-open-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const request = { environment: {}, catalogue: toyCatalogue };

describe('the config of a pipeline', () => {
  test('is config/ of the project, unless config/<its name>/ has accounts of its own', async () => {
    const root = await makeProject({
      'config/accounts.yaml': account('common'),
      'config/apart/accounts.yaml': account('own'),
      'config/prices/toy.yaml':
        'currency: CNY\ntimezone: UTC\nskus: { toy/call: { unit: call, per: 1, price: unknown } }\n',
      'pipelines/common.yaml': pipeline,
      'pipelines/apart.yaml': pipeline,
      'pipelines/prices.yaml': pipeline,
    });
    const keyOf = async (name: string) => {
      const opened = await openPipeline({ ...request, path: join(root, 'pipelines', `${name}.yaml`) });
      return opened.services[0]?.account.credentials['key'];
    };
    expect(await keyOf('common')).toBe('common');
    expect(await keyOf('apart')).toBe('own');
    expect(await keyOf('prices')).toBe('common');
  });

  test('is refused with every problem at once', async () => {
    const root = await makeProject({
      'config/accounts.yaml': account('common'),
      'pipelines/wrong.yaml':
        'source: { csv: { path: a.csv } }\nservices: [{ use: toy/imag, acount: x }]\npolices: none\n',
    });
    const opening = openPipeline({ ...request, path: join(root, 'pipelines', 'wrong.yaml') });
    await expect(opening).rejects.toThrow(/^3 problems in 1 file\.$/);
    const error = await opening.catch((thrown: unknown) => thrown);
    expect((error as Stop).problems.map(({ path }) => path).sort()).toEqual([
      'polices',
      'services[0].acount',
      'services[0].use',
    ]);
  });
});

describe('check', () => {
  const inspect = async () => undefined;

  test('looks at every pipeline of the project, and says what each would do', async () => {
    const root = await makeProject({
      'config/accounts.yaml': account('common'),
      'pipelines/one.yaml': pipeline,
      'pipelines/two.yaml': `${pipeline}policy: none-such\n`,
      'pipelines/notes.txt': 'not a pipeline',
    });
    const { config } = await findFolders(root, {});
    const checked = await checkFiles({
      ...request,
      paths: [],
      folder: root,
      config,
      isConfigNamed: false,
      inspect,
    });
    expect(checked.map(({ path }) => path)).toEqual(['pipelines/one.yaml', 'pipelines/two.yaml']);
    expect(checked[0]?.about).toMatch(/a\.csv -> toy\/image on toy-one; policy none$/);
    expect(checked[1]?.problems.map(({ path }) => path)).toEqual(['policy']);
  });

  test('tells of a source that cannot be read', async () => {
    const root = await makeProject({
      'config/accounts.yaml': account('common'),
      'pipelines/one.yaml': pipeline,
    });
    const { config } = await findFolders(root, {});
    const refuse = async () => {
      throw wrongUse('a.csv: there is no such file.');
    };
    const checked = await checkFiles({
      ...request,
      paths: [],
      folder: root,
      config,
      isConfigNamed: false,
      inspect: refuse,
    });
    expect(checked[0]).toMatchObject({
      problems: [{ file: 'pipelines/one.yaml', path: 'source', message: 'a.csv: there is no such file.' }],
      about: undefined,
    });
  });

  test('of a project without pipelines says where it looked', async () => {
    const root = await makeProject({ 'config/accounts.yaml': account('common') });
    const { config } = await findFolders(root, {});
    const checking = checkFiles({
      ...request,
      paths: [],
      folder: root,
      config,
      isConfigNamed: false,
      inspect,
    });
    await expect(checking).rejects.toThrow('check: found no *.yaml in "pipelines". Name a pipeline file.');
  });
});

describe('folders', () => {
  test('stand beside the nearest config/, wherever the program was started', async () => {
    const root = await makeProject({ 'config/accounts.yaml': '', 'a/b/c.txt': '' });
    expect(await findFolders(join(root, 'a', 'b'), {})).toEqual({
      config: join(root, 'config'),
      state: join(root, '.mediasweep'),
      out: join(root, 'reports'),
    });
  });

  test('that are named win', async () => {
    const root = await makeProject({ 'config/accounts.yaml': '' });
    const named = { config: '/x/config', state: '/x/state', out: '/x/out' };
    expect(await findFolders(root, named)).toEqual(named);
  });
});
