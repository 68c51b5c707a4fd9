/**
 * A bucket whose names, and a vendor whose words, are written to harm: the whole command line over them, then every file
 * that it wrote opened as people do, in a browser and a spreadsheet, and every path that it made.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { loadLibrary } from '../../src/rehearsal/library.ts';
import { serve } from '../../src/wire/server.ts';
import { isSkipped } from '../report/html/browser.ts';
import { openWorld } from '../support/outside-world.ts';

const long = 'n'.repeat(1019);
const keys: readonly string[] = [
  '../../outside.jpg',
  '../../../../../../tmp/mediasweep-outside.jpg',
  '/etc/passwd.jpg',
  '/.jpg',
  './x.jpg',
  'a/../b.jpg',
  '..\\..\\windows.jpg',
  'C:\\x.jpg',
  'nul\0byte.jpg',
  'control\u0001\u001F\u007F.jpg',
  'line\r\nbreak.jpg',
  `${long}1.jpg`,
  `${long}2.jpg`,
  `${'猫'.repeat(340)}.jpg`,
  'Case.jpg',
  'case.jpg',
  'CASE.JPG',
  'caf\u00E9.jpg',
  'cafe\u0301.jpg',
  'CON.jpg',
  '.part.jpg',
  'latest.jpg',
  '-rf.jpg',
  '$(touch hacked).jpg',
  '=HYPERLINK("http://evil.example","x").jpg',
  '+1.jpg',
  '-1.jpg',
  '@SUM(1).jpg',
  '\t=1.jpg',
  '\uFF1D1.jpg',
  'a;=1+1.jpg',
  'a","=1+1.jpg',
  '</script><script>window.hacked=1;alert(1)</script>.jpg',
  '<img src="https://evil.example/x" onerror="window.hacked=1">.jpg',
  'javascript:window.hacked=1;.jpg',
  'data:text/html,<script>window.hacked=1</script>.jpg',
  '\u202Egnp.jpg',
  '__proto__.jpg',
];

const words = [
  '=1+1',
  '-1',
  "@SUM(1)|cmd'!A0",
  '\t=1',
  'x;=1',
  'x\n=1',
  '\uFF0B1',
  '</script><script>window.hacked=1;alert(1)</script>',
  '"><img src="https://evil.example/pixel" onerror="window.hacked=1">',
  'javascript:window.hacked=1',
  'see https://evil.example/?X-Amz-Signature=canary-of-the-vendor',
  'nul\0byte',
  '\u001B]0;hacked\u0007\u001B[2J',
];

/** Own words for what OWASP and the makers of spreadsheets name, so that it cannot be wrong together with the guard. */
function isFormula(cell: string): boolean {
  if (/^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(cell)) return false;
  return cell.split(/[;\t\r\n]/).some((part) => {
    const seen = part.replace(/^[\s\p{C}]+/u, '').normalize('NFKC');
    return ['=', '+', '-', '@'].includes(seen[0] ?? '');
  });
}

const everyFile = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

interface Written {
  readonly folder: string;
  readonly files: readonly string[];
  readonly outputs: readonly string[];
}

