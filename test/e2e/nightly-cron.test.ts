/** docs/nightly-cron.md: what it puts into cron runs night after night. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putLibrary } from '../support/outside-world.ts';
import { readCommands, splitWords } from '../support/papers.ts';

test('the commands of the guide do what it says, in its order', async () => {
  const world = await openWorld();
  await putLibrary(world);
  await world.writePipeline(
    'nightly',
    'source: { bucket: { storage: rehearsal, bucket: media } }\nservices: [{ use: pai/image-quality }]\n',
  );
  const said: string[] = [];
  for (const line of await readCommands('nightly-cron.md')) {
    const [program, ...words] = splitWords(line);
    expect(program).toBe('mediasweep');
    const ended = await world.run(...words);
    expect([line, ended.exitCode, ended.err]).toEqual([line, 0, '']);
    said.push(ended.out);
  }
  const [first, second, difference, status, pruned] = said;
  expect(said).toHaveLength(5);
  expect(first).toMatch(/answered\n/);
  expect(second).toMatch(/ reused\n/);
  expect(difference).toContain('new 0   changed 0   gone 0');
  expect(status).toContain('finished (exit 0)');
  expect(pruned).toContain('0 runs');
  const metrics = await readFile(join(world.folder, 'nightly.prom'), 'utf8');
  expect(metrics).toContain('mediasweep_run_exit_code{pipeline="nightly"} 0');
  // The alerts of the guide name metrics that there are.
  const guide = await readFile(join(import.meta.dirname, '../../docs/nightly-cron.md'), 'utf8');
  const named = [...guide.matchAll(/\bmediasweep_\w+/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(5);
  const known = await readFile(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8');
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
}, 120_000);
