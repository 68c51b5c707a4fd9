/** After the run: another policy, people's decisions, and the night after, through the command line. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { expect, test } from 'vitest';
import { openWorld, putLibrary } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
policy: { rules: [{ name: poor, service: pai/image-quality, metric: iqa_result, is: "< 101", verdict: review }] }
`;

const draft = `rules:
  - { name: any, service: pai/image-quality, metric: iqa_result, is: ">= 0", verdict: block }
`;

test('flips are listed without a call, and decisions hold for the content the night after', async () => {
  const world = await openWorld();
  await putLibrary(world);
  const path = await world.writePipeline('nightly', pipeline);
  expect((await world.run('run', path)).exitCode).toBe(0);
  const folder = join(world.folder, 'reports', 'nightly');
  const readRows = async (name: string, bom = true) => {
    const text = await readFile(join(folder, 'latest', name), 'utf8');
    return parse(text, { columns: true, bom }) as Record<string, string>[];
  };
  const requests = world.emulators['pai']?.state().requests;

  await writeFile(join(world.folder, 'draft.yaml'), draft);
  const judged = await world.run(
    'judge',
    'nightly',
    '--policy',
    'draft.yaml',
    '--csv',
    'flips.csv',
    '--show',
    '2',
  );
  expect(judged.out).toMatch(/ policy inline -> draft: 14 flips \(14 review -> block\), of 21 items\n/);
  expect(judged.out).toContain('all rows: flips.csv');
  const flips = parse(await readFile(join(world.folder, 'flips.csv'), 'utf8'), { columns: true, bom: true });
  expect(flips).toHaveLength(14);
  const misspelt = await world.run('judge', 'nightly', '--policy', 'strct');
  expect([misspelt.exitCode, misspelt.err]).toEqual([2, expect.stringContaining('Did you mean "strict"?')]);

  const review = await readRows('review.csv');
  expect(review).toHaveLength(14);
  const [first, second, third] = review as [
    Record<string, string>,
    Record<string, string>,
    Record<string, string>,
  ];
  const decided = review.map((row) => ({
    ...row,
    decision: row === first ? 'pass' : row === second ? '屏蔽' : row === third ? 'perhaps' : '',
    comment: row === first ? 'fine at dusk' : '',
  }));
  // As a spreadsheet of another country saves it.
  const saved = stringify(decided, { header: true, delimiter: ';', bom: true });
  await writeFile(join(world.folder, 'decided.csv'), saved);
  const imported = await world.run('review', 'import', 'decided.csv', '--by', 'anna');
  expect(imported.exitCode).toBe(1);
  expect(imported.err).toContain('decided.csv:4: decision: expected pass, review, block or clear');
  expect(imported.out).toBe(
    '2 decisions of anna stored (1 block, 1 pass); 11 rows without one; 1 row not understood\n',
  );
  const listed = JSON.parse((await world.run('review', 'list', '--json')).out);
  expect(listed.decisions).toMatchObject([
    { verdict: 'block', by: 'anna', item: second['item'] },
    { verdict: 'pass', by: 'anna', item: first['item'], comment: 'fine at dusk' },
  ]);

  // The night after: one image replaced, which was decided on, and the decisions respected from now on.
  const fresh = await readFile(
    join(import.meta.dirname, '../../src/rehearsal/library/banners/colour-bars.png'),
  );
  await world.put(second['key'] ?? '', Buffer.concat([fresh, Buffer.from('again')]), 'image/png');
  await world.writePipeline('nightly', `${pipeline}reports: { respect: decisions }\n`);
  const again = await world.run('run', path);
  expect(again.exitCode).toBe(0);
  const verdicts = new Map(
    (await readRows('items.csv')).map((row) => [row['item'], [row['verdict'], row['reasons']]]),
  );
  expect(verdicts.get(first['item'])).toEqual(['pass', 'decided by anna']);
  expect(verdicts.get(second['item'])).toEqual(['review', 'poor']);
  expect((await readRows('review.csv')).map((row) => row['decided'])).toEqual(Array(13).fill(''));
  expect(world.emulators['pai']?.state().requests).toBe((requests ?? 0) + 1);

  const summary = JSON.parse(await readFile(join(folder, 'latest', 'summary.json'), 'utf8'));
  expect(summary.change).toMatchObject({ new: 0, changed: 1, gone: 0, newlyFlagged: 0 });
  expect(again.out).toContain('new 0   changed 1   gone 0');
  const diff = JSON.parse((await world.run('diff', 'nightly~1', 'nightly', '--moved', '0', '--json')).out);
  expect(diff.change).toMatchObject({ changed: 1 });
  expect(diff.differences).toMatchObject([
    { item: first['item'], change: 'same', verdict_before: 'review', verdict: 'pass' },
    { item: second['item'], change: 'changed', label: 'iqa_result' },
  ]);
});
