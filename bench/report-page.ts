/**
 * What a report with 50,000 flagged videos weighs, how long it takes to write, and how long a reader waits for it to open,
 * to filter and to search. Alone: `node bench/built/bench/report-page.js [items]`. Needs Chromium from the system's package.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import type { ItemRow } from '../src/domain/ledger.ts';
import { writeReports } from '../src/report/write-reports.ts';
import { censor, makeFinding, makeItem, makeRequest, makeTask } from '../test/report/library.ts';

const people = 400;
const segmentsPerItem = 4;

/** A video of five minutes whose name, person, score and times are its own; the same ones in every run. */
function makeRow(number: number): ItemRow {
  const spread = (salt: number) => ((number * 2_654_435_761 + salt * 40_503) >>> 0) / 2 ** 32;
  const name = Math.floor(spread(1) * 2 ** 40).toString(36);
  const key = `ugc/2026/11/${1 + (number % 28)}/user-${Math.floor(spread(2) * 10_000)}/${name}.mp4`;
  const [op, label] =
    number % 3 === 0 ? ['pulp', '0'] : ['politician', `person ${Math.floor(spread(3) * people)}`];
  const segments = Array.from({ length: segmentsPerItem }, (_, index) => {
    const beginMs = Math.floor(spread(10 + index) * 290_000);
    const maxScore = Math.round((0.6 + 0.4 * spread(20 + index)) * 1e6) / 1e6;
    return { op, label, beginMs, endMs: beginMs + 5000, maxScore, cuts: 2, needsReview: false };
  });
  const score = Math.max(...segments.map((segment) => segment.maxScore));
  return {
    item: makeItem(number, key, { kind: 'video', durationSeconds: 300 }),
    content: key,
    tasks: [
      makeTask(censor, { finding: makeFinding({ labels: [{ op, label, score, segments: 4 }], segments }) }),
    ],
  };
}

/** A ledger that turns its pages as fast as an index does. */
function makeFastRequest(rows: readonly ItemRow[]) {
  const request = makeRequest(rows, {
    reports: { formats: ['html'], timezone: 'Asia/Shanghai', excel: true, language: 'en' },
  });
  const places = new Map(rows.map((row, index) => [row.item.position, index]));
  const readItems = async (_run: string, after: Uint8Array | undefined, limit: number) => {
    const from = after === undefined ? 0 : (places.get(after) ?? rows.length) + 1;
    return rows.slice(from, from + limit);
  };
  return { ...request, ledger: { ...request.ledger, readItems } };
}

/** Milliseconds until the browser has shown what the action brought about. */
async function time(page: Page, action: string): Promise<number> {
  return Number(
    await page.evaluate(`(async () => {
      const begin = performance.now();
      ${action}
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
      return performance.now() - begin;
    })()`),
  );
}

async function read(path: string) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const begin = performance.now();
  await page.goto(pathToFileURL(path).href);
  await page.locator('body:not(:has(#items[aria-busy]))').waitFor();
  const openMs = performance.now() - begin;
  const put = (id: string, value: string) =>
    `document.getElementById('${id}').value = '${value}'; document.getElementById('${id}').dispatchEvent(new Event('input'));`;
  const filterMs = await time(page, put('by-label', 'pulp 0'));
  const placeMs = await time(page, put('by-place', 'media/ugc/2026/11/7/'));
  const firstSearchMs = await time(
    page,
    `${put('by-label', '')}${put('by-place', '')}${put('by-text', 'user-77')}`,
  );
  const searchMs = await time(page, put('by-text', 'user-778'));
  const clearMs = await time(page, put('by-text', ''));
  const nextMs = await time(page, 'document.querySelector("#pages button:last-child").click();');
  const heapBytes = Number(await page.evaluate('performance.memory.usedJSHeapSize'));
  await browser.close();
  return { openMs, filterMs, placeMs, firstSearchMs, searchMs, clearMs, nextMs, heapBytes };
}

const count = Number(process.argv[2] ?? 50_000);
const rows = Array.from({ length: count }, (_, index) => makeRow(index));
const folder = await mkdtemp(join(tmpdir(), 'report-page-'));
try {
  const request = makeFastRequest(rows);
  const begin = performance.now();
  await writeReports(request);
  const writeMs = performance.now() - begin;
  const html = request.folder.files.get('report.html') ?? '';
  const path = join(folder, 'report.html');
  await writeFile(path, html);
  const figures = { count, bytes: Buffer.byteLength(html), writeMs, ...(await read(path)) };
  console.log(
    JSON.stringify(figures, (_, value) => (typeof value === 'number' ? Math.round(value) : value), 2),
  );
} finally {
  await rm(folder, { recursive: true });
}
