/**
 * Processor time and peak memory per item, from ten thousand items to a million: a whole run each, reports included, each
 * size against the one before. The largest takes many minutes, so that a fifth of the pairs has to do for it.
 */
import { type Comparison, compare, type Figure, type Result, tellFigure } from './measure.ts';
import { makeProject, runPipeline, startVendor, type Used } from './project.ts';

export async function benchScale(counts: readonly number[], pairs: number): Promise<readonly Result[]> {
  const results: Result[] = [];
  const vendor = await startVendor(0);
  for (const [index, count] of counts.entries()) {
    const before = counts[index - 1];
    const times = index === counts.length - 1 ? Math.ceil(pairs / 5) : pairs;
    if (before !== undefined) results.push(...(await compareSizes(vendor.port, before, count, times)));
  }
  vendor.stop();
  return results;
}

async function compareSizes(
  port: number,
  before: number,
  count: number,
  pairs: number,
): Promise<readonly Result[]> {
  const runs: { readonly size: number; readonly used: Used }[] = [];
  const measure = async (size: number) => {
    const project = await makeProject({ count: size, port });
    try {
      const used = await runPipeline(project, size);
      runs.push({ size, used });
      return (used.cpuSeconds / size) * 1e6;
    } finally {
      await project.remove();
    }
  };
  const cost = await compare(
    `processor time an item of a run of ${count} items`,
    'µs',
    `that of ${before}`,
    pairs,
    () => measure(count),
    () => measure(before),
  );
  const peak = (size: number) =>
    Math.max(...runs.flatMap((run) => (run.size === size ? [run.used.peakBytes / 1e6] : [])));
  const rate = (size: number) =>
    Math.max(...runs.flatMap((run) => (run.size === size ? [size / run.used.seconds] : [])));
  const figures: readonly Figure[] = [before, count].flatMap((size) => [
    { name: `a run of ${size} items: items per second, at most`, value: rate(size), unit: 'items/s' },
    { name: `a run of ${size} items: peak memory, at most`, value: peak(size), unit: 'MB' },
  ]);
  const memory: Figure = {
    name: `peak memory of ${count} items against ${before}`,
    value: peak(count) / peak(before),
    unit: 'times',
  };
  for (const figure of [...figures, memory]) tellFigure(figure);
  return [cost satisfies Comparison, ...figures, memory];
}
