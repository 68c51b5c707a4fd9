/** Every service of the catalogue in one run over one manifest of images, videos and posts, through the command line. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { stringify as stringifyYaml } from 'yaml';
import { z } from 'zod';
import { onTestFinished, describe, expect, test } from 'vitest';
import type { Kind } from '../../src/domain/item.ts';
import type { Service } from '../../src/domain/service.ts';
import { catalogue } from '../../src/vendors/index.ts';
import type { LibraryFile } from '../../src/rehearsal/library.ts';
import { serve } from '../../src/wire/server.ts';
import { openWorld, type OutsideWorld, putLibrary } from '../support/outside-world.ts';

const faceShapes = ['三角脸', '圆脸', '心形脸', '方形脸', '椭圆脸', '菱形脸', '长脸'];
const customUnits = 3;
const batch = 3;

interface Entry {
  readonly use: string;
  readonly as?: string;
  readonly batch?: number;
  readonly unitsPerCall?: number;
  readonly options: unknown;
}

/** Each service as the vendor has it, and under a customer's model, in batches where it has them. */
function listEntries(service: Service): Entry[] {
  const { name, exampleOptions, defaultModel, maxBatch } = service;
  // Some examples do without the feature vector; here it is asked for wherever there is one.
  const known = z.object({ output_embedding: z.boolean() }).safeParse(service.options.parse(exampleOptions));
  const vector = known.success ? { output_embedding: true } : {};
  const own = { use: name, options: { ...(exampleOptions as object), ...vector } };
  if (defaultModel === undefined) return [own];
  const options = { ...own.options, model_name: nameModel(service) };
  const custom = { use: name, as: `${name}-custom`, unitsPerCall: customUnits, options };
  return [own, maxBatch > 1 ? { ...custom, batch } : custom];
}

const nameModel = ({ name }: Service) => `acme-${name.replace('/', '-')}`;
const services = catalogue.flatMap((vendor) => vendor.services);
const customModels = Object.fromEntries(
  services
    .filter(({ defaultModel }) => defaultModel !== undefined)
    .map((service) => [nameModel(service), { like: service.defaultModel, units: customUnits }]),
);

interface TaskLine {
  readonly item: string;
  readonly kind: Kind;
  readonly service: string;
  readonly status: string;
  readonly attempts: number;
  readonly jobId: string | null;
  readonly usage: { readonly units: Readonly<Record<string, number>> };
  readonly finding?: {
    readonly metrics: Readonly<Record<string, unknown>>;
    readonly labels: readonly { op?: string; label: string }[];
    readonly embeddings?: Readonly<Record<string, string>>;
    readonly artifact?: { readonly path: string; readonly mediaType: string; readonly bytes: number };
  };
}

/** Media under plain links, as a post's row has them. */
async function serveLibrary(library: readonly LibraryFile[]): Promise<(file: LibraryFile) => string> {
  const server = await serve(
    async ({ path }) => {
      const file = library.find((one) => `/${encodeURI(one.path)}` === path);
      return file
        ? { status: 200, headers: { 'content-type': file.mediaType }, body: file.bytes }
        : { status: 404 };
    },
    { maxBodyBytes: 1000, timeoutMs: 10_000 },
  );
  onTestFinished(() => server.close());
  return (file) => `${server.url}/${encodeURI(file.path)}`;
}

/** One manifest of everything: the library by its keys, and four posts. */
async function writeManifest(
  world: OutsideWorld,
  library: readonly LibraryFile[],
): Promise<Record<Kind, number>> {
  const link = await serveLibrary(library);
  const images = library.filter(({ mediaType }) => mediaType.startsWith('image/'));
  const videos = library.filter(({ mediaType }) => mediaType.startsWith('video/'));
  const [image, otherImage, video] = [images[0], images[1], videos.find(({ path }) => path.endsWith('.mp4'))];
  if (!image || !otherImage || !video) throw new Error('the library has too few files');
  const posts = [
    { id: 'post-1', video_url: link(video), images: '', title: '标题, "quoted"', text: 'two\nlines' },
    {
      id: 'post-2',
      video_url: '',
      images: JSON.stringify([link(image), link(otherImage)]),
      title: '',
      text: 'a',
    },
    { id: 'post-3', video_url: link(video), images: link(image), title: 'only a title', text: '' },
    { id: 'post-4', video_url: '', images: '', title: 'words', text: '只有文字' },
  ];
  const rows = [...library.map(({ path }) => ({ key: path, title: `title of ${path}` })), ...posts];
  const columns = ['id', 'key', 'title', 'text', 'images', 'video_url'];
  await writeFile(join(world.folder, 'pipelines', 'mixed.csv'), stringify(rows, { header: true, columns }));
  return { image: images.length, video: videos.length, post: posts.length };
}

