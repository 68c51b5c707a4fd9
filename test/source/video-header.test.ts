/** Small films of every form in test/fixtures/media, measured with ffprobe; large ones that are zeros between their ends. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { probeBudget } from '../../src/source/header-reader.ts';
import { box, makeFilm, makeSparse, type SparseFile, words } from '../support/sparse-film.ts';
import { loadFixture, type Probed, probeFile, truths } from './probe-desk.ts';

const films = Object.keys(truths).filter((name) => !/picture|other|sound\.m/.test(name));
/** Nothing in these names key frames. */
const unindexed = ['recorded.mkv', 'recorded.webm'];

async function probe(file: SparseFile | Uint8Array): Promise<Probed> {
  const probed = await probeFile(file, 'video');
  expect(probed.reads).toBeLessThanOrEqual(probeBudget.reads);
  expect(probed.bytes).toBeLessThanOrEqual(probeBudget.bytes);
  return probed;
}

/** The file with so many bytes more in one place. */
function stretch(file: Buffer, at: number, ...more: readonly (Uint8Array | number)[]): SparseFile {
  return makeSparse([file.subarray(0, at), ...more, file.subarray(at)]);
}

describe('a small film', () => {
  it.each(films)('%s tells what ffprobe tells, in one read', async (name) => {
    const { seconds = '', size = '', keyFrames } = truths[name] ?? {};
    const [width, height] = size.split(',').map(Number);
    const { facts, reads } = await probe(loadFixture(name));
    expect(reads).toBe(1);
    const isTurned = name.startsWith('turned');
    expect([facts.width, facts.height]).toEqual(isTurned ? [height, width] : [width, height]);
    // A recording does not tell ffprobe either, without reading it all; all of these but one last 3.2 s.
    const truth = seconds === 'N/A' ? 3.2 : Number(seconds);
    expect(Math.abs((facts.durationSeconds ?? 0) - truth)).toBeLessThan(0.11);
    expect(facts.trouble).toBeUndefined();
    const isCounted = /\.(?:mp4|mov|mkv|webm)$/.test(name) && !/-(?:no|hybrid|segm|late|sound)/.test(name);
    expect(facts.keyFrames).toBe(isCounted && !unindexed.includes(name) ? keyFrames : undefined);
    const isSparse = /\.(?:mkv|webm)$|^fragmented/.test(name) && facts.keyFrames !== undefined;
    expect(facts.hasSparseIndex).toBe(isSparse ? true : undefined);
  });

  it.each([
    ['sound.mp4', 3.5, 'there is no video track'],
    ['sound.mpegts', 3.58, 'there is no video track that can be read'],
  ])('%s without pictures tells its length, and what is missing', async (name, seconds, trouble) => {
    const { facts } = await probe(loadFixture(name));
    expect(Math.abs((facts.durationSeconds ?? 0) - seconds)).toBeLessThan(0.1);
    expect(facts.trouble).toBe(trouble);
  });

  it('of a container that nobody here reads tells so in one read', async () => {
    const { facts, reads } = await probe(loadFixture('other.flv'));
    expect([facts, reads]).toEqual([{ trouble: 'the file is no MP4, MOV, WebM, MKV or TS' }, 1]);
  });
});

