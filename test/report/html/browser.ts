/** A report in a real browser: Chromium from the system's package, and what it complained about or asked for. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { writeReports } from '../../../src/report/write-reports.ts';
import type { makeRequest } from '../library.ts';

const executablePath = '/usr/bin/chromium';
const isRequired = process.env.MEDIASWEEP_REQUIRE_SERVERS === '1';
/** Where the browser is missing its suites are skipped, but for CI, where they fail. */
export const isSkipped = !existsSync(executablePath) && !isRequired;

/** Without sandbox, since CI runs as root; what it opens are our own files. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const desktop = { width: 1280, height: 800 } as const;
export const phone = { width: 390, height: 844 } as const;

export interface OpenPage {
  readonly page: Page;
  /** Errors, and everything that was written to the console. */
  readonly complaints: readonly string[];
  /** What was asked for beside the file itself. */
  readonly requests: () => readonly string[];
}

/** Opens the browser for the tests of a file, and closes it after them. */
export function useBrowser() {
  let browser: Browser;
  let folder: string;
  let pages = 0;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args });
    folder = await mkdtemp(join(tmpdir(), 'report-'));
  });
  afterAll(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  return async function openPage(
    request: ReturnType<typeof makeRequest>,
    options: BrowserContextOptions & { readonly hash?: string } = {},
  ): Promise<OpenPage> {
    const { hash = '', ...context } = options;
    await writeReports(request);
    pages += 1;
    const path = join(folder, `${pages}.html`);
    await writeFile(path, request.folder.files.get('report.html') ?? '');
    const page = await browser.newPage({ viewport: desktop, ...context });
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (asked) => requests.push(asked.url()));
    await page.goto(pathToFileURL(path).href + hash);
    // The list unpacks itself after the page is there.
    await page.locator('body:not(:has(#items[aria-busy]))').waitFor();
    return { page, complaints, requests: () => requests.filter((url) => !url.startsWith('file:')) };
  };
}

export function readKeys(page: Page): Promise<string[]> {
  return page.locator('#items .key').allTextContents();
}
