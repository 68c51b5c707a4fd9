/** `select.fit` through the command line: media outside a vendor's limits is told of, or left out before it costs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld } from '../support/outside-world.ts';

/** A GIF of that size, filled up to so many bytes behind its end. */
function makeGif(width: number, height: number, bytes: number): Buffer {
  const gif = Buffer.alloc(bytes);
  Buffer.from('474946383961000000008000000000000000002c00000000010001000002024401003b', 'hex').copy(gif);
  gif.writeUInt16LE(width, 6);
  gif.writeUInt16LE(height, 8);
  return gif;
}

const pipeline = (fit: string) => `
source: { bucket: { storage: rehearsal, bucket: media } }
${fit}services: [{ use: pai/image-quality }, { use: pai/face-age }]
`;

async function readReport(world: OutsideWorld, name: string, file: string): Promise<string> {
  return await readFile(join(world.folder, 'reports', name, 'latest', file), 'utf8');
}

test('media outside the limits is skipped with its reason where that is asked for, and told of where not', async () => {
  const world = await openWorld();
  await world.put('fits.gif', makeGif(240, 300, 1000), 'image/gif');
  await world.put('large.gif', makeGif(600, 600, 5_300_000), 'image/gif');
  for (const index of [1, 2, 3])
    await world.put(`tiny-${index}.gif`, makeGif(100 + index, 90, 900 + index), 'image/gif');

  const skipped = await world.run(
    'run',
    await world.writePipeline('skips', pipeline('select: { fit: skip }\n')),
  );
  expect(skipped.exitCode).toBe(0);
  expect(skipped.out).toContain('5 items x 2 services = 6 answered + 4 skipped');
  expect(skipped.out).toContain('skipped  3  pai/image-quality  fit: at least 240 x 240 pixels');
  expect(skipped.out).toContain('skipped  1  pai/image-quality  fit: at most 5 MB');
  expect(skipped.out).toContain('incomplete 4   pass 1');
  const tasks = await readReport(world, 'skips', 'tasks.jsonl');
  expect(tasks).toContain('"reason":"fit: 5.3 MB, at most 5 MB"');
  expect(tasks).toContain('"reason":"fit: 101 x 90, at least 240 x 240 pixels"');
  const status = await world.run('status', 'skips', '--json');
  expect(JSON.parse(status.out).runs[0].tasks).toContainEqual({
    service: 'pai/image-quality',
    state: 'skipped',
    reason: 'fit: at least 240 x 240 pixels',
    count: 3,
  });

  const warned = await world.run('run', await world.writePipeline('warns', pipeline('')));
  expect(warned.exitCode).toBe(0);
  expect(warned.out).toContain('5 items x 2 services = 4 answered + 6 reused');
  const told = warned.err.split('\n').filter((line) => line.includes('outside'));
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/`select: \{ fit: skip \}` leaves it out.*large\.gif.*5\.3 MB, at most 5 MB/);
});
