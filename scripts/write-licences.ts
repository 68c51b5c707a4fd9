/** Writes `docs/licences.md` from the lockfile. Run with: npx tsx scripts/write-licences.ts */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderLicences } from './reference/licences.ts';

const root = join(import.meta.dirname, '..');

await writeFile(
  join(root, 'docs', 'licences.md'),
  renderLicences(await readFile(join(root, 'package-lock.json'), 'utf8')),
);
