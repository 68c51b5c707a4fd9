/** Whether two runs came to the same reports, but for what belongs to one run alone. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { formatNano, parseNano } from '../../src/domain/money.ts';

/**
 * Every file of both folders, byte by byte, once run ids, times, job ids and what a single task was charged are taken out. The
 * charges of all tasks together must be the same.
 */
export async function expectSameReports(one: string, other: string): Promise<void> {
  const [names, otherNames] = await Promise.all([one, other].map(listNames));
  expect(names).toEqual(otherNames);
  expect(names).toContain('tasks.jsonl');
  for (const name of names ?? []) {
    const [text, otherText] = await Promise.all([one, other].map((folder) => readNormal(folder, name)));
    expect({ name, text }).toEqual({ name, text: otherText });
  }
}

async function listNames(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).toSorted((one, other) => (one < other ? -1 : 1));
}

async function readNormal(folder: string, name: string): Promise<string> {
  const { run } = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')) as { run: string };
  const text = await readFile(join(folder, name), 'utf8');
  const normal = (name === 'tasks.jsonl' ? cutTasks(text) : text)
    .replaceAll(run, 'RUN')
    .replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, 'INSTANT')
    .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?/g, 'TIME');
  // What it took, beside when it was.
  return name === 'report.html'
    ? normal.replaceAll(/(<\/time>[^<]*<\/span> · <span>)[^<]+(<\/span>)/g, '$1TOOK$2')
    : normal;
}

function cutTasks(text: string): string {
  let sum = 0n;
  const lines = text.trimEnd().split('\n').filter(Boolean);
  const tasks = lines.map((line) => {
    const { jobId, charge, ...task } = JSON.parse(line) as { jobId: string | null; charge: string };
    sum += parseNano(charge) ?? 0n;
    return JSON.stringify({ ...task, hasJob: jobId !== null });
  });
  return [...tasks, `charge ${formatNano(sum)}`].join('\n');
}
