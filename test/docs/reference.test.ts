/** `docs/reference/` says what the code says, about everything that there is. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeReference } from '../../scripts/reference/pages.ts';
import { exitCodes } from '../../src/domain/problem.ts';
import { catalogue } from '../../src/vendors/index.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'reference');

test('the reference is what the code would write: npx tsx scripts/write-reference.ts', async () => {
  const made = await makeReference();
  const names = (await readdir(folder)).sort();
  expect(names).toEqual(Object.keys(made).sort());
  for (const name of names) expect(await readFile(join(folder, name), 'utf8')).toBe(made[name]);
});

test('the reference names every service, SKU and exit code, and no error row is left without a reaction', async () => {
  const {
    'services.md': services = '',
    'exit-codes.md': exits = '',
    'errors.md': errors = '',
  } = await makeReference();
  for (const vendor of catalogue) {
    for (const { name } of vendor.services) expect(services).toContain(`## ${name}\n`);
    for (const { name } of vendor.skus) expect(services).toContain(`\`${name}\``);
  }
  for (const exit of Object.values(exitCodes)) expect(exits).toContain(`| ${exit} |`);
  const rows = errors.split('\n').filter((line) => /^\| (?:\d|\s*\|)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  const reacted = rows.filter((line) =>
    /\| (?:slow-down|try-again|give-up|halt the \w+|unknown) \|/.test(line),
  );
  expect(reacted).toEqual(rows);
});
