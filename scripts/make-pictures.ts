/**
 * Makes docs/images/ anew: a report and a terminal as they are, of two nights over a library of drawn films, against
 * stand-ins on this machine. Needs ffmpeg, Chromium and `script` from the system's packages, and the built program:
 * npm run build && npx tsx scripts/make-pictures.ts
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { noFaults } from '../src/domain/emulator.ts';
import { emulators } from '../src/vendors/emulators.ts';
import { systemClock } from '../src/wire/clock.ts';
import { serve } from '../src/wire/server.ts';
import { makeLoopbackReader } from '../src/wire/url-reader.ts';
import { startEmbeddedStore } from '../test/support/embedded-store.ts';

const root = join(import.meta.dirname, '..');
const program = join(root, 'dist', 'main.js');
const call = promisify(execFile);
const limits = { maxBytes: 64 * 1024 * 1024, timeoutMs: 30_000 };

const scenes = 'street-interview unboxing wedding cooking match-replay pub-quiz harbour talk-show'.split(' ');

interface Media {
  readonly key: string;
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** Films of 40 s to 3:30, each of its own content. */
async function drawFilms(folder: string): Promise<readonly Media[]> {
  const lengths = [63, 95, 140, 210, 40, 120, 80, 170];
  const drawn = await Promise.all(
    lengths.map(async (seconds, index) => {
      const path = join(folder, `${index}.mp4`);
      const source = `testsrc2=s=160x120:r=2:d=${seconds}`;
      const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '40', '-pix_fmt', 'yuv420p'];
      await call('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', source, ...codec, path]);
      return await readFile(path);
    }),
  );
  return Array.from({ length: 160 }, (_, index) => {
    const bytes = drawn[(index * 5) % drawn.length] ?? Buffer.alloc(0);
    // A box of type `free` at the end is passed over by every reader.
    const tail = Buffer.from('\0\0\0\x0cfree....', 'latin1');
    tail.writeUInt32BE(index, 8);
    const own = Buffer.concat([bytes, tail]);
    const place = ['ugc/2026-11-19/', 'ugc/2026-11-20/', 'live/录播/', 'ads/'][index % 4] ?? '';
    const name = `${scenes[index % scenes.length]}-${String(index).padStart(3, '0')}.mp4`;
    return { key: `${place}${name}`, bytes: own, mediaType: 'video/mp4' };
  });
}

async function drawPictures(): Promise<readonly Media[]> {
  const bytes = await readFile(join(root, 'src', 'rehearsal', 'library', 'ugc', '2026-11', 'sunset.jpg'));
  return Array.from({ length: 96 }, (_, index) => ({
    key: `ugc/2026-11-${19 + (index % 2)}/photo-${String(index).padStart(3, '0')}.jpg`,
    bytes: Buffer.concat([bytes, Buffer.from([index])]),
    mediaType: 'image/jpeg',
  }));
}

