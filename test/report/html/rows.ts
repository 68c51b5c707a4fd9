/** Flagged items for pages: friendly ones, and those that somebody hostile would name. */
import type { ItemRow } from '../../../src/domain/ledger.ts';
import type { ReportRequest } from '../../../src/report/request.ts';
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
} from '../library.ts';

export const hostile = [
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
  '__proto__',
];

/** A video with one label, seen in one segment of four seconds. */
export function makeVideoRow(
  number: number,
  key: string,
  label: string,
  score: number,
  op = 'politician',
): ItemRow {
  return {
    item: makeItem(number, key, { kind: 'video', durationSeconds: 60 }),
    content: key,
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

export function makeImageRow(number: number, key: string, iqa: number): ItemRow {
  return {
    item: makeItem(number, key),
    content: key,
    tasks: [makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: iqa } }) })],
  };
}

/** Hostile words wherever words of the outside stand. */
export function makeHostileRequest(rest: Partial<ReportRequest> = {}) {
  const rows = hostile.flatMap((text, index): ItemRow[] => [
    makeVideoRow(2 * index, text, text, 0.7 + index / 100),
    {
      item: makeItem(2 * index + 1, `failed ${text}`, { url: 'javascript:window.hacked=1' }),
      tasks: [
        makeTask(quality, {
          status: index % 2 === 0 ? 'failed' : 'held',
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
