/** What came of a run: its own books, held against what the vendors saw and against what one machine makes of the same media. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ground } from './ground.ts';

interface BillLine {
  readonly sku: string;
  readonly units_observed: number;
  readonly units_estimated: number;
  readonly units_uncertain: number;
}

export interface Books {
  readonly counts: Readonly<Record<string, number>>;
  readonly folder: string;
  /** Of image calls, by the bill. */
  readonly known: number;
  readonly uncertain: number;
}

export async function readBooks(out: string): Promise<Books> {
  const { counts, folder } = JSON.parse(out) as Pick<Books, 'counts' | 'folder'>;
  const { skus } = JSON.parse(await readFile(join(folder, 'bill.json'), 'utf8')) as {
    readonly skus: readonly BillLine[];
  };
  const line = skus.find(({ sku }) => sku === 'pai/basic');
  if (!line) throw new Error(`the bill of ${folder} has no line for image calls`);
  const { units_observed: observed, units_estimated: estimated, units_uncertain: uncertain } = line;
  return { counts, folder, known: observed + estimated, uncertain };
}

/** What a vendor has carried out by now: how often, by reference. */
export function readSubmitted({ vendors }: Pick<Ground, 'vendors'>, vendor: 'pai' | 'qiniu') {
  return vendors[vendor].state().submitted;
}

/** How often each reference was carried out since then; those that were not are left out. */
export function countSince(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>) {
  return Object.entries(now)
    .map(([ref, times]) => times - (before[ref] ?? 0))
    .filter((times) => times > 0);
}

const compared = ['items.csv', 'findings.csv', 'segments.csv', 'failures.csv', 'tasks.jsonl'];
const own = new Set(['jobId', 'startedAt', 'endedAt', 'charge', 'attempts']);

/** Names of the reports that differ in more than run id, times, job ids, attempts and the split of the charge. */
export async function findDifferences(one: string, other: string): Promise<readonly string[]> {
  const isEqual = async (name: string) => {
    const [ours, theirs] = await Promise.all([one, other].map((at) => readFile(join(at, name), 'utf8')));
    return cutRun(name, ours ?? '') === cutRun(name, theirs ?? '');
  };
  const found = await Promise.all(compared.map(async (name) => ((await isEqual(name)) ? [] : [name])));
  return found.flat();
}

function cutRun(name: string, text: string): string {
  if (name !== 'tasks.jsonl') return text;
  const cut = (line: string) =>
    JSON.stringify(JSON.parse(line), (key, value: unknown) => (own.has(key) ? undefined : value));
  return text.trim().split('\n').map(cut).join('\n');
}