async function auditHostileLibrary(): Promise<Written> {
  const world = await openWorld();
  const { folder } = world;
  let answered = 0;
  const vendor = await serve(
    async ({ body }) => {
      answered += 1;
      const word = words[answered % words.length] ?? '';
      const asked = JSON.parse(Buffer.from(body).toString('utf8')) as { readonly model_name?: string };
      if (asked.model_name === 'body_reshaping') {
        const data = Buffer.from(`<svg onload="window.hacked=1">${answered}</svg>`).toString('base64');
        return { status: 200, body: JSON.stringify({ code: 'OK', message: word, data }) };
      }
      if (answered % 4 === 0) {
        return { status: 400, body: JSON.stringify({ code: word, message: `${word} ${word}` }) };
      }
      const tag_result = [{ tag: word, score: 0.9 }];
      return {
        status: 200,
        body: JSON.stringify({
          code: 'OK',
          message: word,
          data: { image_height: 1, image_width: 1, tag_result },
        }),
      };
    },
    { maxBodyBytes: 1_000_000, timeoutMs: 5000 },
  );
  onTestFinished(() => vendor.close());
  const [image] = (await loadLibrary()).filter(({ mediaType }) => mediaType === 'image/jpeg');
  for (const [index, key] of keys.entries()) {
    await world.put(
      key,
      Buffer.concat([image?.bytes ?? Buffer.alloc(0), Buffer.from([index])]),
      'image/jpeg',
    );
  }
  const path = await world.writePipeline(
    'hostile',
    `source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-labels }, { use: pai/body-reshaping }]
policy: { rules: [{ name: "=1+1 </script><script>window.hacked=1</script>", service: pai/image-labels, op: tag, score: ">= 0.5", verdict: block }] }
`,
  );
  const environment = { ...world.environment, MEDIASWEEP_PAI_PORT: String(vendor.port) };
  Object.assign(world.environment, environment);
  const ended = [
    await world.run('run', path),
    await world.run('run', path, '--new'),
    await world.run('cost', '--csv', 'cost.csv', '--html', 'cost.html', '--by', 'pipeline'),
    await world.run('judge', 'hostile', '--policy', 'none', '--csv', 'flips.csv'),
    await world.run('diff', 'hostile~1', 'hostile', '--csv', 'changes.csv'),
    await world.run('failed', 'list'),
    await world.run('status', 'hostile'),
  ];
  const outputs = ended.map(({ out, err }) => `${out}${err}`);
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([1, 1, 0, 0, 0, 0, 0]);
  return { folder, files: await everyFile(folder), outputs };
}

/** Nothing is written outside of its folders, and artifacts bear names of their own. */
function expectInside({ folder, files }: Written): void {
  const places = files.map((file) => relative(folder, file));
  const known =
    /^(?:config\/|pipelines\/hostile\.yaml$|cost\.csv$|cost\.html$|flips\.csv$|changes\.csv$|\.mediasweep\/|reports\/hostile\/(?:[\w-]+\/[a-z]+\.(?:csv|json|jsonl|html)|artifacts\/[\da-f]{64}\.bin)$)/;
  expect(places.filter((place) => !known.test(place))).toEqual([]);
  const artifacts = places.filter((place) => place.includes('/artifacts/'));
  expect(artifacts.length).toBeGreaterThan(20);
  for (const outside of ['outside.jpg', 'mediasweep-outside.jpg', 'hacked']) {
    expect(existsSync(join(folder, '..', outside))).toBe(false);
    expect(existsSync(join(folder, outside))).toBe(false);
    expect(existsSync(join('/tmp', outside))).toBe(false);
  }
}

/** Every name is accounted for as it is, twins apart. */
async function expectAccounted({ folder }: Written): Promise<void> {
  const run = join(folder, 'reports', 'hostile', 'latest');
  const lines = (await readFile(join(run, 'tasks.jsonl'), 'utf8')).trimEnd().split('\n');
  const tasks = lines.map((line) => JSON.parse(line) as { readonly key: string; readonly status: string });
  expect(new Set(tasks.map(({ key }) => key))).toEqual(new Set(keys));
  expect(tasks.length).toBe(2 * keys.length);
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8'));
  const { items, answered, reused, failed, skipped } = summary.counts;
  expect(items).toBe(keys.length);
  expect(answered + reused + failed + skipped).toBe(2 * keys.length);
  // Failures are told exactly, since they are a manifest.
  const failures = parse(await readFile(join(run, 'failures.csv')), { columns: true });
  for (const { key } of failures as readonly { readonly key: string }[]) expect(keys).toContain(key);
}