/** A store and both vendors, a public address of the media, and the project that uses them. */
async function openWorld(folder: string) {
  const media = [...(await drawFilms(folder)), ...(await drawPictures())];
  const shown = new Map(media.map((one) => [`/${one.key}`, one]));
  const site = createServer((request, response) => {
    const one = shown.get(decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname));
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const part = one?.bytes.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
    const range = { 'content-range': `bytes ${from}-${to}/${one?.bytes.length ?? 0}` };
    response.writeHead(
      one ? (request.headers.range ? 206 : 200) : 404,
      one && request.headers.range ? range : {},
    );
    response.end(part);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const store = await startEmbeddedStore();
  await store.store.shelf.addBucket('media', systemClock.now());
  const reader = makeLoopbackReader(limits);
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TERM: 'xterm-256color',
    MEDIASWEEP_S3_PORT: new URL(store.endpoint).port,
    MEDIASWEEP_S3_KEY: store.accessKeyId,
    MEDIASWEEP_S3_SECRET: store.secretAccessKey,
  };
  const servers: { readonly port: number; close(): Promise<void> }[] = [];
  for (const { vendor, credentials, open } of emulators) {
    const faults = { ...noFaults, jobMs: 700, modelFailure: 0.004, seed: 'pictures' };
    const tools = {
      reader,
      clock: systemClock,
      credentials,
      faults,
      knownMedia: new Map(),
      callBack: async () => undefined,
    };
    const server = await serve(open(tools).handler, {
      maxBodyBytes: limits.maxBytes,
      timeoutMs: limits.timeoutMs,
    });
    servers.push(server);
    environment[`MEDIASWEEP_${vendor.toUpperCase()}_PORT`] = String(server.port);
  }
  const project = join(folder, 'audit');
  await mkdir(join(project, 'pipelines'), { recursive: true });
  await cp(join(root, 'config', 'rehearsal'), join(project, 'config'), { recursive: true });
  // Names as a reader has them; the endpoints stay those of this machine.
  for (const name of ['accounts', 'storages']) {
    const path = join(project, 'config', `${name}.yaml`);
    const text = await readFile(path, 'utf8');
    await writeFile(
      path,
      text.replaceAll(/^( {2}\w+)-rehearsal:/gm, '$1-prod:').replace('  rehearsal:', '  main:'),
    );
  }
  const put = async (list: readonly Media[]) => {
    for (const { key, bytes, mediaType } of list) {
      await store.store.shelf.put('media', key, bytes, {
        contentType: mediaType,
        lastModifiedMs: systemClock.now(),
      });
    }
  };
  const close = async () => {
    await Promise.all([store.stop(), reader.close(), ...servers.map((server) => server.close())]);
    await new Promise((resolve) => site.close(resolve));
  };
  return { media, put, environment, project, site: (site.address() as AddressInfo).port, close };
}

function describePipeline(site: number, prefixes: string, ops: readonly string[]): string {
  const rule = (name: string, op: string, label: string, score: number, verdict: string) =>
    ops.includes(op)
      ? [
          `    - { name: ${name}, service: qiniu/video-censor, op: ${op}, ${label}score: ">= ${score}", verdict: ${verdict} }`,
        ]
      : [];
  return [
    `source: { bucket: { storage: main, bucket: media, prefix: [${prefixes}] } }`,
    `access: { mode: public, baseUrl: "http://127.0.0.1:${site}/" }`,
    'services:',
    '  - { use: pai/image-quality, account: pai-prod }',
    '  - use: qiniu/video-censor',
    '    account: qiniu-prod',
    `    options: { ops: [${ops.map((op) => `{ op: ${op} }`).join(', ')}], vframe: { mode: 0, interval: 5 } }`,
    'policy:',
    '  rules:',
    ...rule('sensitive person', 'politician', '', 0.9, 'review'),
    ...rule('pornography', 'pulp', 'label: "0", ', 0.95, 'block'),
    ...rule('sexual content', 'pulp', 'label: ["0", "1"], ', 0.9, 'review'),
    ...rule('terror', 'terror', 'label: "1", ', 0.95, 'review'),
    '    - { name: poor picture, service: pai/image-quality, metric: iqa_result, is: "< 45", verdict: review }',
    `caps: { run: 20 CNY${ops.includes('pulp') ? ', units: { qiniu/pulp-image: 100000, qiniu/terror-image: 100000 }' : ''} }`,
    'reports: { timezone: Asia/Shanghai }',
    '',
  ].join('\n');
}

/** The terminal's colours as spans. */
function renderTerminal(text: string): string {
  const names: Readonly<Record<string, string>> = {
    1: 'bold',
    2: 'dim',
    31: 'red',
    32: 'green',
    33: 'yellow',
    35: 'magenta',
    36: 'cyan',
  };
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const span = (_: string, code: string) =>
    names[code] === undefined ? '</span>' : `<span class="${names[code]}">`;
  const [first = '', ...rest] = escaped.split('\u001B[');
  return [first, ...rest.map((part) => part.replace(/^(\d+)m/, span))].join('');
}

