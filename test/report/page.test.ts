/** `report.html` in a real browser: hostile content is inert, the content policy holds, filters and export work. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ItemRow } from '../../src/domain/ledger.ts';
import { embedJson, escapeHtml, html } from '../../src/report/html/markup.ts';
import { formatInstant } from '../../src/report/html/instant.ts';
import { makeContentPolicy } from '../../src/report/html/page.ts';
import type { ReportRequest } from '../../src/report/request.ts';
import { writeReports } from '../../src/report/write-reports.ts';
import {
  censor,
  makeBill,
  makeFinding,
  makeItem,
  makeRequest,
  makeRun,
  makeTask,
  quality,
  strict,
} from './library.ts';

const hostile = [
  '</script><script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '"><svg onload=window.hacked=1>',
  '<!--<script>',
  "'; window.hacked = 1; '",
  '=cmd|calc',
  'javascript:window.hacked=1',
  'line\nbreak\r\n\ttab',
  'nul\u0000nul',
  'right\u202Egpj.exe\u202C',
  '用户上传/视频 "引号" 😀.mp4',
  '${window.hacked = 1}',
  '&lt;b&gt;&amp;',
];

function makeFlaggedRow(
  number: number,
  key: string,
  label: string,
  score: number,
  op = 'politician',
): ItemRow {
  return {
    item: makeItem(number, key, { kind: 'video', durationSeconds: 60 }),
    tasks: [
      makeTask(censor, {
        finding: makeFinding({
          labels: [{ op, label, score, beginMs: 0, endMs: 5000 }],
          segments: [{ op, label, beginMs: 1000, endMs: 5000, maxScore: score, cuts: 2, needsReview: true }],
        }),
      }),
    ],
  };
}

function makeHostileRequest(rest: Partial<ReportRequest> = {}) {
  const rows = hostile.flatMap((text, index): ItemRow[] => [
    makeFlaggedRow(2 * index, text, text, 0.7 + index / 100),
    {
      item: makeItem(2 * index + 1, `failed ${text}`, { url: 'javascript:window.hacked=1' }),
      tasks: [
        makeTask(quality, {
          status: 'failed',
          reason: text,
          error: { class: text, code: text, message: text },
        }),
      ],
    },
  ]);
  const run = makeRun(rows, [quality, censor]);
  return makeRequest(rows, {
    run: { ...run, pipeline: '</title><script>window.hacked=1</script>', why: hostile[0] },
    bill: [makeBill({ observed: 3, charge: 1_000_000_000n, assumptions: { [hostile[1] ?? '']: 2 } })],
    broken: hostile.map((message, index) => ({ line: index + 1, message })),
    policy: { ...strict, rules: strict.rules.map((rule) => ({ ...rule, reason: hostile[0] ?? '' })) },
    ...rest,
  });
}

describe('markup', () => {
  test('escapes what is put into a template, and keeps what is markup', () => {
    expect(html`<b title="${'"\'<&>'}">${html`<i>${1}</i>`}${['<', '>']}${undefined}</b>`.markup).toBe(
      '<b title="&quot;&#39;&lt;&amp;&gt;"><i>1</i>&lt;&gt;</b>',
    );
  });

  test('shows what cannot be seen', () => {
    expect(escapeHtml('a\u0000b\n\u202Ec\u007F')).toBe('a\u2400b\u240A&lt;U+202E&gt;c&lt;U+007F&gt;');
  });

  test('in a data block cannot close it', () => {
    const text = embedJson(JSON.stringify({ key: '</script><!--' }));
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual({ key: '</script><!--' });
  });
});

describe('the content policy', () => {
  test('allows no source but hashes, and no media without public access', () => {
    const policy = makeContentPolicy(undefined);
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; script-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'$/,
    );
  });

  test('names the origin alone of public access', () => {
    expect(makeContentPolicy('https://cdn.example:8443/library/?a=1')).toContain(
      'img-src https://cdn.example:8443; media-src https://cdn.example:8443;',
    );
    expect(makeContentPolicy('javascript:alert(1)')).not.toContain('img-src');
  });
});

test.each([
  ['2026-11-20T02:00:05Z', 'Asia/Shanghai', '2026-11-20 10:00:05'],
  ['2026-11-20T16:00:00Z', 'Asia/Shanghai', '2026-11-21 00:00:00'],
  ['2026-11-20T02:00:05Z', 'UTC', '2026-11-20 02:00:05'],
  ['no time', 'UTC', 'no time'],
])('%s in %s is %s', (iso, timezone, expected) => {
  expect(formatInstant(iso, timezone)).toBe(expected);
});

test('a page without anything flagged says so, and whether there is a policy', async () => {
  const [judged, unjudged] = [makeRequest([]), makeRequest([], { policy: { name: 'none', rules: [] } })];
  await writeReports(judged);
  await writeReports(unjudged);
  expect(judged.folder.files.get('report.html')).toContain('No rule of the policy matched.');
  expect(unjudged.folder.files.get('report.html')).toContain('The pipeline has no policy');
});

const executablePath = '/usr/bin/chromium';
const isRequired = process.env.MEDIASWEEP_REQUIRE_SERVERS === '1';

describe.skipIf(!existsSync(executablePath) && !isRequired)('in Chromium', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    folder = await mkdtemp(join(tmpdir(), 'report-'));
  });
  afterAll(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  /** The page of a report, and everything that the browser complained about or asked for. */
  async function openPage(request: ReturnType<typeof makeRequest>) {
    await writeReports(request);
    const path = join(folder, `${Math.abs(hash(request.folder.files.get('report.html') ?? ''))}.html`);
    await writeFile(path, request.folder.files.get('report.html') ?? '');
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (asked) => requests.push(asked.url()));
    await page.goto(pathToFileURL(path).href);
    return { page, complaints, requests: () => requests.filter((url) => !url.startsWith('file:')) };
  }

  const readKeys = (page: Page) => page.locator('#items .key').allTextContents();

  test('hostile names, labels, reasons and messages are inert text, and nothing breaks the content policy', async () => {
    const { page, complaints, requests } = await openPage(makeHostileRequest());
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.locator('#items > li').count()).toBe(hostile.length);
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.locator('img, iframe, object, embed, a[href]').count()).toBe(0);
    expect(await page.locator('svg[onload], [onerror], [onclick], [style]').count()).toBe(0);
    const keys = await readKeys(page);
    expect(keys).toContain('</script><script>window.hacked = 1</script>');
    expect(keys).toContain('nul\u2400nul');
    expect(keys).toContain('right<U+202E>gpj.exe<U+202C>');
    for (const details of await page.locator('details > summary').all()) await details.click();
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(complaints).toEqual([]);
    expect(requests()).toEqual([]);
    await page.close();
  });

  test('items stand worst first, and filters by verdict, service, label and text narrow them', async () => {
    const rows = [
      makeFlaggedRow(1, 'b.mp4', 'Jane', 0.65),
      makeFlaggedRow(2, '用户/a.mp4', '张三', 0.8),
      makeFlaggedRow(3, 'c.mp4', '0', 0.95, 'pulp'),
      {
        item: makeItem(4, 'd.jpg'),
        tasks: [makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: 36 } }) })],
      },
      {
        item: makeItem(5, 'fine.jpg'),
        tasks: [makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: 90 } }) })],
      },
    ];
    const { page, complaints } = await openPage(makeRequest(rows));
    const all = ['c.mp4', '用户/a.mp4', 'b.mp4', 'd.jpg'];
    expect(await readKeys(page)).toEqual(all);
    await page.selectOption('#by-verdict', 'block');
    expect(await readKeys(page)).toEqual(['c.mp4']);
    await page.click('#clear');
    expect(await readKeys(page)).toEqual(all);
    await page.selectOption('#by-service', quality.name);
    expect(await readKeys(page)).toEqual(['d.jpg']);
    await page.selectOption('#by-service', '');
    await page.selectOption('#by-label', '张三');
    expect(await readKeys(page)).toEqual(['用户/a.mp4']);
    await page.selectOption('#by-label', '');
    await page.fill('#by-text', 'POOR');
    expect(await readKeys(page)).toEqual(['d.jpg']);
    await page.fill('#by-text', 'nowhere');
    expect(await readKeys(page)).toEqual([]);
    expect(await page.textContent('#found')).toBe('Nothing matches, filtered from 4');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('pages of 50 are turned with the keyboard', async () => {
    const rows = Array.from({ length: 120 }, (_, index) => makeFlaggedRow(index, `${index}.mp4`, 'A', 0.9));
    const { page } = await openPage(makeRequest(rows));
    expect(await page.textContent('#found')).toBe('1 to 50 of 120');
    await page.getByRole('button', { name: 'Next page' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.textContent('#found')).toBe('51 to 100 of 120');
    expect((await readKeys(page))[0]).toBe('50.mp4');
    await page.getByRole('button', { name: 'Next page' }).press('Enter');
    expect(await page.getByRole('button', { name: 'Next page' }).isDisabled()).toBe(true);
    await page.close();
  });

  test('the filtered rows are exported as a guarded CSV', async () => {
    const { page, complaints } = await openPage(makeHostileRequest());
    await page.fill('#by-text', 'cmd');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
    const text = await readFile(await download.path(), 'utf8');
    expect(text.startsWith('\uFEFFitem,bucket,key,')).toBe(true);
    const rows: Record<string, string>[] = parse(text, { bom: true, columns: true });
    expect(rows.map((row) => [row.key, row.verdict, row.label])).toEqual([
      ["'=cmd|calc", 'review', "'=cmd|calc"],
    ]);
    await page.fill('#by-text', '');
    const [whole] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
    const back: Record<string, string>[] = parse(await readFile(await whole.path(), 'utf8'), {
      bom: true,
      columns: true,
    });
    const cut = (key: string | undefined) => key?.replace(/^'(?==)/, '');
    expect(new Set(back.map((row) => cut(row.key)))).toEqual(new Set(hostile));
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('media load only on a click, and only from the public origin', async () => {
    const rows = [makeFlaggedRow(1, 'a b.mp4', 'A', 0.9)];
    const { page, complaints, requests } = await openPage(
      makeRequest(rows, { publicBaseUrl: 'http://127.0.0.1:9/media' }),
    );
    expect(await page.locator('video').count()).toBe(0);
    expect(requests()).toEqual([]);
    await page.locator('.timeline summary').click();
    await page.getByRole('button', { name: 'Play from 0:01.0' }).click();
    expect(await page.locator('video').getAttribute('src')).toBe('http://127.0.0.1:9/media/a%20b.mp4');
    expect(
      await page
        .locator('video')
        .evaluate((video: unknown) => (video as { currentTime: number }).currentTime),
    ).toBe(1);
    expect(new Set(requests())).toEqual(new Set(['http://127.0.0.1:9/media/a%20b.mp4']));
    expect(complaints.filter((text) => /Content Security Policy/i.test(text))).toEqual([]);
    await page.close();
  });

  test('without public access nothing offers to load media', async () => {
    const { page } = await openPage(makeRequest([makeFlaggedRow(1, 'a.mp4', 'A', 0.9)]));
    expect(await page.getByRole('button', { name: /^Load/ }).count()).toBe(0);
    await page.close();
  });

  test('the page fits a phone, and every control has a name', async () => {
    const { page } = await openPage(makeHostileRequest({ publicBaseUrl: 'https://cdn.example/' }));
    await page.setViewportSize({ width: 375, height: 700 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375);
    for (const control of await page.locator('button, select, input').all()) {
      const name = await control.evaluate((node: unknown) => {
        const { ariaLabel, textContent, labels } = node as Control;
        return ariaLabel || labels[0]?.textContent || textContent;
      });
      expect(name).toMatch(/\S/);
    }
    for (const chart of await page.locator('svg[role=img]').all()) {
      expect(await chart.getAttribute('aria-label')).toMatch(/\S/);
    }
    await page.close();
  });

  test('state, flagged, spend and failures stand in the first screen', async () => {
    const { page } = await openPage(makeHostileRequest());
    for (const selector of ['.state', '.figures']) {
      const box = await page.locator(selector).boundingBox();
      expect((box?.y ?? 800) + (box?.height ?? 0)).toBeLessThan(800);
    }
    expect(await page.locator('.figure h2').allTextContents()).toEqual([
      'Flagged',
      'Items',
      'Spent',
      'Failed and held',
    ]);
    await page.close();
  });

  test('50,000 of more flagged items are carried and filtered, and the page says that there are more', async () => {
    const rows = Array.from({ length: 50_200 }, (_, index) =>
      makeFlaggedRow(index, `ugc/${index}.mp4`, `person ${index % 50}`, 0.6 + (index % 400) / 1000),
    );
    const { page, complaints } = await openPage(
      makeRequest(rows, { reports: { formats: ['html'], timezone: 'UTC', excel: true } }),
    );
    expect(await page.textContent('.note')).toContain('The worst 50,000 of 50,200 are on this page.');
    expect(await page.textContent('#found')).toBe('1 to 50 of 50,000');
    await page.fill('#by-text', 'ugc/49999.mp4');
    expect(await readKeys(page)).toEqual(['ugc/49999.mp4']);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

/** What the browser knows of a form control. */
interface Control {
  readonly ariaLabel: string | null;
  readonly textContent: string;
  readonly labels: readonly { readonly textContent: string }[];
}

/** Names a file after its content. */
function hash(text: string): number {
  let sum = 0;
  for (let index = 0; index < text.length; index += 97) sum = (sum * 31 + text.charCodeAt(index)) | 0;
  return sum;
}
