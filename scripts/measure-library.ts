/** Measures media with ffprobe, which shares no code with our own probe: prints the rehearsal library's table. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type LibraryRow, libraryFolder, nameOnDisk } from '../src/rehearsal/library.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.mp4': 'video/mp4',
  '.mov': 'video/quicktime',
  '.webm': 'video/webm',
  '.mkv': 'video/x-matroska',
  '.ts': 'video/mp2t',
};

interface Probe {
  readonly format: { readonly duration?: string };
  readonly streams: readonly [
    {
      readonly width: number;
      readonly height: number;
      readonly avg_frame_rate: string;
      readonly nb_read_frames: string;
    },
  ];
  readonly frames?: readonly { readonly pts_time?: string; readonly key_frame: number }[];
}

/** Decodes every frame of the first video stream, so that the counts are seen and not read from a header. */
async function probe(file: string): Promise<Probe> {
  const stream = 'stream=width,height,avg_frame_rate,nb_read_frames';
  const entries = `format=duration:${stream}:frame=pts_time,key_frame`;
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-count_frames',
    '-show_entries',
    entries,
    '-of',
    'json',
    file,
  ];
  const { stdout } = await promisify(execFile)('ffprobe', args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Probe;
}

/** One row of the table. */
export async function measureFile(path: string): Promise<LibraryRow> {
  const file = join(libraryFolder, nameOnDisk(path));
  const bytes = await readFile(file);
  const { format, streams, frames = [] } = await probe(file);
  const [stream] = streams;
  const mediaType = mediaTypes[extname(path)] ?? 'application/octet-stream';
  const row = {
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    mediaType,
    width: stream.width,
    height: stream.height,
  };
  if (!mediaType.startsWith('video/')) return row;
  const [numerator = 0, denominator = 1] = stream.avg_frame_rate.split('/').map(Number);
  // Times are told from the first frame; a transport stream counts from a clock of its own.
  const times = frames.map((frame) => Number(frame.pts_time));
  const keyTimes = times.filter((_time, index) => frames[index]?.key_frame === 1);
  return {
    ...row,
    durationSeconds: Number(format.duration),
    framesPerSecond: numerator / denominator,
    frames: Number(stream.nb_read_frames),
    keyFramesMs: keyTimes.map((time) => Math.round((time - (times[0] ?? 0)) * 1000)),
  };
}

/** The paths of all files that lie in the library, in the order of their UTF-8 bytes. */
export async function listLibrary(): Promise<readonly string[]> {
  const entries = await readdir(libraryFolder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const names = files.map((entry) => relative(libraryFolder, join(entry.parentPath, entry.name)));
  const paths = names.map((name) =>
    name
      .split(sep)
      .join('/')
      .replace(/\.mpegts$/, '.ts'),
  );
  return paths.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

async function printTable(): Promise<void> {
  const rows = [];
  for (const path of await listLibrary()) rows.push(await measureFile(path));
  console.log(JSON.stringify(rows, undefined, 2));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await printTable();