/** No table for people has a cell that a spreadsheet would run. */
async function expectNoFormula({ folder, files }: Written): Promise<void> {
  const tables = files.filter((file) => file.endsWith('.csv') && !/\/(?:failures|broken)\.csv$/.test(file));
  expect(tables.map((file) => file.split('/').at(-1))).toEqual(
    expect.arrayContaining([
      'items.csv',
      'findings.csv',
      'review.csv',
      'bill.csv',
      'cost.csv',
      'flips.csv',
      'changes.csv',
    ]),
  );
  let cells = 0;
  const formulas: string[] = [];
  for (const table of tables) {
    const rows = parse(await readFile(table), { bom: true }) as string[][];
    for (const cell of rows.flat()) {
      cells += 1;
      if (isFormula(cell)) formulas.push(`${relative(folder, table)}: ${JSON.stringify(cell)}`);
    }
  }
  expect(cells).toBeGreaterThan(1000);
  expect(formulas).toEqual([]);
  expect(['=1', ' +1', '\uFF1D1', 'a;=1', 'a\n@b', '-x'].every(isFormula)).toBe(true);
}

/** No control character reaches the terminal, and no signature of a vendor’s words is stored. */
async function expectCleanWords({ files, outputs }: Written): Promise<void> {
  for (const text of outputs) {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for.
    expect(text).not.toMatch(/[\u0000-\u0008\u000B-\u001A\u001C-\u001F\u007F]|\u001B(?!\[\d*m)/);
  }
  for (const file of files) {
    expect((await readFile(file, 'latin1')).includes('canary-of-the-vendor')).toBe(false);
  }
}

/** Ledger, locks and backups are for the owner alone, whatever the umask. */
async function expectOwnersAlone({ folder }: Written): Promise<void> {
  const state = join(folder, '.mediasweep');
  const entries = await readdir(state, { recursive: true });
  expect(entries).toEqual(
    expect.arrayContaining(['ledger.db', 'locks/hostile.lock', 'locks/hostile.json', 'backups']),
  );
  const open: string[] = [];
  for (const entry of ['', ...entries]) {
    const { mode } = await stat(join(state, entry));
    if ((mode & 0o077) !== 0) open.push(`${entry} ${(mode & 0o777).toString(8)}`);
  }
  expect(open).toEqual([]);
}

/** No page runs, asks for or says anything in a browser. */
async function expectInert({ files }: Written): Promise<void> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  onTestFinished(() => browser.close());
  const pages = files.filter((file) => file.endsWith('.html'));
  expect(pages.length).toBeGreaterThanOrEqual(3);
  const counts = { dialogs: 0, requests: 0, complaints: 0, hacked: 0, links: 0 };
  for (const file of pages) {
    const page = await browser.newPage();
    page.on('dialog', (dialog) => {
      counts.dialogs += 1;
      void dialog.dismiss();
    });
    page.on('request', (asked) => {
      if (!asked.url().startsWith('file:')) counts.requests += 1;
    });
    page.on('console', () => (counts.complaints += 1));
    page.on('pageerror', () => (counts.complaints += 1));
    await page.goto(pathToFileURL(file).href);
    await page.locator('body:not(:has(#items[aria-busy]))').waitFor();
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    const found = (await page.evaluate(`({
      hacked: Number(window.hacked !== undefined),
      links: [...document.querySelectorAll('[href], [src], [action], [formaction], [data]')].filter((one) =>
        !['#', 'blob:'].some((good) => (one.getAttribute('href') ?? '').startsWith(good))).length,
    })`)) as { readonly hacked: number; readonly links: number };
    counts.hacked += found.hacked;
    counts.links += found.links;
    await page.close();
  }
  expect(counts).toEqual({ dialogs: 0, requests: 0, complaints: 0, hacked: 0, links: 0 });
}

test('a hostile library under a hostile vendor is audited as any other, and harms nobody who reads of it', async () => {
  // As careless as a host can be: what is to be the owner's alone must say so itself.
  const umask = process.umask(0);
  onTestFinished(() => {
    process.umask(umask);
  });
  const written = await auditHostileLibrary();
  expectInside(written);
  await expectAccounted(written);
  await expectNoFormula(written);
  await expectCleanWords(written);
  await expectOwnersAlone(written);
  if (!isSkipped) await expectInert(written);
}, 240_000);
