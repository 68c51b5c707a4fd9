/** `report.html` for everybody: first screen, phone, paper, dark, keyboard, screen readers, Chinese. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { ItemRow } from '../../../src/domain/ledger.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import {
  censor,
  makeBill,
  makeItem,
  makeLedger,
  makeRequest,
  makeRun,
  makeTask,
  quality,
  strict,
} from '../library.ts';
import { desktop, isSkipped, phone, readKeys, useBrowser } from './browser.ts';
import { makeHostileRequest, makeImageRow, makeVideoRow } from './rows.ts';

const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** Every section filled, and all words of the outside in Cyrillic, so that what is in Latin letters is ours. */
function makeWholeRequest(language: 'en' | 'zh') {
  const [ждун, око] = [
    { ...quality, name: 'ждун', use: 'ждун', account: 'касса', delivery: 'вручную' },
    { ...censor, name: 'око', use: 'око', account: 'касса', delivery: 'вручную' },
  ];
  const rename = (row: ItemRow): ItemRow => ({
    ...row,
    tasks: row.tasks.map((task) => ({
      ...task,
      service: task.service === quality.name ? ждун.name : око.name,
      account: 'касса',
    })),
  });
  const trouble = (
    number: number,
    status: 'failed' | 'held' | 'skipped' | 'over-cap' | 'open',
    name: string,
  ): ItemRow => ({
    item: makeItem(number, `беда/${number}`),
    content: `${number}`,
    tasks: [makeTask(ждун, { status, reason: name, error: { class: name, code: 'код', message: 'слова' } })],
  });
  const rows = [
    makeVideoRow(1, 'лес/а', 'имя', 0.95),
    makeVideoRow(2, 'лес/б', '0', 0.97, 'pulp'),
    makeImageRow(3, 'поле/в', 12),
    makeImageRow(4, 'поле/г', 90),
  ].map(rename);
  rows.push(
    trouble(5, 'failed', 'media-missing'),
    trouble(6, 'held', 'unknown-fate'),
    trouble(7, 'skipped', 'причина'),
    trouble(8, 'over-cap', 'причина'),
    trouble(9, 'open', 'причина'),
  );
  const before = rows
    .slice(0, 3)
    .map((row, index) => (index === 0 ? { ...row, tasks: [makeTask(око)] } : row));
  const earlier = makeRun(before, [ждун, око], { id: '20261119', startedAt: '2026-11-19T02:00:00Z' });
  const bill = [
    makeBill({
      sku: 'мера',
      account: 'касса',
      currency: 'руб',
      observed: 10,
      estimated: 4,
      uncertain: 2,
      free: 1,
      pack: 2,
      charge: 12_000_000_000n,
      assumptions: { допущение: 2 },
    }),
    makeBill({ sku: 'вес', account: 'касса', currency: 'руб', observed: 3, isComplete: false }),
  ];
  const caps = [
    {
      scope: 'run' as const,
      isLoopback: false,
      name: 'предел',
      spent: 5_000_000_000n,
      reserved: 1_000_000_000n,
      limit: 9_000_000_000n,
    },
    {
      scope: 'run' as const,
      isLoopback: false,
      name: 'мерка',
      sku: 'мера',
      spent: 12n,
      reserved: 0n,
      limit: 100n,
    },
  ];
  const spending = { spent: 5_000_000_000n, reserved: 0n, currency: 'руб', caps, overrun: { мера: 3 } };
  const broken = [{ line: 3, message: 'слова' }];
  const rules = strict.rules.map((rule) => ({
    ...rule,
    service: rule.service === quality.name ? ждун.name : око.name,
    reason: 'причина',
  }));
  const policy: Policy = { name: 'строго', rules };
  const run = makeRun(rows, [ждун, око], {
    id: '20261120',
    hash: '1',
    pipeline: 'ночь',
    exitCode: 1,
    why: 'finished with 1 failure and 1 held task',
    listing: 'partial',
  });
  const tiers = [{ upTo: 10, price: 2_000_000_000n }, { price: 1_000_000_000n }];
  const price = {
    sku: 'мера',
    unit: 'шт',
    per: 100,
    tiers,
    free: { units: 1, per: 'once' as const },
    currency: 'руб',
    timezone: 'UTC',
  };
  return makeRequest(rows, {
    run,
    services: [ждун, око],
    policy,
    prices: { currency: 'руб', timezone: 'UTC', skus: new Map([['мера', price]]) },
    ledger: {
      ...makeLedger(rows, bill, broken, spending),
      readNamed: async (_run: string, ids: readonly string[]) =>
        before.filter(({ item }) => ids.includes(item.id)),
    },
    previous: { run: earlier, policy },
    publicBaseUrl: 'https://пример.example/',
    reports: { formats: ['html'], timezone: 'UTC', excel: true, language },
  });
}

async function findFaults(page: Page): Promise<unknown> {
  await page.evaluate(axe);
  return await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')))`);
}

