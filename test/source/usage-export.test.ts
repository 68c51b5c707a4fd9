import { describe, expect, test } from 'vitest';
import {
  type ExportSettings,
  parseAmount,
  parseExportDate,
  readUsageExport,
} from '../../src/source/usage-export.ts';

const settings: ExportSettings = {
  path: '-',
  encoding: 'utf-8',
  delimiter: ',',
  columns: { date: '日期', sku: '计费项', units: '用量', amount: '金额', id: '任务' },
  timezone: 'Asia/Shanghai',
  currency: 'CNY',
};

async function read(bytes: Buffer | string, changes: Partial<ExportSettings> = {}) {
  const input = (async function* () {
    yield Buffer.from(bytes);
  })();
  const pages: unknown[] = [];
  for await (const rows of readUsageExport({ ...settings, ...changes }, input)) pages.push(...rows);
  return pages;
}

const header = '任务,日期,计费项,用量,金额,备注';

describe('an export', () => {
  test('is read by the names of its columns, whatever stands between them', async () => {
    const text = `\uFEFF${header}\r\nj1,2026/11/20 08:00:00,基础,"1,204",¥5.5384,x\r\n,20261121,高级,3.00,,\r\n`;
    expect(await read(text)).toEqual([
      { line: 2, id: 'j1', date: '2026-11-20', sku: '基础', units: 1204, amount: 5_538_400_000n },
      { line: 3, id: '', date: '2026-11-21', sku: '高级', units: 3, amount: 0n },
    ]);
  });

  test.each([
    [
      'UTF-16 with its mark',
      Buffer.from(`\uFEFF日期;计费项;用量\n2026-11;a;1\n`, 'utf16le'),
      { delimiter: ';' },
    ],
    [
      'GB18030',
      // 日期,计费项,用量 in GB18030
      Buffer.concat([Buffer.from('c8d5c6da2cbcc6b7d1cfee2cd3c3c1bf', 'hex'), Buffer.from('\n2026-11,a,1\n')]),
      { encoding: 'gb18030' as const },
    ],
  ])('may be in %s', async (_, bytes, changes) => {
    const columns = { date: '日期', sku: '计费项', units: '用量' };
    expect(await read(bytes, { ...changes, columns })).toMatchObject([
      { date: '2026-11', sku: 'a', units: 1 },
    ]);
  });

  test.each([
    ['', {}, '-: expected a line that names the columns, found an empty file.'],
    ['Day,Item\n', {}, '-:1: --columns date=日期: there is no column "日期". The file has: "Day", "Item".'],
    [
      `${header}\nj,2026-11-31,a,1,1,\n`,
      {},
      '-:2: date: expected a date such as 2026-11-20 or 2026/11/20 08:00:00, found "2026-11-31". Correct the row, or --columns.',
    ],
    [`${header}\nj,2026-11-30,a,1.5,1,\n`, {}, '-:2: units: expected a whole number of units, found "1.5".'],
    [
      `${header}\nj,2026-11-30,a,1,free,\n`,
      {},
      '-:2: amount: expected an amount in CNY such as 1,204.50, found "free".',
    ],
    [
      `${header}\nj,2026-11-30,a,1,5 USD,\n`,
      {},
      'expected an amount in CNY such as 1,204.50, found "5 USD".',
    ],
    [
      `${header}\nj,2026-11-30,a,"1,5",1,\n`,
      {},
      '-:2: units: expected a whole number of units, found "1,5".',
    ],
    [
      '任务;日期;计费项;用量;金额\n',
      {},
      'The file has: "任务;日期;计费项;用量;金额". Its columns seem to be divided otherwise: try --delimiter ";".',
    ],
    [
      `${header},用量\n`,
      {},
      '-:1: --columns units=用量: columns 4 and 7 are both called "用量". Give the position: units=4 or units=7.',
    ],
    [`${header}\nj,"2026\n`, {}, '-:2: a quoted field that nothing closes'],
  ] as const)('is refused where it says %j', async (text, changes, words) => {
    await expect(read(text, changes)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(words) as string,
    });
  });

  test('has its columns by position, too', async () => {
    const columns = { date: '2', sku: '3', units: '7' };
    expect(await read(`${header},用量\nj,2026-11,a,1,,,9\n`, { columns })).toMatchObject([
      { date: '2026-11', sku: 'a', units: 9 },
    ]);
  });

  test('that is not there is refused by its name', async () => {
    const path = '/nowhere/usage.csv';
    await expect(read('', { path })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^\/nowhere\/usage.csv: the export cannot be read: /) as string,
    });
  });

  test('in another encoding is refused with the one that is meant, perhaps', async () => {
    const bytes = Buffer.concat([
      Buffer.from('date,sku,units\n2026-11,'),
      Buffer.from('bbf9b4a1', 'hex'),
      Buffer.from(',1\n'),
    ]);
    const columns = { date: 'date', sku: 'sku', units: 'units' };
    await expect(read(bytes, { columns })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/gb18030/i) as string,
    });
  });
});

test.each([
  ['2026-11-20', '2026-11-20'],
  ['2026-11-20 23:59:59', '2026-11-20'],
  ['2026.1.2', '2026-01-02'],
  ['2026年11月20日', '2026-11-20'],
  ['2026年11月', '2026-11'],
  ['202611', '2026-11'],
  ['2026-11', '2026-11'],
  ['2026-11-30T16:00:00Z', '2026-12-01'],
  ['2026-11-30T23:00:00+08:00', '2026-11-30'],
  ['2026-11-30 16:00:00 +0000', '2026-12-01'],
  ['2026-11-30 23:00:00 +0800 CST', '2026-11-30'],
  ['20.11.2026', undefined],
  ['11/20/2026', undefined],
  ['2026-13-01', undefined],
  ['', undefined],
])('the date %j is %j', (text, day) => {
  expect(parseExportDate(text, 'Asia/Shanghai')).toBe(day);
});

test.each([
  ['1,204.50', 1_204_500_000_000n],
  ['-0.0046', -4_600_000n],
  ['¥ 5 CNY', 5_000_000_000n],
  ['0.00000000049', 0n],
  ['0.0000000005', 1n],
  ['', 0n],
  ['CNY 1.5', 1_500_000_000n],
  ['1.5元', 1_500_000_000n],
  ['1e3', undefined],
  ['1,5', undefined],
  ['1.204,50', undefined],
  ['$5', undefined],
  ['5 USD', undefined],
  ['USD 5', undefined],
])('the amount %j is %s', (text, amount) => {
  expect(parseAmount(text, 'CNY')).toBe(amount);
});
