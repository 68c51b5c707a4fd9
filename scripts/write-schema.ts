/** Writes `schema/*.json` from the shapes of config files. Run with: npx tsx scripts/write-schema.ts */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSchemas } from '../src/config/schema.ts';
import { catalogue } from '../src/vendors/index.ts';

const folder = join(import.meta.dirname, '..', 'schema');

await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(makeSchemas(catalogue))) {
  await writeFile(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
  console.log(`schema/${name}`);
}