describe.skipIf(isSkipped)('in Chromium', () => {
  const openPage = useBrowser();

  test('state, flagged, change, spend and failures stand in the first screen, and the worst item too', async () => {
    const { page } = await openPage(makeWholeRequest('en'));
    expect(await page.locator('.figure h2').allTextContents()).toEqual([
      'Flagged',
      'Change',
      'Spent',
      'Failed and held',
    ]);
    for (const shown of await page.locator('h1, .state, .figure, #filters, #items > li:first-child').all()) {
      const { x = 0, y = desktop.height, width = 0, height = 0 } = (await shown.boundingBox()) ?? {};
      expect(y + height).toBeLessThanOrEqual(desktop.height);
      expect(x + width).toBeLessThanOrEqual(desktop.width);
    }
    await page.close();
  });

  test.each([
    'light',
    'dark',
  ] as const)('axe finds no fault in the %s page, with everything opened', async (colorScheme) => {
    const { page, complaints } = await openPage(makeWholeRequest('en'), { colorScheme });
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    expect(await findFaults(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('the keyboard alone reaches the list, every filter in order, and what each item offers', async () => {
    const { page } = await openPage(makeWholeRequest('en'));
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the flagged items');
    await page.keyboard.press('Enter');
    const reached: string[] = [];
    for (let step = 0; step < 14; step += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        String(await page.evaluate('document.activeElement.id || document.activeElement.textContent')),
      );
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none');
    }
    expect(reached).toEqual([
      'by-verdict',
      'by-service',
      'by-label',
      'by-place',
      'by-change',
      'by-least',
      'by-most',
      'by-text',
      'clear',
      'export',
      'copy',
      'show',
      '1 segment, 1 label',
      'copy',
    ]);
    await page.close();
  });

  test('what a filter found is said aloud, politely', async () => {
    const { page } = await openPage(makeWholeRequest('en'));
    expect(await page.locator('#found[role=status][aria-live=polite]').textContent()).toBe('1 to 3 of 3');
    await page.getByLabel('Search').fill('поле');
    expect(await page.locator('#found').textContent()).toBe('1 to 1 of 1, filtered from 3');
    expect(await readKeys(page)).toEqual(['поле/в']);
    await page.close();
  });

  test('a phone shows everything without scrolling sideways, hostile names too, and has room for a finger', async () => {
    for (const request of [makeWholeRequest('en'), makeWholeRequest('zh'), makeHostileRequest()]) {
      const { page } = await openPage(request, { viewport: phone, isMobile: true, hasTouch: true });
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(phone.width);
      const heights = await page.evaluate(
        '[...document.querySelectorAll("#filters select, #filters button, #items button")].map((one) => one.getBoundingClientRect().height)',
      );
      expect(Math.min(...(heights as number[]))).toBeGreaterThanOrEqual(24);
      await page.close();
    }
  });

  test('paper gets the figures, the items and the bill, in black on white, without controls', async () => {
    const { page } = await openPage(makeWholeRequest('en'), { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    for (const control of ['#filters', '.contents', '#items button']) {
      expect(await page.locator(control).first().isVisible()).toBe(false);
    }
    for (const part of ['.state', '.figures', '#items > li', '#bill table', '#failures']) {
      expect(await page.locator(part).first().isVisible()).toBe(true);
    }
    const colours = await page.evaluate(
      '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
    );
    expect(colours).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
    await page.close();
  });

  test('a print has every item that the filters left, on a screen a page of them again', async () => {
    const rows = Array.from({ length: 120 }, (_, index) =>
      makeVideoRow(index, `${index % 2 === 0 ? 'even' : 'odd'}/${index}.mp4`, 'Jane', 0.7),
    );
    const { page, complaints } = await openPage(makeRequest(rows));
    await page.click('#pages button:last-of-type');
    const count = () => page.locator('#items > li').count();
    const seen: number[] = [];
    await page.exposeFunction('tell', (items: number) => seen.push(items));
    await page.evaluate(
      "addEventListener('beforeprint', () => tell(document.querySelectorAll('#items > li').length))",
    );
    await page.pdf();
    await page.fill('#by-place', 'media/even/');
    await page.pdf();
    expect(seen).toEqual([120, 60]);
    await page.fill('#by-place', '');
    await page.click('#pages button:last-of-type');
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.locator('#about details').getAttribute('open')).toBe('');
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await page.locator('#about details').getAttribute('open')).toBeNull();
    expect([await count(), await page.textContent('#found')]).toEqual([50, '51 to 100 of 120']);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('the Chinese page holds no English word but names of files, commands and keys', async () => {
    const { page, complaints } = await openPage(makeWholeRequest('zh'));
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    await page.locator('.moments').first().waitFor();
    const words = await page.evaluate(`(() => {
      for (const one of document.querySelectorAll('script, style, noscript, code, [lang=en], .key')) one.remove();
      const attributes = ['aria-label', 'title', 'placeholder', 'alt'];
      const spoken = [...document.querySelectorAll('*')].flatMap((node) => attributes.map((name) => node.getAttribute(name) ?? ''));
      return [document.title, document.body.textContent, ...spoken].join(' ');
    })()`);
    // Ours that are names: files, keys of the pipeline's file, options of the vendor, commands.
    const names =
      /(?:items|findings|failures|segments|bill)\.csv|tasks\.jsonl|summary\.json|mediasweep [\w -]+|CSV|select|access|UTC|media-missing|unknown-fate|pulp|politician|iqa_result|media\b|KB|\bB\b/g;
    expect(
      String(words)
        .replaceAll(names, '')
        .match(/[A-Za-z]+/g) ?? [],
    ).toEqual([]);
    expect(await page.textContent('#found')).toBe('第 1 至 3 个，共 3 个');
    expect(complaints).toEqual([]);
    await page.close();
  });
});