const terminalPage = (body: string) => `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #0d1017; color: #cbd2da; font: 13px/1.5 "DejaVu Sans Mono", monospace; width: fit-content; }
pre { margin: 0; padding: 18px 22px; font: inherit; } .bold { font-weight: 700; color: #fff; } .dim { color: #7d8590; }
.red { color: #ff7b72; } .green { color: #7ee787; } .yellow { color: #e3b341; } .magenta { color: #d2a8ff; } .cyan { color: #79c0ff; }
</style><pre>${body}</pre>`;

const folder = await mkdtemp(join(tmpdir(), 'pictures-'));
const world = await openWorld(folder);
const images = join(root, 'docs', 'images');
/** What a person at a terminal of that width sees; a run with failures is no failure here. */
async function type(line: string): Promise<string> {
  const shell = `stty cols 118; node ${program} ${line}`;
  const typescript = join(folder, 'typescript');
  await call('script', ['-qc', shell, typescript], { cwd: world.project, env: world.environment }).catch(
    () => undefined,
  );
  const text = await readFile(typescript, 'utf8');
  const lines = text.replaceAll('\r\n', '\n').split('\n').slice(1);
  const seen = lines.map((one) => one.split('\r').at(-1)?.replaceAll('\x1b[K', '') ?? '');
  const end = seen.findIndex((one) => one.startsWith('Script done'));
  return seen
    .slice(0, end < 0 ? undefined : end)
    .join('\n')
    .replaceAll(`${world.project}/`, '')
    .trim();
}

/** A picture of a page, the first screen of it or all. */
async function shoot(browser: Browser, url: string, path: string, isWhole: boolean): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(url);
  await page.locator('body:not(:has(#items[aria-busy]))').waitFor();
  await (isWhole ? page.locator('body') : page).screenshot({ path });
  await page.close();
}

try {
  const pipelines = join(world.project, 'pipelines');
  const [first, second] = [0, 1].map((night) =>
    world.media.filter(({ key }, index) => !key.startsWith('ads/') && Number(index % 12 === 0) === night),
  );
  await writeFile(
    join(pipelines, 'nightly.yaml'),
    describePipeline(world.site, 'ugc/, live/', ['politician', 'pulp', 'terror']),
  );
  await writeFile(
    join(pipelines, 'archive.yaml'),
    describePipeline(world.site, 'ads/, ugc/2026-11-19/', ['politician']),
  );
  await world.put(first ?? []);
  await type('run pipelines/nightly.yaml');
  const review = join(world.project, 'reports', 'nightly', 'latest', 'review.csv');
  const [head = '', ...rows] = (await readFile(review, 'utf8')).trimEnd().split('\r\n');
  const place = head.split(',').indexOf('decision');
  const decided = rows.map((row, index) => {
    const cells = row.split(',');
    if (index < 3) cells[place] = index === 0 ? 'block' : 'pass';
    return cells.join(',');
  });
  await writeFile(review, [head, ...decided, ''].join('\r\n'));
  await type('review import reports/nightly/latest/review.csv --by anna');
  await world.put(second ?? []);
  await type('run pipelines/nightly.yaml');
  await world.put(world.media);
  const typed = [];
  for (const line of ['estimate pipelines/archive.yaml', 'run pipelines/archive.yaml']) {
    typed.push(`\x1b[32m$\x1b[39m \x1b[1mmediasweep ${line}\x1b[22m\n${await type(line)}`);
  }
  const terminal = join(folder, 'terminal.html');
  await writeFile(terminal, terminalPage(renderTerminal(typed.join('\n\n'))));
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const report = join(world.project, 'reports', 'nightly', 'latest', 'report.html');
  await shoot(browser, pathToFileURL(report).href, join(images, 'report.png'), false);
  await shoot(browser, pathToFileURL(terminal).href, join(images, 'terminal.png'), true);
  await browser.close();
} finally {
  await world.close();
  await rm(folder, { recursive: true, force: true });
}
