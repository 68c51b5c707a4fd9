/** Every command of docs/cost.md, in its order, over one ledger: what is estimated, spent, told and laid beside an export. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { dayOf } from '../../src/domain/pricing.ts';
import { openWorld, putLibrary } from '../support/outside-world.ts';

const guide = join(import.meta.dirname, '..', '..', 'docs', 'cost.md');

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - { use: pai/image-labels, when: { service: pai/image-quality, metric: iqa_result, is: "< 50" } }
  - { use: pai/video-quality, batch: 3 }
`;

/** The commands of the guide, for this account and month. */
async function listCommands(month: string): Promise<readonly (readonly string[])[]> {
  const lines = (await readFile(guide, 'utf8')).split('\n').filter((line) => line.startsWith('mediasweep '));
  return lines.map((line) => {
    const here = line.replaceAll('pai-prod', 'pai-rehearsal').replaceAll('2026-11', month);
    return (here.match(/(?:"[^"]*"|[^\s"]+)+/g) ?? []).slice(1).map((word) => word.replaceAll('"', ''));
  });
}

test('the commands of the guide do what it says', async () => {
  const world = await openWorld({ jobMs: 100 });
  await putLibrary(world);
  await world.writePipeline('nightly', pipeline);
  const month = dayOf(Date.now(), 'Asia/Shanghai').slice(0, 7);
  const commands = await listCommands(month);
  const names = commands.map(([name]) => name);
  expect(names).toEqual(['estimate', 'run', ...Array(5).fill('cost'), 'reconcile', 'reconcile']);
  const [estimate = [], run = [], ...costs] = commands;

  const estimated = await world.run(...estimate, '--json');
  expect({ exitCode: estimated.exitCode, err: estimated.err }).toMatchObject({ exitCode: 0 });
  const ran = await world.run(...run);
  expect({ exitCode: ran.exitCode, err: ran.err }).toMatchObject({ exitCode: 0 });
  const reports = join(world.folder, 'reports', 'nightly', 'latest');
  const summary = JSON.parse(await readFile(join(reports, 'summary.json'), 'utf8'));
  const basic = summary.units['pai/basic'] as number;
  // The estimate counts every item that a condition may let go: what was saved is the rest.
  const told = JSON.parse(estimated.out).skus.find(({ sku }: { sku: string }) => sku === 'pai/basic');
  expect(told.units - basic).toBe(summary.saved?.units['pai/basic'] ?? 0);

  const [overview = [], closer = [], table = [], page = [], chinese = [], byDay = [], byJob = []] = costs;
  const shown = await world.run(...overview);
  expect(shown).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining(`${month} by account and sku`) as string,
  });
  expect(shown.out).toContain('by stand-ins, which bill nobody');
  const near = await world.run(...closer, '--json');
  const prefixes = JSON.parse(near.out).prefixes as readonly { prefix: string; observed: number }[];
  expect(prefixes.map(({ prefix }) => prefix)).toContain('media/ugc/');
  const units = Object.values(summary.units as Record<string, number>).reduce((sum, count) => sum + count, 0);
  expect(prefixes.reduce((sum, { observed }) => sum + observed, 0)).toBe(units);
  expect((await world.run(...table)).exitCode).toBe(0);
  const rows: Record<string, string>[] = parse(await readFile(join(world.folder, 'cost.csv')), {
    bom: true,
    columns: true,
  });
  expect(rows).toMatchObject([
    { month, pipeline: 'nightly', units_observed: String(units), complete: 'true' },
  ]);
  expect((await world.run(...page)).exitCode).toBe(0);
  expect(await readFile(join(world.folder, 'cost.html'), 'utf8')).toContain(`Cost of ${month}`);
  expect((await world.run(...chinese)).exitCode).toBe(0);
  expect(await readFile(join(world.folder, 'cost.html'), 'utf8')).toContain('lang="zh-CN"');

  // An export as a vendor might write it, from what the ledger says; then one of another opinion.
  const days = await world.run('cost', '--by', 'day,sku', '--csv', '-');
  const known: Record<string, string>[] = parse(days.out, { columns: true });
  const spec = (sku = '') => (sku === 'pai/basic' ? 'Basic' : 'Advanced');
  const lines = known.map(
    (row) => `${row['day']} 12:00:00,${spec(row['sku'])},${row['units_observed']},${row['charge']}`,
  );
  await writeFile(join(world.folder, 'usage.csv'), ['Date,Spec,Usage,Amount', ...lines, ''].join('\r\n'));
  const same = await world.run(...byDay);
  expect({ exitCode: same.exitCode, err: same.err }).toEqual({ exitCode: 0, err: '' });
  expect(same.out).toContain(`by day and SKU: ${lines.length} matched`);
  await writeFile(
    join(world.folder, 'usage.csv'),
    ['Date,Spec,Usage,Amount', `${month}-01,Basic,7,0`, ''].join('\n'),
  );
  const other = await world.run(...byDay, '--json');
  expect(other.exitCode).toBe(1);
  expect(JSON.parse(other.out).counts).toMatchObject({ matched: 0 });

  const tasks = (await readFile(join(reports, 'tasks.jsonl'), 'utf8')).trim().split('\n');
  const jobs = tasks.map((line) => JSON.parse(line)).filter(({ jobId }) => jobId !== null);
  const counts = new Map<string, number>();
  for (const { jobId } of jobs) counts.set(jobId, (counts.get(jobId) ?? 0) + 1);
  const listed = [...counts].map(([job, count]) => `${job},Advanced,${count}`);
  const twice = [...listed.slice(1), listed[1] ?? '', 'job-of-another,Advanced,1'];
  await writeFile(join(world.folder, 'jobs.csv'), ['JobId,Spec,Usage', ...twice, ''].join('\n'));
  const laid = await world.run(...byJob, '--json');
  expect(laid.exitCode).toBe(1);
  const { by, differences } = JSON.parse(laid.out);
  expect(by).toBe('id');
  const found = (differences as { result: string; id?: string; note: string }[]).map(({ result, id }) => [
    result,
    id,
  ]);
  expect(found).toContainEqual(['theirs-only', 'job-of-another']);
  expect(found).toContainEqual(['theirs-only', listed[1]?.split(',')[0]]);
  expect(found).toContainEqual(['ours-only', listed[0]?.split(',')[0]]);
  const written = await readFile(join(world.folder, 'differences.csv'), 'utf8');
  expect(written).toContain('listed more than once');
  expect(written).toContain('calls that had no job');
});
