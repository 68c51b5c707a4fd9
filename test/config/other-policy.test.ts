/** A policy that stands in for a pipeline's own: where it is looked for, and what is said of it. */
import { describe, expect, test } from 'vitest';
import { findFolders, openOtherPolicy } from '../../src/config/open.ts';
import { formatProblem, Stop } from '../../src/domain/problem.ts';
import { toyCatalogue } from '../support/toy-catalogue.ts';
import { type Changes, environment, withProject } from './project.ts';

const written = {
  source: { bucket: { storage: 'main', bucket: 'media' } },
  services: [{ use: 'toy/image' }],
  policy: 'strict',
};

/** Names, rules and warnings; or the problems, the project's folder cut off. */
async function open(policyFile: string, changes: Changes = {}) {
  return await withProject(changes, async (folder) => {
    const folders = await findFolders(folder, {});
    const path = policyFile.replace('FOLDER', folder);
    const given = { name: 'p', written, folders, environment, catalogue: toyCatalogue, policyFile: path };
    const cut = (text: string) => text.replaceAll(`${folder}/`, '').replaceAll(folder, '.');
    try {
      const { policy, warnings } = await openOtherPolicy(given);
      return {
        name: policy.name,
        rules: policy.rules.length,
        warnings: warnings.map((one) => cut(formatProblem(one))),
      };
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { problems: error.problems.map((one) => cut(formatProblem(one))) };
    }
  });
}

const rule = '{ service: toy/image, metric: quality, is: "< 1", verdict: review }';

describe('another policy', () => {
  test('is found by its name, by a path, and in a pipeline', async () => {
    const changes = {
      'config/policies/milder.yaml': `rules: [${rule}]\n`,
      'drafts/new.yaml': `rules: [${rule}, ${rule}]\n`,
      'pipelines/named.yaml': 'source: {}\npolicy: milder\n',
      'pipelines/inline.yaml': `services: []\npolicy: { rules: [${rule}] }\n`,
      'pipelines/bare.yaml': 'services: []\n',
    };
    const names = [
      'milder',
      'FOLDER/drafts/new.yaml',
      'FOLDER/pipelines/named.yaml',
      'FOLDER/pipelines/inline.yaml',
    ];
    const found = await Promise.all(
      [...names, 'FOLDER/pipelines/bare.yaml', 'none'].map((name) => open(name, changes)),
    );
    expect(found.map(({ name, rules }) => [name, rules])).toEqual([
      ['milder', 1],
      ['new', 2],
      ['milder', 1],
      ['inline', 1],
      ['none', 0],
      ['none', 0],
    ]);
  });

  test('that names a service of no use here is a warning at its place', async () => {
    const other = '{ service: elsewhere, metric: x, is: "< 1", verdict: review }';
    expect(
      await open('FOLDER/new.yaml', { 'new.yaml': `rules:\n  - ${rule}\n  - ${other}\n` }),
    ).toMatchObject({
      rules: 2,
      warnings: [
        expect.stringMatching(
          /^new\.yaml:3:16 rules\[1\]\.service: there is no service "elsewhere" in this pipeline, so/,
        ),
      ],
    });
  });

  const faults: readonly (readonly [string, Changes, string | RegExp])[] = [
    [
      'strct',
      {},
      'config/policies:1:1: there is no policy "strct", and no file of that name here. Did you mean "strict"?',
    ],
    ['FOLDER/gone.yaml', {}, 'gone.yaml:1:1: there is no such file. Check the path.'],
    [
      'FOLDER/new.yaml',
      {
        'new.yaml': 'rules:\n  - { service: toy/image, metric: quality, is: "about 1", verdict: review }\n',
      },
      /^new\.yaml:2:48 rules\[0\]\.is: expected .*, found "about 1"\.$/,
    ],
    ['FOLDER/new.yaml', { 'new.yaml': 'rules: [\n' }, /^new\.yaml:2:1: /],
    [
      'FOLDER/new.yaml',
      { 'new.yaml': 'rulez: []\n' },
      /^new\.yaml:1:1 rulez: unknown key "rulez"\. Did you mean "rules"\?$/,
    ],
    [
      'milder',
      { 'config/policies/milder.yaml': 'rules: 3\n' },
      /^config\/policies\/milder\.yaml:1:8 rules: expected a list of rules, found 3\.$/,
    ],
    [
      'FOLDER/other.yaml',
      { 'other.yaml': 'services: []\npolicy: milder\n' },
      /^other\.yaml:2:9 policy: there is no policy "milder" in .*config\/policies\./,
    ],
  ];
  test.each(faults)('%s: a fault is told with its place', async (name, changes, message) => {
    const { problems } = await open(name, changes);
    expect(problems?.[0]).toMatch(message);
  });
});
