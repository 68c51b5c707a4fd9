/** The page of what was spent: whole in itself, escaped, and readable without colours. */
import { describe, expect, test } from 'vitest';
import { CostTable, type ItemUsage } from '../../../src/domain/cost.ts';
import type { Item } from '../../../src/domain/item.ts';
import type { CostResult } from '../../../src/domain/cost-result.ts';
import type { Language } from '../../../src/domain/settings.ts';
import { writeCostPage } from '../../../src/report/cost/page.ts';
import { sumPrefixes } from '../../../src/report/cost/prefix.ts';
import { costColumns } from '../../../src/report/cost/table.ts';
import { renderCsvHeader, renderCsvRows } from '../../../src/report/table/csv.ts';
import { makeItem } from '../library.ts';

const sums = {
  observed: 2,
  estimated: 1,
  uncertain: 4,
  free: 0,
  pack: 0,
  charge: 1_500_000_000n,
  isComplete: false,
};
const hostile = '<script>alert(1)</script>';

const result: CostResult = {
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
  month: '2026-11',
  isPlayed: false,
  playedUnits: 3,
  total: { ...sums, projected: { units: 6, charge: 3_000_000_000n, isComplete: true } },
  projection: { since: '2026-11-01', until: '2026-11-20', today: '2026-11-20', daysSeen: 20, daysLeft: 10 },
  months: [
    { of: { month: '2026-11' }, ...sums, projected: { units: 6, charge: 3_000_000_000n, isComplete: true } },
  ],
  days: [{ of: { day: '2026-11-20' }, ...sums }],
  skus: [{ of: { account: 'pai-prod', sku: 'pai/basic' }, ...sums }],
  pipelines: [{ of: { pipeline: hostile }, ...sums }],
  prefixes: [{ of: { prefix: 'media/用户/' }, ...sums }],
  accounts: [],
  rows: [{ of: { month: '2026-11', pipeline: '=cmd' }, ...sums }],
  by: ['month', 'pipeline'],
  isGrouped: true,
};

async function render(changes: Partial<CostResult> = {}, language: Language = 'en'): Promise<string> {
  let page = '';
  const sink = { write: async (text: string) => void (page += text) };
  await writeCostPage(sink, { ...result, ...changes }, { at: '2026-11-20T04:00:00.000Z', language });
  return page;
}

describe('the page', () => {
  test('runs nothing, fetches nothing, and names no address', async () => {
    const page = await render();
    expect(page).toContain("default-src 'none'; style-src &#39;sha256-".replace("'none'", '&#39;none&#39;'));
    expect(page).not.toContain('<script');
    expect(page).not.toMatch(/(?:src|href)=|https?:\/\//);
    expect(page).not.toMatch(/ style=/);
    expect(page).toContain('&lt;script&gt;alert(1)');
  });

  test('tells what was spent, projected, uncertain and left out', async () => {
    const page = await render();
    for (const text of [
      'Cost of 2026-11',
      'at least 1.50 CNY',
      '3.00 CNY',
      'as much a day as from 2026-11-01 to 2026-11-20, for 10 more days',
      '3 units of stand-ins are left out',
      'incomplete: some units have no price',
      'media/用户/',
      'By month and pipeline',
    ]) {
      expect(page).toContain(text);
    }
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(4);
  });

  test('is wholly in Chinese where that is asked for', async () => {
    const stand = {
      account: 'pai-prod',
      sku: 'pai/basic',
      unit: 'call',
      tierUnits: 7,
      elsewhere: 1,
      freeLeft: 2,
    };
    const pack = { units: 9, expires: '2026-12-31', cost: 9n, used: 4, left: 5, sunk: 5n, isExpired: false };
    const page = await render({ accounts: [{ ...stand, packs: [pack] }] }, 'zh');
    expect(page).toContain('<html lang="zh-CN">');
    expect(page).toContain('按 2026-11-01 至 2026-11-20 的日均用量，再计 10 天');
    const known = /CNY|SKU|CSV|config\/prices\/|Asia\/Shanghai|pai-prod|pai\/basic|media|script|alert|cmd/g;
    const words = page
      .replace(/<style>.*?<\/style>/s, '')
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/&\w+;/g, ' ');
    expect(words.replaceAll(known, '').match(/[A-Za-z]{2,}/g)).toBeNull();
  });

  test('is there where nothing was used', async () => {
    expect(await render({ month: undefined })).toContain('Nothing was used yet.');
  });
});

test('the CSV guards what a spreadsheet would run, and leaves an unknown charge empty', () => {
  const columns = costColumns(['month', 'pipeline'], 'CNY');
  const rows = [
    ...result.rows,
    {
      of: { month: '2026-11', pipeline: 'b' },
      ...sums,
      charge: 0n,
      projected: { units: 9, charge: 0n, isComplete: false },
    },
    {
      of: { month: '2026-11', pipeline: 'c' },
      ...sums,
      projected: { units: 9, charge: 2_000_000_000n, isComplete: false },
    },
  ];
  expect((renderCsvHeader(columns, 'exact') + renderCsvRows(columns, rows, 'people')).split('\r\n')).toEqual([
    'month,pipeline,units_observed,units_estimated,units_uncertain,units_free,units_pack,charge,currency,complete,units_projected,charge_projected',
    "2026-11,'=cmd,2,1,4,0,0,1.5,CNY,false,,",
    '2026-11,b,2,1,4,0,0,,CNY,false,9,',
    '2026-11,c,2,1,4,0,0,1.5,CNY,false,9,2',
    '',
  ]);
});

function makeRow(id: string, url?: string): Item {
  return { id, position: new Uint8Array(), kind: 'video', url };
}

test('prefixes are summed page by page, those of pruned runs and of stand-ins apart', async () => {
  const usage = (id: number, key: string | undefined, isLoopback = false): ItemUsage => ({
    id,
    month: '2026-11',
    pipeline: 'nightly',
    account: 'pai-prod',
    isLoopback,
    sku: 'pai/basic',
    ...sums,
    ...(key !== undefined && { item: makeItem(id, key) }),
  });
  const all = [
    ...Array.from({ length: 5001 }, (_, index) => usage(index + 1, `ugc/a/${index}.jpg`)),
    usage(6000, 'ugc/b/1.jpg'),
    usage(6001, 'top.jpg'),
    usage(6002, undefined),
    usage(6003, 'ugc/b/2.jpg', true),
    { ...usage(6004, undefined), item: makeRow('row-1', 'https://cdn.example/vip/1.mp4?e=1&token=x') },
    { ...usage(6005, undefined), item: makeRow('post-7') },
  ];
  const asked: number[] = [];
  const ledger = {
    readItemUsage: async (_: object, after: number, limit: number) => {
      asked.push(after);
      return all.filter(({ id }) => id > after).slice(0, limit);
    },
  };
  const [table] = await sumPrefixes(
    ledger,
    {},
    { depth: 3, isPlayed: false, tables: [new CostTable(['prefix'])] },
  );
  expect(table?.list().map(({ of, observed }) => [of.prefix, observed])).toEqual([
    ['(no folder)', 2],
    ['(pruned)', 2],
    ['https://cdn.example/vip/', 2],
    ['media/', 2],
    ['media/ugc/a/', 10_002],
    ['media/ugc/b/', 2],
  ]);
  expect(asked).toEqual([0, 5000]);
});
