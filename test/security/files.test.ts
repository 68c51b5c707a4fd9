/** Plans, decisions, usage exports and price books that came back broken or forged: refused in words, and nothing is read into them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { hashPlan, readPlanText, writePlanText } from '../../src/plan/plan-file.ts';
import { readReviewFile } from '../../src/source/review-file.ts';
import { readUsageExport } from '../../src/source/usage-export.ts';
import {
  broken,
  deepTexts,
  endOf,
  fuzzTimeoutMs,
  nastyText,
  nastyValue,
  replaceAt,
  tries,
} from './hostile.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-files-'));
});

afterAll(() => rm(folder, { recursive: true }));

const plan: Plan = {
  pipeline: 'audit',
  createdAt: '2026-11-20T02:00:00.000Z',
  config: { source: 'a'.repeat(64), services: 'b'.repeat(64), prices: 'c'.repeat(64) },
  items: { items: 1000, hash: 'd'.repeat(64) } as unknown as Plan['items'],
  calls: 1000,
  skus: [
    {
      account: 'pai-prod',
      sku: 'pai/basic',
      units: 1000,
      basis: 'observed',
      monthSoFar: 0,
      charge: '4.6',
      complete: true,
      price: '0.0046',
    },
  ],
  total: { charge: '4.6', currency: 'CNY', complete: true },
  assumptions: [{ text: 'videos of unknown duration last 600 s', tasks: 3 }],
  durationSeconds: 120,
};

describe('a plan', () => {
  const text = writePlanText(plan);

  /** Either the very plan that was approved, or a refusal. */
  async function expectSame(given: string): Promise<void> {
    const end = await endOf(() => readPlanText(given, 'plan.json'));
    if ('value' in end) return assert.equal(end.value.sha256, hashPlan(plan));
    assert.equal(end.stop.exitCode, 2);
    assert.match(end.stop.message, /^plan "plan\.json": /);
  }

  test(
    'that was broken or forged in any place is the one that was approved, or refused',
    async () => {
      const given = fc.oneof(
        broken([text]).map((bytes) => bytes.toString()),
        fc
          .tuple(fc.nat(), nastyValue)
          .map(([place, value]) => JSON.stringify(replaceAt(JSON.parse(text), place, value)) ?? ''),
        nastyText,
      );
      await fc.assert(fc.asyncProperty(given, expectSame), tries(400));
    },
    fuzzTimeoutMs,
  );

  test('without bottom is refused', async () => {
    expect(deepTexts.length).toBeGreaterThan(0);
    for (const deep of deepTexts) {
      await expectSame(deep);
      for (const key of ['skus', 'assumptions', 'total', 'more']) {
        await expectSame(text.replace('{', `{"${key}":${deep},`));
        await expectSame(text.replace(/\}\s*$/, `,"${key}":${deep}}`));
      }
    }
  });
});

describe('decisions of reviewers', () => {
  const content = 'AAAAAAAAAAAAAAAAAAAA_1';
  const table = `item,decision,comment,run,content\r\nmedia/a.jpg,pass,"=1+1, ""x""",r,${content}\r\nb,通过,,r,AAAAAAAAAAAAAAAAAAAA_2\r\n`;

  test(
    'that were broken are read, or told line by line, and decide nothing else',
    async () => {
      const path = join(folder, 'review.csv');
      await fc.assert(
        fc.asyncProperty(broken([table, Buffer.from(`\uFEFF${table}`, 'utf16le')]), async (bytes) => {
          await writeFile(path, bytes);
          const end = await endOf(() => readReviewFile(path, Readable.from([])));
          if ('stop' in end) {
            assert.equal(end.stop.exitCode, 2);
            return;
          }
          for (const { line, message } of end.value.faults) {
            expect(line).toBeGreaterThan(0);
            expect(message.length).toBeLessThan(1000);
          }
          for (const decision of end.value.decisions) {
            expect(decision.content).toMatch(/^[\w-]{22}$/);
            expect(decision.comment.length).toBeLessThanOrEqual(4096);
            expect(['pass', 'review', 'block', undefined]).toContain(decision.verdict);
          }
        }),
        tries(200),
      );
    },
    fuzzTimeoutMs,
  );
});

describe("a vendor's usage export", () => {
  const table = `日期,计费项,用量,金额,任务\n2026/11/20 08:00:00,基础,"1,204",¥5.5384,j1\n20261121,高级,3.00,,\n2026-11-20T02:00:00Z,pai/basic,7,0.1,j2\n`;
  const settings = {
    path: '-',
    encoding: 'utf-8',
    delimiter: ',',
    columns: { date: '日期', sku: '计费项', units: '用量', amount: '金额', id: '任务' },
    timezone: 'Asia/Shanghai',
    currency: 'CNY',
  } as const;

  test(
    'that was broken is read, or refused with its line',
    async () => {
      const given = fc.oneof(
        broken([table]),
        fc
          .array(nastyText, { minLength: 5, maxLength: 5 })
          .map((cells) => `${table}${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`)
          .map((text) => Buffer.from(text)),
      );
      await fc.assert(
        fc.asyncProperty(given, async (bytes) => {
          const end = await endOf(async () => {
            const rows = [];
            for await (const page of readUsageExport(settings, Readable.from([bytes]))) rows.push(...page);
            return rows;
          });
          if ('stop' in end) {
            assert.match(end.stop.message, /^-:/);
            return;
          }
          for (const { units, date, amount } of end.value) {
            expect(Number.isSafeInteger(units)).toBe(true);
            expect(date).toMatch(/^\d{4}-\d\d(-\d\d)?$/);
            expect(amount ?? 0n).toBeLessThan(10n ** 21n);
          }
        }),
        tries(300),
      );
    },
    fuzzTimeoutMs,
  );

  test('with a sum of a million digits is refused, not computed with', async () => {
    const row = `2026-11-20,x,1,${'9'.repeat(900_000)},\n`;
    const end = await endOf(async () => {
      for await (const _ of readUsageExport(settings, Readable.from([Buffer.from(`${table}${row}`)])));
    });
    expect('stop' in end && end.stop.message).toMatch(/^-:5: amount: expected an amount/);
    expect('stop' in end && end.stop.message.length).toBeLessThan(1000);
  });
});