async function hurryAccounts(world: OutsideWorld): Promise<void> {
  const path = join(world.folder, 'config', 'accounts.yaml');
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll('perSecond: 50', 'perSecond: 2000'));
}

describe('all services of the catalogue', () => {
  test('over one manifest of images, videos and posts answer, fill every report, and are billed as the vendors count', async () => {
    const world = await openWorld({ jobMs: 100 });
    await world.setSwitches('pai', { customModels });
    await hurryAccounts(world);
    const library = await putLibrary(world);
    const counts = await writeManifest(world, library);
    const entries = services.flatMap((service) => listEntries(service).map((entry) => ({ service, entry })));
    const source = {
      csv: { path: 'mixed.csv', storage: 'rehearsal', bucket: 'media', allowPrivateAddresses: true },
    };
    const yaml = stringifyYaml({ source, services: entries.map(({ entry }) => entry) });
    const path = await world.writePipeline('everything', yaml);

    const { exitCode, out, err } = await world.run('run', path);
    const folder = join(world.folder, 'reports', 'everything', 'latest');
    const failures = await readFile(join(folder, 'failures.csv'), 'utf8').catch(() => '');
    expect({ exitCode, out, err, failures }).toMatchObject({ exitCode: 0 });

    const tasks: TaskLine[] = (await readFile(join(folder, 'tasks.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const tasksOf = (name: string) => tasks.filter((task) => task.service === name);

    // Every task is answered, in one attempt, by the form that its service has.
    for (const { service, entry } of entries) {
      const name = entry.as ?? entry.use;
      const expected = service.kinds.reduce((sum, kind) => sum + counts[kind], 0);
      const own = tasksOf(name);
      const isJob = service.poll !== undefined;
      const calls = isJob ? Math.ceil(expected / (entry.batch ?? 1)) : 0;
      const jobs = new Set(own.flatMap(({ jobId }) => jobId ?? []));
      expect([name, jobs.size]).toEqual([name, calls]);
      const ends = own.map(({ status, attempts, jobId }) => [name, status, attempts, jobId !== null]);
      expect(ends).toEqual(Array.from({ length: expected }, () => [name, 'answered', 1, isJob]));
    }

    // Units by SKU: as many as the stand-ins counted, and as many as the items and entries say.
    const bill: Record<string, string>[] = parse(await readFile(join(folder, 'bill.csv')), {
      bom: true,
      columns: true,
    });
    const billed = Object.fromEntries(
      bill.map((row) => [row['sku'] ?? '', Number(row['units_observed']) + Number(row['units_estimated'])]),
    );
    const counted = Object.assign(
      {},
      ...Object.values(world.emulators).map((emulator) => emulator.state().units),
    );
    expect(billed).toEqual(counted);
    const expectedUnits: Record<string, number> = {};
    for (const { service, entry } of entries) {
      for (const kind of service.kinds) {
        for (const sku of service.name.startsWith('pai/') ? service.skus(entry.options) : []) {
          expectedUnits[sku] = (expectedUnits[sku] ?? 0) + counts[kind] * (entry.unitsPerCall ?? 1);
        }
      }
    }
    expect(billed).toMatchObject(expectedUnits);
    // A frame every 5 s: the length of each video by ffprobe's table.
    const frames = library.reduce(
      (sum, { durationSeconds }) => sum + (durationSeconds ? Math.max(1, Math.ceil(durationSeconds / 5)) : 0),
      0,
    );
    for (const sku of ['qiniu/politician-image', 'qiniu/pulp-image', 'qiniu/terror-image'])
      expect([sku, billed[sku]]).toEqual([sku, frames]);
    expect(bill.every(({ units_uncertain }) => units_uncertain === '0')).toBe(true);

    // Images that came back lie on the disk under the hash of their content, with the type of their first bytes.
    const returning = tasks.filter(({ finding }) => finding?.artifact !== undefined);
    expect(new Set(returning.map(({ service }) => service))).toEqual(
      new Set(['pai/body-reshaping', 'pai/watermark-removal'].flatMap((name) => [name, `${name}-custom`])),
    );
    expect(returning).toHaveLength(4 * counts.image);
    for (const { item, finding } of returning) {
      const artifact = finding?.artifact;
      const file = library.find(({ path: key }) => item.endsWith(key));
      const bytes = await readFile(join(world.folder, 'reports', 'everything', artifact?.path ?? ''));
      // The stand-in sends the picture back as it was.
      const hash = createHash('sha256').update(bytes).digest('hex');
      expect([item, hash, artifact?.mediaType, artifact?.bytes]).toEqual([
        item,
        file?.sha256,
        file?.mediaType,
        bytes.length,
      ]);
      expect(artifact?.path).toMatch(/^artifacts\/[0-9a-f]{64}\.(?:jpg|png|gif|bmp|webp)$/);
    }

    // Feature vectors stand in the JSONL, whole, and in no table.
    const lengths = (name: string) => [
      ...new Set(
        tasksOf(name).map(({ finding }) => finding?.embeddings?.['embedding_result']?.split(',').length),
      ),
    ];
    expect([
      lengths('pai/image-labels'),
      lengths('pai/post-labels'),
      lengths('pai/video-labels'),
      lengths('pai/video-labels-custom'),
    ]).toEqual([[512], [32], [64], [22]]);
    for (const file of ['items.csv', 'findings.csv', 'segments.csv', 'bill.csv'])
      expect(await readFile(join(folder, file), 'utf8')).not.toMatch(/(?:-?\d+(?:\.\d+)?,){20}/);

    // Faces: readable columns, the leading class of each attribute with its probability.
    const items: Record<string, string>[] = parse(await readFile(join(folder, 'items.csv')), {
      bom: true,
      columns: true,
    });
    const faces = tasksOf('pai/face-attributes');
    expect(faces.some(({ finding }) => Number(finding?.metrics['faces']) > 1)).toBe(true);
    expect(faces.some(({ finding }) => finding?.metrics['faces'] === 0)).toBe(true);
    for (const { item, finding } of faces) {
      const row = items.find((one) => one['item'] === item);
      const count = Number(finding?.metrics['faces']);
      const shape = row?.['pai/face-attributes.FaceShape.top_label'] ?? '';
      const curls = row?.['pai/face-attributes.FemaleCurlyHairType.top_label'] ?? '';
      const hasCurls = finding?.labels.some(({ op, label }) => op === 'FemaleHairType' && label === '卷发');
      expect({
        item,
        count: row?.['pai/face-attributes.faces'],
        hasShape: faceShapes.includes(shape),
        hasCurls: curls !== '',
      }).toEqual({ item, count: String(count), hasShape: count > 0, hasCurls });
    }

    // Facts of the media come back under the vendor's own names, `""` for a post without a video among them.
    const video = items.find(({ key }) => key?.endsWith('.mp4'));
    expect(Number(video?.['pai/video-quality.height'])).toBeGreaterThan(0);
    expect(Number(video?.['pai/video-labels.video_height'])).toBeGreaterThan(0);
    const post = (id: string) => items.find(({ item }) => item === id)?.['pai/post-labels.video_height'];
    expect([post('post-2'), post('post-4')]).toEqual(['', '']);
    expect(Number(post('post-1'))).toBeGreaterThan(0);

    // Nothing of it is paid for twice.
    const before = world.emulators['pai']?.state().submissions;
    expect((await world.run('run', path, '--new')).exitCode).toBe(0);
    expect(world.emulators['pai']?.state().submissions).toBe(before);
  });
});