describe('a film of 100 MB', () => {
  const film = { sizeBytes: 100_000_000, seconds: 400, framesPerSecond: 25, keyFrameGap: 250 };
  const facts = { format: 'mp4', durationSeconds: 400, width: 1280, height: 720, keyFrames: 40 };

  it('whose index comes first costs one read of 64 KB', async () => {
    expect(await probe(makeFilm({ ...film, isIndexFirst: true }))).toEqual({
      facts,
      reads: 1,
      bytes: 64 * 1024,
    });
  });

  it('whose index comes last costs two', async () => {
    expect(await probe(makeFilm({ ...film, isIndexFirst: false }))).toEqual({
      facts,
      reads: 2,
      bytes: 128 * 1024,
    });
  });

  it('of many hours, whose index takes megabytes, costs no more', async () => {
    const long = { ...film, sizeBytes: 9_000_000_000, seconds: 36_000, isIndexFirst: true };
    const probed = await probe(makeFilm(long));
    expect(probed.facts).toEqual({ ...facts, durationSeconds: 36_000, keyFrames: 3600 });
    expect(probed.reads).toBe(1);
  });

  it.each([
    ['plain.mkv', 4],
    ['recorded.mkv', undefined],
    ['recorded.webm', undefined],
  ])('in %s costs two reads, and four at most where its last cluster is long', async (name, keyFrames) => {
    const file = loadFixture(name);
    const second = file.indexOf(Buffer.from('1f43b675', 'hex'), 600);
    const at = second < 0 ? file.indexOf(Buffer.from('1f43b675', 'hex')) : second;
    // An element that means nothing, with a length of 8 bytes.
    const empty = Buffer.from('ec0100000005f5e100', 'hex');
    const probed = await probe(stretch(file, at, empty, 100_000_000));
    expect(probed.facts.durationSeconds).toBeCloseTo(3.2, 0);
    // Its index now points nowhere.
    expect([undefined, keyFrames]).toContain(probed.facts.keyFrames);
    expect(probed.reads).toBeLessThanOrEqual(4);
  });

  it('as a transport stream costs two reads, whatever stands between its ends', async () => {
    const file = loadFixture('plain.mpegts');
    const nothing = Buffer.alloc(188, 0xff);
    nothing.set([0x47, 0x1f, 0xff, 0x10]);
    const at = 188 * Math.floor(file.length / 376);
    const probed = await probe(stretch(file, at, nothing, 188 * 500_000));
    expect(probed.facts).toMatchObject({ format: 'ts', width: 64, height: 48 });
    expect(Math.abs((probed.facts.durationSeconds ?? 0) - 3.2)).toBeLessThan(0.1);
    expect([probed.reads, probed.bytes]).toEqual([2, 128 * 1024]);
  });

  it('in fragments is as long as its last fragment says, found by its index or by looking', async () => {
    for (const [name, mostReads] of [
      ['fragmented-no-index.mp4', 3],
      ['fragmented-hybrid.mp4', 3],
      ['fragmented-late.mp4', 3],
    ] as const) {
      const file = loadFixture(name);
      const at = file.lastIndexOf('moof') - 4;
      const padding = Buffer.from('05f5e10866726565', 'hex');
      const probed = await probe(stretch(file, at, padding, 100_000_000));
      expect(probed.facts.durationSeconds).toBeCloseTo(3.2, 1);
      expect(probed.facts.keyFrames).toBeUndefined();
      expect(probed.reads).toBeLessThanOrEqual(mostReads);
    }
  });
});

describe('a broken film', () => {
  it('that was cut off says so', async () => {
    const { facts } = await probe(loadFixture('base.mp4').subarray(0, 1500));
    expect(facts).toEqual({
      trouble: 'there is no index (moov): the file was cut off, or is still being written',
    });
  });

  it('keeps what its beginning tells', async () => {
    const { facts } = await probe(loadFixture('plain.mkv').subarray(0, 1500));
    expect(facts).toMatchObject({ format: 'mkv', durationSeconds: 3.2, width: 64, height: 48 });
    expect((await probe(loadFixture('recorded.mkv').subarray(0, 500))).facts).toMatchObject({
      format: 'mkv',
      width: 64,
      trouble: 'the file does not tell its length',
    });
  });

  it('of streams that were joined does not tell a length that it has not', async () => {
    const late = loadFixture('over-the-round.mpegts');
    const joined = Buffer.concat([late, Buffer.from(loadFixture('plain.mpegts'))]);
    // The first begins 4 s before the end of a round, so that the second may well be its continuation.
    expect((await probe(joined)).facts.durationSeconds).toBeLessThan(10);
    const reset = Buffer.from(loadFixture('plain.mpegts'));
    const times = [...findTimes(reset)];
    // An hour into the round at first, and at its beginning again at the end.
    for (const at of times.slice(0, times.length / 2)) reset[at] = 0x23;
    for (const at of times.slice(0, times.length / 2)) reset[at + 1] = 0x40;
    expect((await probe(reset)).facts).toMatchObject({ trouble: 'the stream does not tell its length' });
  });

  it('whose counts and lengths are lies tells nothing that a price could be made of', async () => {
    const film = {
      sizeBytes: 1_000_000,
      seconds: 40,
      framesPerSecond: 25,
      keyFrameGap: 25,
      isIndexFirst: true,
    };
    const { read, sizeBytes } = makeFilm(film);
    const lie = async (type: string, offset: number, value: number) => {
      const bytes = read(0, sizeBytes);
      bytes.writeUInt32BE(value, bytes.indexOf(type) + 4 + offset);
      return (await probe(bytes)).facts;
    };
    expect((await lie('stss', 4, 0xffff_fff0)).keyFrames).toBeUndefined();
    expect(await lie('mvhd', 12, 0xffff_fff0)).toMatchObject({ durationSeconds: 40_000 / 0xffff_fff0 });
    expect(await lie('mvhd', 16, 0xffff_ffff)).toMatchObject({
      trouble: 'the index does not tell how long the film is',
    });
    const slow = read(0, sizeBytes);
    slow.writeUInt32BE(1, slow.indexOf('mvhd') + 16);
    slow.writeUInt32BE(0xffff_fff0, slow.indexOf('mvhd') + 20);
    expect((await probe(slow)).facts).toMatchObject({
      trouble: 'the header tells a length in seconds of 4294967280, which nobody can believe',
    });
  });
});

