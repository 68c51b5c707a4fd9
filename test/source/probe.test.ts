import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { UrlReader } from '../../src/domain/exchange.ts';
import type { Item, Kind, MediaFacts } from '../../src/domain/item.ts';
import { exitCodes, Stop, wrongUse } from '../../src/domain/problem.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { probeBudget } from '../../src/source/header-reader.ts';
import { makeProber } from '../../src/source/probe.ts';
import { openMemoryStorage } from './memory-storage.ts';

const noUrls: UrlReader = { read: async () => ({ ok: false, message: 'not asked for' }) };

function makeItem(kind: Kind, facts: Partial<Item> = {}): Item {
  return { id: 'i', position: new Uint8Array(), kind, ...facts };
}

const stored = { object: { storage: 'main', bucket: 'media', key: 'file' } };

interface Probed {
  readonly facts: MediaFacts;
  readonly reads: number;
  readonly bytes: number;
}

async function probe(bytes: Uint8Array, kind: Kind): Promise<Probed> {
  const storage = openMemoryStorage([{ key: 'file', bytes }]);
  const item = makeItem(kind, { ...stored, sizeBytes: bytes.length });
  const facts = await makeProber({ storage, urlReader: noUrls })(item);
  return { facts, reads: storage.reads.length, bytes: storage.bytesRead() };
}

async function probeUrl(read: UrlReader['read'], kind: Kind = 'image'): Promise<MediaFacts> {
  const item = makeItem(kind, { url: 'https://h.example/a?X-Amz-Signature=s' });
  return await makeProber({ storage: openMemoryStorage([]), urlReader: { read } })(item);
}

function serveBytes(bytes: Uint8Array, facts: { readonly totalBytes?: number } = {}): UrlReader['read'] {
  return async (_, start, end) => ({ ok: true, bytes: bytes.subarray(start, end), ...facts });
}

/** A PNG's signature and header, enough to tell its size. */
function makePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(33);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(header);
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  return header;
}

/** A JPEG whose size stands after so many bytes of application segments, as cameras write them. */
function makeJpeg(width: number, height: number, before: number): Buffer {
  const parts = [Buffer.from('ffd8', 'hex')];
  for (let left = before; left > 0; left -= 60_000) {
    const segment = Buffer.alloc(Math.min(left, 60_000) + 4);
    segment.writeUInt16BE(0xffef, 0);
    segment.writeUInt16BE(segment.length - 2, 2);
    parts.push(segment);
  }
  const frame = Buffer.from('ffc00011080000000003012200021101031101', 'hex');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([...parts, frame, Buffer.from('ffd9', 'hex')]);
}

describe('an image', () => {
  it('costs one read of 16 KB at most', async () => {
    const png = Buffer.concat([makePng(640, 480), Buffer.alloc(100_000)]);
    expect(await probe(png, 'image')).toEqual({
      facts: { width: 640, height: 480, format: 'png' },
      reads: 1,
      bytes: 16 * 1024,
    });
  });

  it.each([
    [20_000, 2],
    [120_000, 3],
  ])('whose size stands after %d bytes is read further', async (before, reads) => {
    const jpeg = Buffer.concat([makeJpeg(4000, 3000, before), Buffer.alloc(2_000_000)]);
    const probed = await probe(jpeg, 'image');
    expect(probed.facts).toEqual({ width: 4000, height: 3000, format: 'jpg' });
    expect(probed.reads).toBe(reads);
  });

  it('that is none tells so within the budget', async () => {
    const probed = await probe(Buffer.alloc(5_000_000, 'no picture '), 'image');
    expect(probed.facts).toEqual({ trouble: 'unsupported file type: undefined' });
    expect(probed.bytes).toBeLessThanOrEqual(probeBudget.bytes);
  });
});

