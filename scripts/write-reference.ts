/** Writes `docs/reference/` from the code. Run with: npx tsx scripts/write-reference.ts */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeReference } from './reference/pages.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');

await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(await makeReference())) {
  await writeFile(join(folder, name), text);
  console.log(`docs/reference/${name}`);
}
