/** What is installed with the program: pinned by hash, under licences that may be used, and nothing of it runs at installation but the database driver. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isShipped, nameLicence, readLock, renderLicences } from '../../scripts/reference/licences.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const lock = readLock(read('package-lock.json'));
const settings = JSON.parse(read('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};

test('every package of the lockfile is held by its hash, and every dependency is in it', () => {
  expect(lock.size).toBeGreaterThan(100);
  const loose = [...lock].filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true);
  expect(loose.map(([place]) => place)).toEqual([]);
  const wanted = Object.keys({ ...settings.dependencies, ...settings.devDependencies });
  expect(wanted.filter((name) => !lock.has(`node_modules/${name}`))).toEqual([]);
  const sources = Object.values({ ...settings.dependencies, ...settings.devDependencies });
  expect(sources.filter((range) => !/^[~^]?\d+\.\d+\.\d+$/.test(range))).toEqual([]);
});

test('nothing that is shipped runs at installation but the database driver, and no more is allowed to', () => {
  const scripted = [...lock].filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const shipped = scripted.filter(([, one]) => isShipped(one) && one.optional !== true);
  expect(shipped.map(([place]) => place)).toEqual(['node_modules/better-sqlite3']);
  const allowed = Object.keys(settings.allowScripts).filter((name) => settings.allowScripts[name]);
  expect(allowed).toEqual(['better-sqlite3']);
  expect(Object.keys(settings.scripts).filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
});

test('what is shipped is under licences that ask for no more than to be named, and listed; if not: npx tsx scripts/write-licences.ts', () => {
  const known =
    /^(?:MIT|Apache-2\.0|ISC|BSD-[23]-Clause|0BSD|MPL-2\.0|\(.*(?:MIT|Apache-2\.0).*\)|MIT OR Apache-2\.0)$/;
  const strange = [...lock].filter(([, one]) => isShipped(one) && !known.test(nameLicence(one)));
  expect(strange.map(([place, one]) => `${place}: ${nameLicence(one)}`)).toEqual([]);
  expect(read('docs/licences.md')).toBe(renderLicences(read('package-lock.json')));
});