describe('trouble', () => {
  const png = makePng(2, 1);

  it('is told of an empty file', async () => {
    expect((await probe(new Uint8Array(), 'video')).facts).toEqual({ trouble: 'the file is empty' });
  });

  it('is told of an object that is not there', async () => {
    const prober = makeProber({ storage: openMemoryStorage([]), urlReader: noUrls });
    expect(await prober(makeItem('image', stored))).toEqual({ trouble: 'the object does not exist' });
  });

  it('is told of an item without address, and of a post', async () => {
    const prober = makeProber({ storage: openMemoryStorage([]), urlReader: noUrls });
    expect(await prober(makeItem('image'))).toEqual({
      trouble: 'the item has neither an object nor a URL to read',
    });
    expect(await prober(makeItem('post', stored))).toEqual({
      trouble: 'only images and videos have a header to read',
    });
  });

  it('is told of a URL that answers otherwise, without the query of any link', async () => {
    const message = 'not found at https://h.example/a?X-Amz-Signature=s';
    const facts = await probeUrl(async () => ({ ok: false, status: 404, message }));
    expect(facts).toEqual({ trouble: 'not found at https://h.example/a (404)' });
  });

  it('is told of a server that hides the length of a long file', async () => {
    const facts = await probeUrl(serveBytes(Buffer.alloc(500_000)));
    expect(facts).toEqual({ trouble: 'the server does not tell how long the file is' });
  });

  it('is none where a short file came whole without its length', async () => {
    expect(await probeUrl(serveBytes(png))).toEqual({ width: 2, height: 1, format: 'png', sizeBytes: 33 });
  });

  it('is none where the server tells the length', async () => {
    expect(await probeUrl(serveBytes(png, { totalBytes: png.length }))).toEqual({
      width: 2,
      height: 1,
      format: 'png',
      sizeBytes: 33,
    });
  });

  const broken = (error: unknown): ObjectStorage => ({
    ...openMemoryStorage([]),
    read: async () => await Promise.reject(error),
  });

  it.each<Kind>(['image', 'video'])('is told of the %s that may not be read', async (kind) => {
    const prober = makeProber({ storage: broken(wrongUse('access was refused')), urlReader: noUrls });
    expect(await prober(makeItem(kind, { ...stored, sizeBytes: 9 }))).toEqual({
      trouble: 'access was refused',
    });
  });

  it.each<Kind>([
    'image',
    'video',
  ])('with the server itself is thrown, not kept as a fact of the %s', async (kind) => {
    const prober = makeProber({ storage: broken(new Stop(exitCodes.halted, 'lost')), urlReader: noUrls });
    await expect(prober(makeItem(kind, { ...stored, sizeBytes: 9 }))).rejects.toThrow('lost');
  });

  it('with the server that comes in the middle of a file is thrown too', async () => {
    const storage = openMemoryStorage([]);
    const ftyp = Buffer.concat([Buffer.from('00000010', 'hex'), Buffer.from('ftypisom'), Buffer.alloc(4)]);
    const mdat = Buffer.concat([Buffer.from('00100000', 'hex'), Buffer.from('mdat'), Buffer.alloc(70_000)]);
    const begin = Buffer.concat([ftyp, mdat]);
    const read = async (_: unknown, start: number, end: number): Promise<Uint8Array> => {
      if (start === 0) return begin.subarray(0, end);
      throw new Stop(exitCodes.halted, 'lost');
    };
    const prober = makeProber({ storage: { ...storage, read }, urlReader: noUrls });
    await expect(prober(makeItem('video', { ...stored, sizeBytes: 2_000_000 }))).rejects.toThrow('lost');
  });
});

