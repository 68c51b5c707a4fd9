/** Time and peak memory of estimates: a manifest of videos whose lengths it tells, and a bucket of images that is listed. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Figure, tellFigure } from './measure.ts';
import { makeProject, startBucket, startProgram, type Used } from './project.ts';

export async function benchEstimate(counts: readonly number[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) {
    figures.push(...(await measure(`videos of a manifest`, count, { use: 'qiniu/video-censor' })));
    const bucket = await startBucket('flat', count, 0);
    figures.push(...(await measure(`images of a bucket`, count, { bucketPort: bucket.port })));
    bucket.stop();
  }
  return figures;
}

async function measure(
  what: string,
  count: number,
  options: { readonly use?: string; readonly bucketPort?: number },
): Promise<readonly Figure[]> {
  const project = await makeProject({ count, port: 9, ...options });
  try {
    const usage = join(project.folder, 'usage.json');
    const begin = performance.now();
    const child = startProgram(project.folder, ['estimate', 'pipelines/bench.yaml', '--quiet'], usage);
    const [exitCode] = (await once(child, 'close')) as [number];
    const seconds = (performance.now() - begin) / 1000;
    if (exitCode !== 0) throw new Error(`the estimate ended with ${exitCode}`);
    const { peakBytes } = JSON.parse(await readFile(usage, 'utf8')) as Used;
    const name = `an estimate of ${count} ${what}`;
    const figures = [
      { name: `${name}: seconds`, value: seconds, unit: 's' },
      { name: `${name}: peak memory`, value: peakBytes / 1e6, unit: 'MB' },
    ];
    for (const figure of figures) tellFigure(figure);
    return figures;
  } finally {
    await project.remove();
  }
}
