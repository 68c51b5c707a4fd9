/** What `mediasweep catalogue SERVICE` offers to paste passes `mediasweep check`, for every service that there is. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { catalogue } from '../../src/vendors/index.ts';
import { runCommand } from '../support/command.ts';

const config = join(import.meta.dirname, '..', '..', 'config', 'rehearsal');
const names = catalogue.flatMap((vendor) => vendor.services.map(({ name }) => name));

/** The lines from `services:` on, without the indentation of the page. */
function readPasted(page: string): string {
  const lines = page.split('\n');
  const first = lines.findIndex((line) => /^\s*services:$/.test(line));
  const indent = /^\s*/.exec(lines[first] ?? '')?.[0] ?? '';
  const rest = lines.slice(first);
  const end = rest.findIndex((line, index) => index > 0 && !line.startsWith(`${indent}  `));
  return rest
    .slice(0, end < 0 ? undefined : end)
    .map((line) => line.slice(indent.length))
    .join('\n');
}

test('each example passes, without a warning', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-paste-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'pipelines'));
  const source = 'source: { bucket: { storage: rehearsal, bucket: media } }';
  const paths = names.map((name) => join('pipelines', `${name.replace('/', '-')}.yaml`));
  for (const [index, name] of names.entries()) {
    const page = await runCommand(['catalogue', name], { folder });
    const pasted = readPasted(page.out);
    expect(pasted).toContain(`use: ${name}`);
    await writeFile(join(folder, paths[index] ?? ''), `${source}\n${pasted}\n`);
  }
  const checked = await runCommand(['check', ...paths, '--config', config, '--json'], { folder });
  const { pipelines, problems, warnings } = JSON.parse(checked.out);
  expect([checked.exitCode, problems, warnings]).toEqual([0, [], []]);
  expect(pipelines).toHaveLength(names.length);
});