const hasFfmpeg = ((): boolean => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasFfmpeg)('a video made by ffmpeg', () => {
  const folder = hasFfmpeg ? mkdtempSync(join(tmpdir(), 'probe-')) : '';
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: readonly string[]): void =>
    void execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], { cwd: folder });
  const load = (name: string): Buffer => readFileSync(join(folder, name));

  if (hasFfmpeg) {
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
    const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440'];
    const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4', '-g', '40', '-pix_fmt', 'yuv420p'];
    run(...picture, ...sound, '-t', '10.4', ...coded, '-c:a', 'aac', 'last.mp4');
    run('-i', 'last.mp4', '-c', 'copy', '-movflags', '+faststart', 'first.mp4');
    run('-i', 'last.mp4', '-c', 'copy', '-map', '0:a', '-map', '0:v', 'sound-first.mov');
    run('-i', 'last.mp4', '-c', 'copy', '-movflags', 'frag_keyframe+empty_moov', 'fragmented.mp4');
    for (const name of ['a.mkv', 'a.ts']) run('-i', 'last.mp4', '-c', 'copy', name);
    run('-i', 'last.mp4', '-c', 'copy', '-f', 'mpegts', '-mpegts_m2ts_mode', '1', 'a.m2ts');
    run('-i', 'last.mp4', '-t', '2', '-c:v', 'libvpx', '-deadline', 'realtime', '-an', 'a.webm');
    run('-i', 'last.mp4', '-c', 'copy', 'a.flv');
  }

  /** What ffprobe says, which is the truth here. */
  const measure = (name: string): { seconds: number; width: number; height: number; keyFrames: number } => {
    const ask = (...args: readonly string[]): string =>
      execFileSync('ffprobe', ['-v', 'error', '-of', 'csv=p=0', ...args, name], {
        cwd: folder,
        encoding: 'utf8',
      });
    const [width = 0, height = 0] = ask('-select_streams', 'v:0', '-show_entries', 'stream=width,height')
      .trim()
      .split(/[,\s]+/)
      .map(Number);
    const packets = ask('-select_streams', 'v:0', '-show_entries', 'packet=flags').trim().split('\n');
    const seconds = Number(ask('-show_entries', 'format=duration'));
    return { seconds, width, height, keyFrames: packets.filter((flags) => flags.startsWith('K')).length };
  };

  it.each([
    ['first.mp4', 'mp4', 1],
    ['last.mp4', 'mp4', 2],
    ['sound-first.mov', 'mov', 2],
    ['fragmented.mp4', 'mp4', 8],
  ])('%s tells its length, size and key frames', async (name, format, mostReads) => {
    const truth = measure(name);
    const { facts, reads, bytes } = await probe(load(name), 'video');
    expect(facts).toEqual({
      format,
      durationSeconds: expect.closeTo(truth.seconds, 0) as number,
      width: truth.width,
      height: truth.height,
      keyFrames: truth.keyFrames,
    });
    expect(Math.abs((facts.durationSeconds ?? 0) - truth.seconds)).toBeLessThan(0.1);
    expect(reads).toBeLessThanOrEqual(mostReads);
    expect(bytes).toBeLessThanOrEqual(Math.min(mostReads * 64 * 1024 * 2, probeBudget.bytes));
  });

  it.each([
    ['a.mkv', 'mkv'],
    ['a.webm', 'webm'],
    ['a.ts', 'ts'],
    ['a.m2ts', 'ts'],
  ])('%s tells its length and size, and no key frames', async (name, format) => {
    const truth = measure(name);
    const { facts, reads, bytes } = await probe(load(name), 'video');
    expect(facts).toMatchObject({ format, width: truth.width, height: truth.height });
    expect(facts.keyFrames).toBeUndefined();
    expect(facts.trouble).toBeUndefined();
    expect(Math.abs((facts.durationSeconds ?? 0) - truth.seconds)).toBeLessThan(0.1);
    expect(reads).toBeLessThanOrEqual(4);
    expect(bytes).toBeLessThan(700_000);
  });

  it('a stream is longer than what is read of it', () => {
    expect(load('a.ts').length).toBeGreaterThan(700_000);
  });

  it.each([
    ['last.mp4', 'mp4'],
    ['sound-first.mov', 'mov'],
  ])('%s with an index beyond the budget still tells everything', async (name, format) => {
    const truth = measure(name);
    const { facts, reads, bytes } = await probe(lengthenIndex(load(name)), 'video');
    expect(facts).toMatchObject({
      format,
      width: truth.width,
      height: truth.height,
      keyFrames: truth.keyFrames,
    });
    expect(facts.trouble).toBeUndefined();
    expect(Math.abs((facts.durationSeconds ?? 0) - truth.seconds)).toBeLessThan(0.1);
    expect(reads).toBeLessThanOrEqual(probeBudget.reads);
    expect(bytes).toBeLessThanOrEqual(probeBudget.bytes);
  });

  it('of a container that nobody here reads tells so', async () => {
    const { facts, reads } = await probe(load('a.flv'), 'video');
    expect(facts).toEqual({ trouble: 'Input has an unsupported or unrecognizable format.' });
    expect(reads).toBe(1);
  });

  it('that was cut off keeps what its beginning tells', async () => {
    const { facts } = await probe(load('last.mp4').subarray(0, 100_000), 'video');
    expect(facts.trouble).toBeDefined();
    expect(facts.durationSeconds).toBeUndefined();
  });

  it('never throws, prints or passes the budget, whatever became of its bytes', async () => {
    const spies = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const files = ['first.mp4', 'last.mp4', 'fragmented.mp4', 'a.mkv', 'a.webm', 'a.ts'].map(load);
    const change = fc.tuple(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat({ max: 255 }),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(change, { minLength: 1, maxLength: 30 }),
        async (file, changes) => {
          const bytes = Buffer.from(file);
          for (const [place, value, isNearTheBeginning] of changes) {
            bytes[Math.floor(place * (isNearTheBeginning ? 400 : bytes.length))] = value;
          }
          const probed = await probe(bytes, 'video');
          expect(probed.reads).toBeLessThanOrEqual(probeBudget.reads);
          expect(probed.bytes).toBeLessThanOrEqual(probeBudget.bytes);
        },
      ),
      { numRuns: 150 },
    );
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});

/** The same film with two megabytes of padding within its index, which stands at the end of the file. */
function lengthenIndex(film: Buffer): Buffer {
  const at = film.lastIndexOf('moov') - 4;
  const padding = Buffer.alloc(2 * 1024 * 1024);
  padding.writeUInt32BE(padding.length, 0);
  padding.write('free', 4, 'latin1');
  const longer = Buffer.concat([film, padding]);
  longer.writeUInt32BE(film.readUInt32BE(at) + padding.length, at);
  return longer;
}
