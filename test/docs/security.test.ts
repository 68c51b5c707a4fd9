/** The page on security names tests that there are, and says of each attack how often, with what outcome, and where. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8');

function readTable(heading: string): readonly (readonly string[])[] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
}

const testsIn = (cell = ''): readonly string[] =>
  [...cell.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, name = '']) => name);

test('every test that the page on security names is there', () => {
  const named = [...page.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([]);
});

test('each who, and each attack or fault, has its test', () => {
  const threats = readTable('Who may be hostile, and what stops them');
  const attacks = readTable('Attacks and faults, tried');
  expect(threats.length).toBeGreaterThan(10);
  expect(attacks.length).toBeGreaterThan(20);
  for (const row of [...threats, ...attacks]) {
    expect({ row, cells: row.length }).toEqual({ row, cells: 4 });
    expect({ row, tests: testsIn(row.at(-1)).length > 0 }).toEqual({ row, tests: true });
  }
});

test('every suite of test/security stands on the page', async () => {
  const { readdir } = await import('node:fs/promises');
  const suites = (await readdir(join(root, 'test', 'security'))).filter((name) => name.endsWith('.test.ts'));
  expect(suites.filter((name) => !page.includes(`test/security/${name}`))).toEqual([]);
});

test('the page counts the tries as the suites make them', () => {
  /** What a suite asks of `tries`, in its order. */
  const triesOf = (suite: string): readonly number[] => {
    const text = readFileSync(join(root, 'test', 'security', `${suite}.test.ts`), 'utf8');
    return [...text.matchAll(/\btries\((\d+)\)/g)].map(([, count]) => Number(count));
  };
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const told = (suite: string, attack: RegExp): string | undefined =>
    readTable('Attacks and faults, tried').find(
      ([what = '', , , tests]) =>
        attack.test(what) && testsIn(tests).includes(`test/security/${suite}.test.ts`),
    )?.[1];
  const [twice = 0, twiceToo = 0, ...once] = triesOf('manifests');
  const damaged = sum(triesOf('faults'));
  expect({
    config: told('config-files', /broken in bytes/),
    // The first two for each form.
    manifests: told('manifests', /^CSV, JSON lines/),
    replies: told('vendor-replies', /^replies/),
    files: told('files', /^plans/),
    twins: told('process-faults', /^two runs/),
    truncated: told('faults', /truncated/),
    flipped: told('faults', /file bit-flipped/),
  }).toEqual({
    config: String(sum(triesOf('config-files'))),
    manifests: (2 * (twice + twiceToo) + sum(once)).toLocaleString('en'),
    replies: expect.stringContaining(`${sum(triesOf('vendor-replies'))} each`) as string,
    files: String(sum(triesOf('files'))),
    twins: String(sum(triesOf('process-faults'))),
    truncated: String(damaged),
    flipped: String(5 * damaged),
  });
});