describe('a hostile film', () => {
  const run = (flags: number) => box('trun', words(flags, 0xffff_ffff));
  const track = box(
    'traf',
    box('tfhd', words(0, 1)),
    box('tfdt', words(0, 0)),
    run(0),
    run(0x100),
    run(0xf00),
  );
  const head = loadFixture('fragmented-no-index.mp4');
  const index = head.subarray(0, head.indexOf('moof') - 4);

  it.each<[string, Buffer | SparseFile]>([
    [
      'fragments of four billion samples',
      Buffer.concat([index, box('moof', box('mfhd', words(0, 1)), track)]),
    ],
    [
      'boxes in boxes without end',
      Buffer.concat([
        Buffer.from('0000000c6674797069736f6d', 'hex'),
        Buffer.alloc(900_000, '\0\0\0\x08moov'),
      ]),
    ],
    [
      'boxes of no length',
      Buffer.concat([Buffer.from('0000000c6674797069736f6d', 'hex'), Buffer.alloc(900_000)]),
    ],
    ['a file that is nothing but heads of fragments', Buffer.concat([index, Buffer.alloc(900_000, 'moof')])],
    ['elements in elements without end', makeElements('1a45dfa380', '18538067ff', 'bb84b782f78101')],
    [
      'cues that claim more than they have',
      makeElements('1a45dfa380', '1853806701ffffffffffffff1c53bb6b', 'bb08'),
    ],
    ['nothing but clusters', makeElements('1a45dfa380', '1853806701ffffffffffffff', '1f43b675ff')],
    [
      'clusters whose time never comes',
      makeElements('1a45dfa380', '1853806701ffffffffffffff', '1f43b675ffec80'),
    ],
    ['packets that all begin frames', makePackets()],
    [
      'an index at the end that claims the whole file',
      Buffer.concat([index, box('mfra', Buffer.alloc(900_000)), words(16, 0x6d66726f, 0, 0xffff_ffff)]),
    ],
  ])('is done with in no time and within the budget: %s', async (_, file) => {
    const { facts } = await probe(file);
    expect(facts.durationSeconds ?? 1).toBeLessThanOrEqual(1e7);
    expect(facts.keyFrames ?? 1).toBeLessThanOrEqual(1e8);
  });

  it('never throws, prints or passes the budget, whatever became of its bytes', async () => {
    const spies = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const files = [...films, 'sound.mp4', 'sound.mpegts', 'other.flv'].map(loadFixture);
    const place = fc.double({ min: 0, max: 0.999, noNaN: true });
    const change = fc.tuple(place, fc.nat({ max: 255 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(change, { maxLength: 30 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.tuple(place, fc.nat({ max: 2_000_000 })),
        async (file, changes, kept, [where, more]) => {
          const bytes = Buffer.from(file.subarray(0, Math.ceil(kept * file.length)));
          for (const [at, value, isNearTheBeginning] of changes) {
            bytes[Math.floor(at * Math.min(bytes.length, isNearTheBeginning ? 400 : bytes.length))] = value;
          }
          const { facts } = await probe(stretch(bytes, Math.floor(where * bytes.length), more));
          const { durationSeconds, width, height, keyFrames } = facts;
          const told = [durationSeconds, width, height, keyFrames].filter((value) => value !== undefined);
          expect(told.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  it('never throws or passes the budget, whatever follows the first bytes of a format', async () => {
    const starts = [
      '000000186674797069736f6d',
      '000000086d6f6f76',
      '1a45dfa3',
      '1a45dfa39f4282847765626d18538067',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.uint8Array({ maxLength: 4000 }),
        async (start, rest) => {
          await probe(Buffer.concat([Buffer.from(start, 'hex'), rest]));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Two elements, and another so often that it fills nearly the whole budget. */
function makeElements(first: string, second: string, rest: string): Buffer {
  return Buffer.concat([Buffer.from(first + second, 'hex'), Buffer.alloc(900_000, Buffer.from(rest, 'hex'))]);
}

function makePackets(): Buffer {
  const packet = Buffer.alloc(188, 0xff);
  packet.set([0x47, 0x41, 0, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 0x0a, 0xff]);
  return Buffer.alloc(188 * 5000, packet);
}

/** Where the first byte of each frame's time stands in a transport stream. */
function* findTimes(bytes: Buffer): Generator<number, undefined> {
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const begin = bytes.indexOf(Buffer.from('000001e0', 'hex'), at);
    if (((bytes[at + 1] ?? 0) & 0x40) !== 0 && begin >= at && begin < at + 170) yield begin + 9;
  }
}
