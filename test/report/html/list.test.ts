/** The flagged items of `report.html` in a real browser: inert, filtered, paged, exported, played. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  makeFinding,
  makeItem,
  makeLedger,
  makeRequest,
  makeRun,
  makeTask,
  censor,
  quality,
  strict,
} from '../library.ts';
import { isSkipped, readKeys, useBrowser } from './browser.ts';
import { hostile, makeHostileRequest, makeImageRow, makeVideoRow } from './rows.ts';

describe.skipIf(isSkipped)('in Chromium', () => {
  const openPage = useBrowser();

  test('hostile names, labels, reasons and messages are inert text, and nothing breaks the content policy', async () => {
    const { page, complaints, requests } = await openPage(
      makeHostileRequest({ publicBaseUrl: 'https://cdn.example/' }),
    );
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.locator('#items > li').count()).toBe(hostile.length);
    // The settings and our own script; the packed items are gone once they are read.
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.locator('img, video, iframe, object, embed, a:not([href^="#"])').count()).toBe(0);
    expect(await page.locator('svg[onload], [onerror], [onclick], [style]').count()).toBe(0);
    const keys = await readKeys(page);
    expect(keys).toContain('</script><script>window.hacked = 1</script>');
    expect(keys).toContain('nul\u2400nul');
    expect(keys).toContain('right<U+202E>gpj.exe<U+202C>');
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    for (const label of await page.locator('#by-label option').all()) {
      await page.selectOption('#by-label', (await label.getAttribute('value')) ?? '');
    }
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(complaints).toEqual([]);
    expect(requests()).toEqual([]);
    await page.close();
  });

  const mixed = [
    makeVideoRow(1, 'live/b.mp4', 'Jane', 0.65),
    makeVideoRow(2, '用户/a.mp4', '张三', 0.8),
    makeVideoRow(3, 'live/c.mp4', '0', 0.95, 'pulp'),
    makeImageRow(4, 'd.jpg', 36),
    makeImageRow(5, 'fine.jpg', 90),
  ];
  const all = ['live/c.mp4', '用户/a.mp4', 'live/b.mp4', 'd.jpg'];

  test('items stand worst first, and filters by verdict, service, label, folder, score and text narrow them', async () => {
    const { page, complaints } = await openPage(makeRequest(mixed));
    expect(await readKeys(page)).toEqual(all);
    const cases: readonly (readonly [fill: (page: Page) => Promise<unknown>, keys: readonly string[]])[] = [
      [() => page.selectOption('#by-verdict', 'block'), ['live/c.mp4']],
      [() => page.selectOption('#by-service', quality.name), ['d.jpg']],
      [() => page.selectOption('#by-label', 'politician 张三'), ['用户/a.mp4']],
      [() => page.fill('#by-place', 'media/live/'), ['live/c.mp4', 'live/b.mp4']],
      [() => page.fill('#by-place', 'live/c'), ['live/c.mp4']],
      [() => page.fill('#by-place', 'media/'), all],
      [() => page.fill('#by-place', '用'), ['用户/a.mp4']],
      [() => page.fill('#by-least', '0.7'), ['live/c.mp4', '用户/a.mp4', 'd.jpg']],
      [() => page.fill('#by-most', '0.7'), ['live/b.mp4']],
      [() => page.fill('#by-text', 'POOR'), ['d.jpg']],
      [() => page.fill('#by-text', '张'), ['用户/a.mp4']],
    ];
    for (const [fill, keys] of cases) {
      await fill(page);
      expect(await readKeys(page)).toEqual(keys);
      await page.click('#clear');
      expect(await readKeys(page)).toEqual(all);
    }
    await page.fill('#by-text', 'nowhere');
    expect(await page.textContent('#found')).toBe('Nothing matches, filtered from 4');
    await page.click('#clear');
    // Service, label and score are asked of the same match.
    await page.selectOption('#by-label', 'politician Jane');
    await page.fill('#by-least', '0.9');
    expect(await readKeys(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('a view is kept in the address, and opens again from it', async () => {
    const { page } = await openPage(makeRequest(mixed));
    expect(
      await page
        .locator('#places option')
        .evaluateAll((list) => list.map((one) => one.getAttribute('value'))),
    ).toEqual(['media/', 'media/live/', 'media/用户/']);
    await page.fill('#by-place', 'media/live/');
    await page.fill('#by-text', 'jane');
    const hash = String(await page.evaluate('location.hash'));
    await page.close();
    const again = await openPage(makeRequest(mixed), { hash });
    expect(await readKeys(again.page)).toEqual(['live/b.mp4']);
    expect(await again.page.inputValue('#by-text')).toBe('jane');
    await again.page.evaluate("location.hash = '#verdict=block'");
    await again.page.locator('#found', { hasText: '1 to 1 of 1' }).waitFor();
    expect(await readKeys(again.page)).toEqual(['live/c.mp4']);
    await again.page.close();
    const forged = await openPage(makeRequest(mixed), {
      hash: '#verdict=<img src=x>&change=x&x=1',
    });
    expect(await readKeys(forged.page)).toEqual(all);
    expect(forged.complaints).toEqual([]);
    await forged.page.close();
  });

  test('what changed since the last run is told of each item and can be asked for', async () => {
    const now = [
      makeVideoRow(1, 'same.mp4', 'A', 0.95),
      makeVideoRow(2, 'moved.mp4', 'A', 0.9),
      makeVideoRow(3, 'flipped.mp4', 'A', 0.85),
      makeVideoRow(4, 'new.mp4', 'A', 0.8),
    ];
    const then = [
      makeVideoRow(1, 'same.mp4', 'A', 0.95),
      makeVideoRow(2, 'moved.mp4', 'A', 0.7),
      makeVideoRow(3, 'flipped.mp4', 'A', 0.3),
    ];
    const ledger = {
      ...makeLedger(now),
      readNamed: async (_run: string, ids: readonly string[]) =>
        then.filter(({ item }) => ids.includes(item.id)),
    };
    const previous = {
      run: makeRun(then, [quality, censor], { id: '20261119T020000Z-nightly' }),
      policy: strict,
    };
    const { page } = await openPage(makeRequest(now, { ledger, previous }));
    const expected = {
      new: ['new.mp4'],
      flip: ['flipped.mp4'],
      moved: ['moved.mp4', 'flipped.mp4'],
      same: ['same.mp4'],
    };
    for (const [value, keys] of Object.entries(expected)) {
      await page.selectOption('#by-change', value);
      expect(await readKeys(page)).toEqual(keys);
    }
    await page.selectOption('#by-change', 'flip');
    expect(await page.textContent('#items .facts')).toContain('was passpolitician A: 0.3 → 0.85');
    await page.close();
  });

  test('what a person decided stands with the item, and what is left to decide can be asked for', async () => {
    const decision = {
      verdict: 'pass',
      by: '李娜 <x>',
      at: '2026-11-19T18:12:00Z',
      comment: 'news',
    } as const;
    const rows = [{ ...makeVideoRow(1, 'a.mp4', 'A', 0.9), decision }, makeVideoRow(2, 'b.mp4', 'A', 0.8)];
    const { page } = await openPage(makeRequest(rows));
    expect(await page.textContent('#flagged h2')).toBe('Flagged items 2, worst first, 1 decided');
    // In the zone of the reports.
    expect(await page.textContent('.decision')).toBe('decided: pass 李娜 <x> 2026-11-20 02:12 news');
    await page.selectOption('#by-decision', 'none');
    expect(await readKeys(page)).toEqual(['b.mp4']);
    await page.selectOption('#by-decision', 'pass');
    expect(await readKeys(page)).toEqual(['a.mp4']);
    await page.close();
  });

  test('labels that are mere digits come with what they stand for, and are found by it', async () => {
    const meanings = { 0: { en: 'pornographic', zh: '色情' } };
    const service = { ...censor, columns: { metrics: [], tops: [{ op: 'pulp', normal: ['2'], meanings }] } };
    const rows = [makeVideoRow(1, 'a.mp4', '0', 0.95, 'pulp'), makeVideoRow(2, 'b.mp4', 'A', 0.9)];
    const { page } = await openPage(makeRequest(rows, { services: [service] }));
    expect(await page.locator('.hits .what').first().textContent()).toContain('pulp 0 pornographic');
    expect(await page.locator('#distributions figcaption').first().textContent()).toContain(
      'pulp 0 pornographic',
    );
    await page.fill('#by-text', 'porno');
    expect(await readKeys(page)).toEqual(['a.mp4']);
    await page.close();
  });

  test('pages of 50 are turned with the keyboard, and the focus stays where it can go on', async () => {
    const rows = Array.from({ length: 120 }, (_, index) => makeVideoRow(index, `${index}.mp4`, 'A', 0.9));
    const { page } = await openPage(makeRequest(rows));
    expect(await page.textContent('#found')).toBe('1 to 50 of 120');
    await page.getByRole('button', { name: 'Next page' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.textContent('#found')).toBe('51 to 100 of 120');
    expect((await readKeys(page))[0]).toBe('50.mp4');
    await page.keyboard.press('Enter');
    expect(await page.textContent('#found')).toBe('101 to 120 of 120');
    expect(await page.getByRole('button', { name: 'Next page' }).isDisabled()).toBe(true);
    await page.keyboard.press('Enter');
    expect(await page.textContent('#found')).toBe('51 to 100 of 120');
    await page.close();
  });

  test('the filtered rows are exported as a guarded CSV, exactly what is shown', async () => {
    const { page, complaints } = await openPage(makeHostileRequest());
    await page.fill('#by-text', 'cmd');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
    expect(download.suggestedFilename()).toBe('20261120T020000Z-nightly-flagged.csv');
    const text = await readFile(await download.path(), 'utf8');
    expect(text.startsWith('\uFEFFitem,bucket,key,')).toBe(true);
    const rows: Record<string, string>[] = parse(text, { bom: true, columns: true });
    expect(rows.map((row) => [row.item, row.key, row.verdict, row.label, row.score])).toEqual([
      ['media/=cmd|calc', "'=cmd|calc", 'review', "'=cmd|calc", '0.75'],
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

  test('50,000 of more flagged videos weigh a few megabytes, open, and are filtered; what is left out is told', async () => {
    const rows = Array.from({ length: 50_200 }, (_, index) =>
      makeVideoRow(
        index,
        `ugc/${index % 97}/${index}.mp4`,
        `person ${index % 50}`,
        0.6 + (index % 400) / 1000,
      ),
    );
    const request = makeRequest(rows, {
      reports: { formats: ['html'], timezone: 'UTC', excel: true, language: 'en' },
    });
    const { page, complaints } = await openPage(request);
    expect(Buffer.byteLength(request.folder.files.get('report.html') ?? '')).toBeLessThan(5_000_000);
    expect(await page.textContent('.note')).toContain('The worst 50,000 of 50,200 are on this page.');
    expect(await page.textContent('#found')).toBe('1 to 50 of 50,000');
    await page.selectOption('#by-label', 'politician person 7');
    expect(await page.textContent('#found')).toMatch(/^1 to 50 of 1,\d{3}, filtered from 50,000$/);
    await page.fill('#by-text', '/49907.mp4');
    expect(await readKeys(page)).toEqual(['ugc/49/49907.mp4']);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('media load only on a click, from the public origin, at the second of the segment', async () => {
    const rows = [makeVideoRow(1, 'a b.mp4', 'A', 0.9)];
    const { page, complaints, requests } = await openPage(
      makeRequest(rows, { publicBaseUrl: 'http://127.0.0.1:9/media' }),
    );
    expect(await page.locator('video').count()).toBe(0);
    expect(requests()).toEqual([]);
    await page.locator('.timeline .piece').click();
    const video = page.locator('video');
    expect(await video.getAttribute('src')).toBe('http://127.0.0.1:9/media/a%20b.mp4#t=1');
    expect(await video.evaluate((node: unknown) => (node as { currentTime: number }).currentTime)).toBe(1);
    await page.locator('.timeline summary').click();
    await page.getByRole('button', { name: 'Play from 0:01.0' }).click();
    expect(await video.count()).toBe(1);
    expect(new Set(requests().map((url) => url.split('#')[0]))).toEqual(
      new Set(['http://127.0.0.1:9/media/a%20b.mp4']),
    );
    expect(complaints.filter((text) => /Content Security Policy/i.test(text))).toEqual([]);
    await page.close();
  });

  test('without public access nothing offers to load media, and the key is there to be copied', async () => {
    const { page } = await openPage(makeRequest([makeVideoRow(1, 'a\u202Eb.mp4', 'A', 0.9)]));
    expect(await page.getByRole('button', { name: /^(?:Show|Play)/ }).count()).toBe(0);
    await page.evaluate(
      'navigator.clipboard ? navigator.clipboard.writeText = (text) => { window.written = text; return Promise.resolve(); } : 0',
    );
    await page.getByRole('button', { name: /^Copy the key a/ }).click();
    // Exactly the key, not what stands for it on the page.
    await page.locator('#items button', { hasText: 'copied' }).waitFor();
    expect(await page.evaluate('window.written')).toBe('a\u202Eb.mp4');
    expect(await page.textContent('#said')).toBe('copied');
    await page.close();
  });

  test('one label under several rules is one bar with every threshold', async () => {
    const policy = {
      ...strict,
      rules: [
        ...strict.rules,
        {
          service: censor.name,
          op: 'pulp',
          labels: ['0'],
          score: { comparator: '>=' as const, value: 0.6 },
          verdict: 'review' as const,
          reason: 'sexual',
        },
      ],
    };
    const finding = makeFinding({ labels: [{ op: 'pulp', label: '0', score: 0.95 }] });
    const rows = [{ item: makeItem(1, 'a.mp4'), tasks: [makeTask(censor, { finding })] }];
    const { page } = await openPage(makeRequest(rows, { policy }));
    expect(await page.locator('.hits > li').count()).toBe(1);
    expect(await page.locator('.hits .mark').count()).toBe(2);
    expect(await page.locator('.hits svg').getAttribute('aria-label')).toBe('0.95, rule >= 0.9, rule >= 0.6');
    expect(await page.textContent('.reasons')).toBe('pornography; sexual');
    await page.close();
  });
});
