/** Ratios that can be trusted on a noisy machine: alternating pairs, the median and the spread, raw figures beside them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from './place.ts';

export interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

export interface Comparison {
  readonly name: string;
  readonly unit: string;
  /** What `theirs` is. */
  readonly against: string;
  readonly pairs: readonly Pair[];
  readonly ratio: { readonly min: number; readonly median: number; readonly max: number };
}

/** A single figure: of this machine, and no promise. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export type Result = Comparison | Figure;

export function tellFigure({ name, value, unit }: Figure): void {
  console.log(`${name}: ${format(value)} ${unit}`);
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 3 : 0);
}

/** Runs the two in turn, ours first in every other pair, and compares pair by pair. */
export async function compare(
  name: string,
  unit: string,
  against: string,
  pairs: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Comparison> {
  const measured: Pair[] = [];
  for (let index = 0; index < pairs; index += 1) {
    if (index % 2 === 0) {
      const first = await ours();
      measured.push({ ours: first, theirs: await theirs() });
    } else {
      const first = await theirs();
      measured.push({ ours: await ours(), theirs: first });
    }
    const last = measured.at(-1) as Pair;
    console.log(`  pair ${index + 1}: ${format(last.ours)} against ${format(last.theirs)} ${unit}`);
  }
  const ratios = measured.map((pair) => pair.ours / pair.theirs).toSorted((one, other) => one - other);
  const ratio = {
    min: ratios[0] as number,
    median: ratios[Math.floor(ratios.length / 2)] as number,
    max: ratios.at(-1) as number,
  };
  console.log(
    `${name}: ${ratio.median.toFixed(3)} of ${against} (median of ${pairs} pairs, ${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)})`,
  );
  return { name, unit, against, pairs: measured, ratio };
}

/** Writes the figures with the machine they were measured on. */
export async function writeFigures(results: readonly Result[]): Promise<void> {
  const folder = join(root, 'bench', 'figures');
  await mkdir(folder, { recursive: true });
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
  };
  const path = join(folder, 'latest.json');
  await writeFile(path, `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`);
  console.log(`figures: ${path}`);
}
