/** The examples of docs/sources.md are pipelines that load. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from '../config/project.ts';

test('every source and selection of docs/sources.md loads', async () => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'sources.md'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(blocks.length).toBeGreaterThan(6);
  for (const block of blocks) {
    const source = block.startsWith('source:')
      ? ''
      : 'source: { bucket: { storage: main, bucket: media } }\n';
    const told = await load({ 'pipelines/p.yaml': `${source}${block}services: [{ use: toy/image }]\n` });
    expect([block, told.problems]).toEqual([block, []]);
  }
});
