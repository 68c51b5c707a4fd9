/** The traps that the vendors' pages name are held by tests that exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Where a test or a recorded exchange of that short name lies. */
function locate(name: string): string {
  const exchange = /^exchanges\/(\w+)\/(.+)$/.exec(name);
  if (exchange) return join(root, 'test', 'fixtures', exchange[1] ?? '', 'exchanges', exchange[2] ?? '');
  return join(root, 'test', name.startsWith('domain/') ? name : join('vendors', name));
}

describe.each(['pai', 'qiniu'])('the traps of %s', (vendor) => {
  const page = readFileSync(join(root, 'src', 'vendors', vendor, 'README.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| \d{1,2} \|/.test(line));
  const named = rows.flatMap((row) => [...row.matchAll(/`([\w./-]+\.(?:ts|json))`: "(.+?)"(?=; `| \|)/g)]);

  test('are a table in which each has a test', () => {
    expect(rows.length).toBeGreaterThan(20);
    const without = rows.filter((row) => !/`[\w./-]+\.(?:ts|json)`: /.test(row));
    expect(without).toEqual([]);
  });

  test('name tests and exchanges that there are', () => {
    expect(named.length).toBeGreaterThan(20);
    const gone = named.filter(([, file = '', title = '']) => {
      const text = readFileSync(locate(file), 'utf8');
      return !text.includes(title) && !text.includes(title.replaceAll("'", "\\'"));
    });
    expect(gone.map(([whole]) => whole)).toEqual([]);
  });
});
