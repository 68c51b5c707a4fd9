/** CPU time and peak memory per item, from ten thousand items to a million: a whole run each, reports included. */
import type { Figure } from './measure.ts';
import { makeProject, runPipeline, startVendor } from './project.ts';

export async function benchScale(counts: readonly number[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const vendor = await startVendor(0);
  for (const count of counts) {
    const project = await makeProject({ count, port: vendor.port });
    try {
      const { seconds, cpuSeconds, peakBytes } = await runPipeline(project, count);
      const name = `a run of ${count} items`;
      figures.push(
        { name: `${name}: items per second`, value: count / seconds, unit: 'items/s' },
        { name: `${name}: processor time per item`, value: (cpuSeconds / count) * 1e6, unit: 'µs' },
        { name: `${name}: peak memory`, value: peakBytes / 1e6, unit: 'MB' },
      );
    } finally {
      await project.remove();
    }
  }
  vendor.stop();
  return figures;
}
